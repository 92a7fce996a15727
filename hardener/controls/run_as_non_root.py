"""Refuse to start a container as root.

Why: a process that is root inside a container is root outside as soon as it finds a way out.
Changes: `securityContext.runAsNonRoot: true` on every container that nothing says runs as root; the kubelet then refuses
    to start an image whose user is root. As with all fields that are set on containers, those of a later `kubectl debug`
    do not get it.
Opt out when: the image starts as root and changes its user by itself, or names its user instead of giving a number.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from hardener.model import Container, Control, Facts, Finding, Pod, Skip, Write

PATH = ("securityContext", "runAsNonRoot")
REASON = "the kubelet refuses to start it as root"
REASON_OVERRIDE = "the kubelet refuses to start it as root; the policy overrides the explicit false"

EXPLICIT = "runAsNonRoot is explicitly false"
ROOT_USER = "runAsUser is 0"
PRIVILEGED = "the container is privileged"
USER_NAMESPACE = "hostUsers is false: root in the pod is nobody on the node"
HOST_AGENT = "the container works on the host (hostPath, hostPID or hostIPC)"
UNKNOWN_IMAGE = "nothing says which user the image runs as"


@dataclass(frozen=True, slots=True)
class Settings:
    """`explicit`: keep leaves an explicit false alone, override writes true on the container, over a false on the pod too.

    `unknownImage`: where nothing says which user the image has, set trusts that it is not root, hold does not.
    """

    explicit: Literal["keep", "override"] = "keep"
    hostAgents: Literal["hold", "harden"] = "hold"
    unknownImage: Literal["set", "hold"] = "set"


def apply(pod: Pod, containers: Sequence[Container], settings: Settings, facts: Facts) -> Iterator[Finding]:
    """Decide per container: on the pod it would reach sidecars and debug containers that come later (semantics.md 4.1)."""
    for container in containers:
        explicit = container.run_as_non_root
        if explicit is True:
            continue
        kept = explicit is False and settings.explicit == "keep"
        hold = EXPLICIT if kept else _hold(pod, container, settings)
        if hold:
            yield Skip(container, hold)
        else:
            yield Write(container, PATH, True, REASON if explicit is None else REASON_OVERRIDE)


def _hold(pod: Pod, container: Container, settings: Settings) -> str | None:
    user = container.run_as_user
    if container.privileged:
        return PRIVILEGED
    if user == 0:
        return ROOT_USER
    if pod.spec.hostUsers is False:
        return USER_NAMESPACE
    if container.host_agent and settings.hostAgents == "hold":
        return HOST_AGENT
    if user is None and settings.unknownImage == "hold":
        return UNKNOWN_IMAGE
    return None


CONTROL = Control(
    apply,
    Settings,
    holds=(EXPLICIT, ROOT_USER, PRIVILEGED, USER_NAMESPACE, HOST_AGENT, UNKNOWN_IMAGE),
    linux_only=True,
    pss="restricted",
)
