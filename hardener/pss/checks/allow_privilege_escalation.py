"""Every container must say that it gains no privileges: absent means that it may.

Windows has no such thing, so that a pod whose `os.name` is windows passes. Source: pod-security-admission,
`policy/check_allowPrivilegeEscalation.go` (the form of 1.25).
"""

from collections.abc import Iterator

from hardener.pss.check import Check
from hardener.pss.level import Level
from hardener.pss.pod import Pod, listed


def _complaints(pod: Pod) -> Iterator[str]:
    if pod.is_windows:
        return
    able = [each for each in pod.containers if each.security.allowPrivilegeEscalation is not False]
    if able:
        yield f"{listed(able)} must not be able to gain privileges: set securityContext.allowPrivilegeEscalation to false"


CHECK = Check("allowPrivilegeEscalation", Level.RESTRICTED, _complaints)
