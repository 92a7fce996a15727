"""Every container must drop all capabilities, and may add NET_BIND_SERVICE.

Only the literal `ALL` counts (semantics.md 5.2). Windows has no capabilities, so that a pod whose `os.name` is windows
passes. Source: pod-security-admission, `policy/check_capabilities_restricted.go` (the form of 1.25).
"""

from collections.abc import Iterator

from hardener.model import ALL_CAPABILITIES
from hardener.pss.check import Check
from hardener.pss.level import Level
from hardener.pss.pod import Pod, adding_beyond, listed

ALLOWED = frozenset({"NET_BIND_SERVICE"})


def _complaints(pod: Pod) -> Iterator[str]:
    if pod.is_windows:
        return
    keeping = [each for each in pod.containers if ALL_CAPABILITIES not in each.dropped_capabilities]
    if keeping:
        yield f"{listed(keeping)} must drop all capabilities: put ALL into securityContext.capabilities.drop"
    yield from adding_beyond(pod, ALLOWED)


CHECK = Check("capabilities_restricted", Level.RESTRICTED, _complaints)
