"""Control: what every file of `hardener/controls` declares."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hardener.model.facts import Facts
from hardener.model.outcome import Finding
from hardener.model.pod import Container, Pod

ON_WINDOWS = "the pod runs on Windows"
"""The hold that `linux_only` declares; the engine applies it."""

Apply = Callable[[Pod, Sequence[Container], Any, Facts], Iterator[Finding]]
"""Pure. The containers are those that are neither opted out nor exempt; the pod still knows all of them."""


@dataclass(frozen=True, slots=True)
class Control:
    """One hardening: `settings` is a frozen dataclass whose defaults are valid, `holds` are all reasons of its skips.

    `pss` is the level of the Pod Security Standards that asks for it, if any. A control of stage `opt-in` runs only
    where a policy names it, so that an upgrade never changes a cluster by surprise. Name and texts come from the file.
    """

    apply: Apply
    settings: type
    holds: tuple[str, ...]
    linux_only: bool = False
    pss: Literal["baseline", "restricted"] | None = None
    stage: Literal["default", "opt-in"] = "default"
    name: str = ""
    summary: str = ""
    why: str = ""
    changes: str = ""
    opt_out_when: str = ""

    @property
    def all_holds(self) -> tuple[str, ...]:
        return (*self.holds, ON_WINDOWS) if self.linux_only else self.holds
