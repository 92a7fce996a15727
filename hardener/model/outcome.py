"""Write, Skip, Verdict, Outcome: what a decision is made of.

What every request makes is a msgspec struct rather than a dataclass: a frozen dataclass costs several times as much to
make.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import msgspec

from hardener.model.pod import Container, Pod

Value = bool | str | dict[str, object]
"""What a write puts into the object. Shared between requests: never to be changed."""

Path = tuple[str | int, ...]
"""Keys below a Pod or Container, as they stand in JSON."""


class Write(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One change.

    `set` puts the value at the path, `append` adds it to the list there, and `remove` takes away what the path's last key
    names: an element of a list, by its index, or a key of a mapping.
    """

    at: Pod | Container
    path: Path
    value: Value | None
    reason: str
    how: Literal["set", "append", "remove"] = "set"


class Skip(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One change that is held back, on a container or on the pod as a whole."""

    at: Pod | Container
    reason: str


Finding = Write | Skip


class Mode(StrEnum):
    """How far a policy or a control goes; the weaker of the two counts."""

    ENFORCE = "enforce"
    DRY_RUN = "dry-run"
    DISABLED = "disabled"

    def weaker(self, other: "Mode") -> "Mode":
        order = list(Mode)
        return max(self, other, key=order.index)


class OptOutCause(StrEnum):
    """Why an opt-out counts or does not; a metric label."""

    ACCEPTED = "accepted"
    LOCKED = "locked"
    NO_REASON = "no-reason"
    NO_EXPIRY = "no-expiry"
    BAD_EXPIRY = "bad-expiry"
    EXPIRED = "expired"
    TOO_FAR_AHEAD = "too-far-ahead"
    UNKNOWN_CONTROL = "unknown-control"


@dataclass(frozen=True, slots=True)
class OptOut:
    """One word of an opt-out annotation, judged.

    `control` is the name it stands for, or the word as it was written where it stands for none; `container` is None
    where the whole pod is meant; `detail` is the date or the nearest word that the cause speaks of. One that counts now
    and `ends_soon` will surprise whoever makes the pod anew after its last day.
    """

    control: str
    container: str | None
    cause: OptOutCause
    detail: str = ""
    ends_soon: bool = False

    @property
    def accepted(self) -> bool:
        return self.cause is OptOutCause.ACCEPTED


@dataclass(frozen=True, slots=True)
class Exempt:
    """A pod, or one container of it, that the configuration exempts.

    `key` is the line's key in the configuration (`exempt.containers[0]`), `place` its file and line.
    """

    at: Pod | Container
    key: str
    place: str


class Verdict(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What one control decided. With an error it decided nothing: a half-made decision is dropped whole."""

    control: str
    mode: Mode
    writes: Sequence[Write] = ()
    skips: Sequence[Skip] = ()
    error: Exception | None = None


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """All that was decided about one pod, in the order of the controls' names.

    Where the pod as a whole is exempt, that is all there is.
    """

    verdicts: tuple[Verdict, ...] = ()
    opt_outs: tuple[OptOut, ...] = ()
    exempt: tuple[Exempt, ...] = ()

    def writes(self, *modes: Mode) -> list[Write]:
        """The changes of the controls that run in one of these modes."""
        writes: list[Write] = []
        for verdict in self.verdicts:
            if verdict.mode in modes:
                writes += verdict.writes
        return writes

    @property
    def is_exempt(self) -> bool:
        """Whether the pod is exempt as a whole."""
        return bool(self.exempt) and isinstance(self.exempt[0].at, Pod)

    @property
    def is_complete(self) -> bool:
        """Whether every control reached every container: none is exempt or opted out, nothing was held back or failed."""
        if self.exempt or self.opt_outs:
            return False
        return not [True for verdict in self.verdicts if verdict.skips or verdict.error is not None]

    @property
    def errors(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.error is not None]
