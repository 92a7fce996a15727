"""Check and Violation: what every file of `hardener/pss/checks` declares, and what comes of it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hardener.pss.level import Level
from hardener.pss.pod import Pod

Complaints = Callable[[Pod], Iterator[str]]
"""Pure. Each sentence says what must change, where, and how; none means that the pod passes."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A pod breaks one check of a level, and thereby meets none from that level on.

    `check` is the name that Kubernetes gives the check. `message` is without a full stop; it repeats names and values as
    the manifest has them, so that whoever prints it sees to control characters.
    """

    check: str
    level: Level
    message: str


@dataclass(frozen=True, slots=True)
class Check:
    """One rule of a level; `level` is never privileged, which has no rules."""

    name: str
    level: Level
    complaints: Complaints

    def violation(self, pod: Pod) -> Violation | None:
        message = "; ".join(self.complaints(pod))
        return Violation(self.name, self.level, message) if message else None
