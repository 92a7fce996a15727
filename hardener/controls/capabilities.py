"""Drop every Linux capability that a container did not ask for by name.

Why: the runtime's default set can still open raw sockets, change file owners and bind any port.
Changes: `securityContext.capabilities.drop` gains `ALL` on every container; what `add` names is kept.
Opt out when: the image starts as root and needs the default set, to change file owners or its own user.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from hardener.model import ALL_CAPABILITIES, Container, Control, Facts, Finding, Pod, Skip, Write

PATH = ("securityContext", "capabilities", "drop")
REASON = "only capabilities that it adds by name are left"

PRIVILEGED = "the container is privileged"
ADDS_ALL = "the container adds ALL capabilities"
HOST_AGENT = "the container works on the host (hostPath, hostPID or hostIPC)"
ROOT_CONTAINER = "the container runs as root (runAsUser 0)"


@dataclass(frozen=True, slots=True)
class Settings:
    """`rootContainers`: drop takes the capabilities from containers that run as root too, hold leaves these alone.

    `explicit` changes nothing here: what `add` names is never taken away, and there is nothing else that an author could
    have said against it.
    """

    explicit: Literal["keep", "override"] = "keep"
    hostAgents: Literal["hold", "harden"] = "hold"
    rootContainers: Literal["drop", "hold"] = "drop"


def apply(pod: Pod, containers: Sequence[Container], settings: Settings, facts: Facts) -> Iterator[Finding]:
    """Append the literal `ALL`, the only spelling that Pod Security accepts (semantics.md 5.2)."""
    for container in containers:
        capabilities = container.security.capabilities
        if capabilities is not None and capabilities.drop and ALL_CAPABILITIES in capabilities.drop:
            continue
        reason = _hold(container, settings)
        yield Skip(container, reason) if reason else Write(container, PATH, ALL_CAPABILITIES, REASON, "append")


def _hold(container: Container, settings: Settings) -> str | None:
    if container.privileged:
        return PRIVILEGED
    # The runtimes would take away what the author granted, without a word (semantics.md 4.2).
    if ALL_CAPABILITIES in container.added_capabilities:
        return ADDS_ALL
    if container.host_agent and settings.hostAgents == "hold":
        return HOST_AGENT
    if settings.rootContainers == "hold" and container.run_as_user == 0:
        return ROOT_CONTAINER
    return None


CONTROL = Control(
    apply,
    Settings,
    holds=(PRIVILEGED, ADDS_ALL, HOST_AGENT, ROOT_CONTAINER),
    linux_only=True,
    pss="restricted",
)
