"""Policy: what is done to the pods of a namespace, compiled for the hot path."""

from dataclasses import dataclass
from enum import StrEnum

from hardener.model import Control, Mode


class Warnings(StrEnum):
    """What the sender of a pod is told."""

    PROBLEMS = "problems"
    CHANGES = "changes"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class OptOutRules:
    """Which controls a pod may refuse, and what it must say to do so.

    `max_days` bounds how far ahead `hardener.dev/opt-out-until` may lie; None asks for no expiry.
    """

    controls: frozenset[str]
    require_reason: bool = False
    max_days: int | None = None


@dataclass(frozen=True, slots=True)
class Enabled:
    """One control as a policy runs it; never in mode disabled."""

    control: Control
    settings: object
    mode: Mode


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy, ready to be applied.

    `controls` is sorted by name and holds only what runs; `fingerprint` is eight hex digits of its content.
    """

    name: str
    mode: Mode
    warnings: Warnings
    opt_out: OptOutRules
    controls: tuple[Enabled, ...]
    fingerprint: str = ""

    @property
    def label(self) -> str:
        """Name and content in one: `standard@1c6f0a2b`."""
        return f"{self.name}@{self.fingerprint}"

    @property
    def enforced(self) -> tuple[str, ...]:
        return tuple(enabled.control.name for enabled in self.controls if enabled.mode is Mode.ENFORCE)
