"""Every container must say, itself or by its pod, that it does not run as root.

An explicit false is refused at either level, even where the other overrules it. A pod with a user namespace passes since
1.35, and one on Windows does not. Source: pod-security-admission, `policy/check_runAsNonRoot.go`.
"""

from collections.abc import Iterator

from hardener.pss.check import Check
from hardener.pss.level import Level
from hardener.pss.pod import Pod, listed


def _complaints(pod: Pod) -> Iterator[str]:
    if pod.has_user_namespace:
        return
    denying = pod.places(lambda security: security.runAsNonRoot is False)
    if denying:
        yield f"{listed(denying)} must not set securityContext.runAsNonRoot to false: set it to true"
    silent = [each for each in pod.containers if each.security.runAsNonRoot is None]
    if silent and pod.security.runAsNonRoot is None:
        yield f"{listed(silent)} must be kept from running as root: set securityContext.runAsNonRoot to true there or on the pod"


CHECK = Check("runAsNonRoot", Level.RESTRICTED, _complaints)
