"""What the watches tell: lines of a log, and how they stand."""

from dataclasses import dataclass
from typing import Protocol


class Log(Protocol):
    """Where lines go; `fields` are plain values."""

    def info(self, message: str, **fields: object) -> None: ...

    def warning(self, message: str, **fields: object) -> None: ...

    def failure(self, message: str, error: BaseException | None = None, **fields: object) -> None: ...


class Silence:
    """A log that nobody reads."""

    def info(self, message: str, **fields: object) -> None: ...

    def warning(self, message: str, **fields: object) -> None: ...

    def failure(self, message: str, error: BaseException | None = None, **fields: object) -> None: ...


@dataclass(frozen=True, slots=True)
class WatchStatus:
    """How one resource's watch stands.

    `resource` is its plural, as `limitranges`; `age` is seconds since the API server last said anything about it, a
    bookmark counting, and None before the first word. `lists` and `failures` count since the start; `reason` is the
    failure that it has not yet recovered from, or empty.
    """

    resource: str
    synced: bool
    age: float | None
    lists: int
    failures: int
    reason: str


@dataclass(frozen=True, slots=True)
class Status:
    """How a Cluster stands.

    `asked` counts the namespaces that were asked for one by one, `missing` those of them that are not there, and
    `unanswered` those whose answer did not come, not whole, or not in time.
    """

    watches: tuple[WatchStatus, ...]
    asked: int
    missing: int
    unanswered: int

    @property
    def synced(self) -> bool:
        """Whether every resource has been listed once."""
        return all(watch.synced for watch in self.watches)
