"""Now: the time as two clocks tell it, of which either may have jumped."""

from dataclasses import dataclass
from datetime import datetime, timedelta

MARGIN = timedelta(days=1)
"""How far apart clocks may be; certificates are valid from so much before the moment that they are made at."""


@dataclass(frozen=True, slots=True)
class Now:
    """The time by our own clock, and by that of the API server, which is the one that judges our certificates.

    Where they disagree, nothing counts as past, or as still to come, of which only one of them says so: a clock that
    jumps makes no certificate void and none due. What is made is dated by the API server's. Both are aware.
    """

    here: datetime
    there: datetime

    @classmethod
    def at(cls, moment: datetime) -> "Now":
        """Both clocks tell the same."""
        return cls(moment, moment)

    @property
    def is_doubtful(self) -> bool:
        """Whether one of the clocks is wrong by more than certificates allow for."""
        return abs(self.here - self.there) > MARGIN

    def is_past(self, moment: datetime) -> bool:
        """Whether the moment is over, by both clocks."""
        return moment < min(self.here, self.there)

    def is_to_come(self, moment: datetime) -> bool:
        """Whether the moment is still to come, by both clocks."""
        return moment > max(self.here, self.there)
