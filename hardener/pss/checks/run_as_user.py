"""Neither pod nor container may ask for user 0, even where the other level overrules it.

A pod with a user namespace passes since 1.35. Source: pod-security-admission, `policy/check_runAsUser.go`.
"""

from collections.abc import Iterator

from hardener.pss.check import Check
from hardener.pss.level import Level
from hardener.pss.pod import Pod, listed


def _complaints(pod: Pod) -> Iterator[str]:
    if pod.has_user_namespace:
        return
    root = pod.places(lambda security: security.runAsUser == 0)
    if root:
        yield f"{listed(root)} must not run as user 0: remove securityContext.runAsUser or name another user"


CHECK = Check("runAsUser", Level.RESTRICTED, _complaints)
