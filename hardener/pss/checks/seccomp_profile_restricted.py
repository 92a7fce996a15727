"""Every container must have a seccomp profile, itself or by its pod.

An explicit Unconfined is refused at either level, even where the other overrules it. Windows has no seccomp, so that a pod
whose `os.name` is windows passes. Source: pod-security-admission, `policy/check_seccompProfile_restricted.go` (the form of
1.25).
"""

from collections.abc import Iterator

from hardener.pss.check import Check
from hardener.pss.level import Level
from hardener.pss.pod import Pod, is_unconfined, listed

REMEDY = "set securityContext.seccompProfile.type to RuntimeDefault or Localhost"


def _complaints(pod: Pod) -> Iterator[str]:
    if pod.is_windows:
        return
    unconfined = pod.places(is_unconfined)
    if unconfined:
        yield f"{listed(unconfined)} must not go without a seccomp profile: {REMEDY}"
    silent = [each for each in pod.containers if each.security.seccompProfile is None]
    if silent and pod.security.seccompProfile is None:
        yield f"{listed(silent)} must have a seccomp profile: {REMEDY} there or on the pod"


CHECK = Check("seccompProfile_restricted", Level.RESTRICTED, _complaints)
