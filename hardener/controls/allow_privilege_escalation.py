"""Forbid that a process gains more privileges than its parent.

Why: without it a setuid binary in the image turns any user into root.
Changes: `securityContext.allowPrivilegeEscalation: false` on every container, which sets `no_new_privs`.
Opt out when: the image needs sudo, ping with file capabilities, or another setuid binary; most of these need
    `capabilities` as well.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from hardener.model import ALL_CAPABILITIES, Container, Control, Facts, Finding, Pod, Skip, Write

PATH = ("securityContext", "allowPrivilegeEscalation")
REASON = "setuid binaries gain nothing"
REASON_OVERRIDE = "setuid binaries gain nothing; the policy overrides the explicit true"

EXPLICIT = "allowPrivilegeEscalation is explicitly true"
PRIVILEGED = "the container is privileged"
ADDS_SYS_ADMIN = "the container adds SYS_ADMIN or ALL capabilities"

_ALWAYS_ESCALATES = frozenset({"SYS_ADMIN", ALL_CAPABILITIES})


@dataclass(frozen=True, slots=True)
class Settings:
    """`explicit`: keep leaves an explicit true alone, override replaces it."""

    explicit: Literal["keep", "override"] = "keep"


def apply(pod: Pod, containers: Sequence[Container], settings: Settings, facts: Facts) -> Iterator[Finding]:
    """Hold where the API server refuses `false`, and where it means nothing (semantics.md 3.1)."""
    for container in containers:
        explicit = container.security.allowPrivilegeEscalation
        if explicit is False:
            continue
        if explicit is True and settings.explicit == "keep":
            yield Skip(container, EXPLICIT)
        elif container.privileged:
            yield Skip(container, PRIVILEGED)
        elif not _ALWAYS_ESCALATES.isdisjoint(container.added_capabilities):
            yield Skip(container, ADDS_SYS_ADMIN)
        else:
            yield Write(container, PATH, False, REASON_OVERRIDE if explicit else REASON)


CONTROL = Control(apply, Settings, holds=(EXPLICIT, PRIVILEGED, ADDS_SYS_ADMIN), linux_only=True, pss="restricted")
