"""The masks of /proc must stay, except in a user namespace.

The exception came with 1.35. Source: pod-security-admission, `policy/check_procMount_baseline.go`, whose check keeps the
name of the time when there was but one.
"""

from collections.abc import Iterator

from hardener.pss.check import Check
from hardener.pss.level import Level
from hardener.pss.pod import Pod, listed


def _complaints(pod: Pod) -> Iterator[str]:
    unmasked = pod.unmasked()
    if unmasked and not pod.has_user_namespace:
        yield (
            f"{listed(unmasked)} must keep the masks of /proc: remove securityContext.procMount, or set hostUsers to "
            "false"
        )


CHECK = Check("procMount", Level.BASELINE, _complaints)
