"""The masks of /proc must stay, in a user namespace too.

Since 1.35; before, `procMount` said the same. Source: pod-security-admission, `policy/check_procMount_restricted.go`.
"""

from collections.abc import Iterator

from hardener.pss.check import Check
from hardener.pss.level import Level
from hardener.pss.pod import Pod, listed


def _complaints(pod: Pod) -> Iterator[str]:
    unmasked = pod.unmasked()
    if unmasked:
        yield f"{listed(unmasked)} must keep the masks of /proc: remove securityContext.procMount"


CHECK = Check("procMount_restricted", Level.RESTRICTED, _complaints)
