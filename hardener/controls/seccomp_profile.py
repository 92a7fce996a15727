"""Filter the system calls that a container may make.

Why: most break-outs use system calls that no ordinary program needs; without a profile all of them are open.
Changes: `securityContext.seccompProfile` becomes RuntimeDefault, or the policy's Localhost profile, on every container.
Opt out when: the program needs unusual system calls, as debuggers, some databases and nested sandboxes do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from hardener.model import Annotations, Container, Control, Facts, Finding, Pod, Skip, Value, Write

PATH = ("securityContext", "seccompProfile")
REASON = "unusual system calls are filtered"
REASON_OVERRIDE = "unusual system calls are filtered; the policy overrides the explicit Unconfined"

EXPLICIT = "seccompProfile is explicitly Unconfined"
POD_ANNOTATION = "the pod's old seccomp annotation asks for another profile"
CONTAINER_ANNOTATION = "the container's old seccomp annotation asks for another profile"
OPENSHIFT = "the pod's OpenShift SCC allows no seccomp profile"

UNCONFINED = "Unconfined"

_POD_KEY = "seccomp.security.alpha.kubernetes.io/pod"
_CONTAINER_KEY = "container.seccomp.security.alpha.kubernetes.io/"
_SCC_KEY = "openshift.io/scc"
_OLD_RUNTIME_DEFAULT = ("runtime/default", "docker/default")
_SCC_WITH_PROFILES = ("-v2", "-v3")


@dataclass(frozen=True, slots=True)
class Settings:
    """`localhostProfile` is a path below the kubelet's seccomp folder, given with type Localhost and only with it.

    `explicit`: keep leaves Unconfined alone, override replaces it; any other profile of the author's is kept.
    """

    explicit: Literal["keep", "override"] = "keep"
    type: Literal["RuntimeDefault", "Localhost"] = "RuntimeDefault"
    localhostProfile: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError where type and profile do not fit together (semantics.md 3.3)."""
        if (self.type == "Localhost") != bool(self.localhostProfile):
            raise ValueError("localhostProfile belongs to type Localhost: give both or neither")


def apply(pod: Pod, containers: Sequence[Container], settings: Settings, facts: Facts) -> Iterator[Finding]:
    """Set whole profiles only, never on the pod, where later debug containers would inherit it."""
    profile = settings.localhostProfile
    value: Value = {"type": settings.type, "localhostProfile": profile} if profile else {"type": settings.type}
    annotations = pod.annotations
    pod_hold = _pod_hold(pod, settings) if annotations else None
    for container in containers:
        explicit = container.seccomp_profile
        if explicit is not None and explicit.type != UNCONFINED:
            continue
        if explicit is not None and settings.explicit == "keep":
            yield Skip(container, EXPLICIT)
        elif pod_hold is not None:
            yield Skip(container, pod_hold)
        elif annotations and _clashes(annotations, _CONTAINER_KEY + container.name, settings):
            yield Skip(container, CONTAINER_ANNOTATION)
        else:
            yield Write(container, PATH, value, REASON if explicit is None else REASON_OVERRIDE)


def _pod_hold(pod: Pod, settings: Settings) -> str | None:
    if _clashes(pod.annotations, _POD_KEY, settings):
        return POD_ANNOTATION
    scc = pod.annotations.get(_SCC_KEY)
    if scc and scc != "privileged" and not scc.endswith(_SCC_WITH_PROFILES):
        return OPENSHIFT
    return None


def _clashes(annotations: Annotations, key: str, settings: Settings) -> bool:
    """The annotations do nothing since 1.27, and still make the API server refuse another field (semantics.md 3.3)."""
    if key not in annotations:
        return False
    if settings.localhostProfile:
        return annotations[key] != f"localhost/{settings.localhostProfile}"
    return annotations[key] not in _OLD_RUNTIME_DEFAULT


CONTROL = Control(
    apply,
    Settings,
    holds=(EXPLICIT, POD_ANNOTATION, CONTAINER_ANNOTATION, OPENSHIFT),
    linux_only=True,
    pss="restricted",
)
