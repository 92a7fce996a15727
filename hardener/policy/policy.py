"""Policy: what is done to the pods of a namespace, compiled for the hot path."""

from dataclasses import dataclass, field
from enum import StrEnum

from hardener.model import Control, Mode
from hardener.policy.exemptions import PodExemptions


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

    `controls` is sorted by name and holds only what runs; `enforced` names those that change pods, and `enforced_names`
    does so in one text; it `announces` where some of the others run in dry-run. `fingerprint` is eight hex digits of its
    content, and `label` is name and content in one: `standard@1c6f0a2b`.
    """

    name: str
    mode: Mode
    warnings: Warnings
    opt_out: OptOutRules
    controls: tuple[Enabled, ...]
    exempt: PodExemptions | None = None
    fingerprint: str = ""
    label: str = field(init=False)
    enforced: tuple[str, ...] = field(init=False)
    enforced_names: str = field(init=False)
    announces: bool = field(init=False)

    def __post_init__(self) -> None:
        """Make once what each request asks for."""
        object.__setattr__(self, "label", f"{self.name}@{self.fingerprint}")
        enforced = tuple(enabled.control.name for enabled in self.controls if enabled.mode is Mode.ENFORCE)
        object.__setattr__(self, "enforced", enforced)
        object.__setattr__(self, "enforced_names", ",".join(enforced))
        object.__setattr__(self, "announces", len(enforced) < len(self.controls))
