"""No container may be privileged, which switches off nearly all that keeps it from the node.

Source: pod-security-admission, `policy/check_privileged.go`.
"""

from collections.abc import Iterator

from hardener.pss.check import Check
from hardener.pss.level import Level
from hardener.pss.pod import Pod, listed


def _complaints(pod: Pod) -> Iterator[str]:
    privileged = [container for container in pod.containers if container.security.privileged]
    if privileged:
        yield f"{listed(privileged)} must not be privileged: remove securityContext.privileged"


CHECK = Check("privileged", Level.BASELINE, _complaints)
