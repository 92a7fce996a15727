"""Pod and Container: views that answer what the checks ask, and the words for what they find."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hardener.pss.manifest import ContainerManifest, PodManifest, PodSecurityContext, PodSpec, Security, SecurityContext

WINDOWS = "windows"
THE_POD = "the pod"
UNNAMED = "(unnamed)"

_CONFINED = frozenset({"RuntimeDefault", "Localhost"})


@dataclass(frozen=True, slots=True, eq=False)
class Container:
    """Any container of a pod: one for debugging is judged as all others are."""

    name: str
    manifest: ContainerManifest
    security: SecurityContext

    @property
    def added_capabilities(self) -> frozenset[str]:
        """As they are spelt, since only one spelling of each is allowed; null is the empty name."""
        capabilities = self.security.capabilities
        return frozenset(name or "" for name in capabilities.add or ()) if capabilities is not None else frozenset()

    @property
    def dropped_capabilities(self) -> frozenset[str]:
        capabilities = self.security.capabilities
        return frozenset(name or "" for name in capabilities.drop or ()) if capabilities is not None else frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Pod:
    """A pod or a pod template. `containers` holds the init containers first, then the others, those for debugging last."""

    annotations: Mapping[str, str | None]
    spec: PodSpec
    security: PodSecurityContext
    containers: tuple[Container, ...]

    @property
    def is_windows(self) -> bool:
        """The field alone counts, unlike for controls: what a node selector says is no promise of the API server's."""
        return self.spec.os is not None and self.spec.os.name == WINDOWS

    @property
    def has_user_namespace(self) -> bool:
        """Whether root in the pod is nobody on the node; since 1.35 this lets it do more (KEP-127)."""
        return self.spec.hostUsers is False

    def places(self, is_meant: Callable[[Security], bool]) -> "list[Pod | Container]":
        """The pod and the containers whose own security context is meant, whatever the other level says."""
        at_all: list[Pod | Container] = [self, *self.containers]
        return [at for at in at_all if is_meant(at.security)]

    def unmasked(self) -> list[Container]:
        """The containers that ask for a /proc without its masks."""
        return [container for container in self.containers if container.security.procMount not in (None, "Default")]


def view(manifest: PodManifest) -> Pod:
    """What is absent or null becomes empty."""
    spec = manifest.spec or PodSpec()
    lists = (spec.initContainers, spec.containers, spec.ephemeralContainers)
    return Pod(
        (manifest.metadata.annotations if manifest.metadata else None) or {},
        spec,
        spec.securityContext or PodSecurityContext(),
        tuple(
            Container(container.name or UNNAMED, container, container.securityContext or SecurityContext())
            for containers in lists
            for container in containers or ()
        ),
    )


def adding_beyond(pod: Pod, allowed: frozenset[str]) -> Iterator[str]:
    """Complain about capabilities that containers add and that are not among the allowed ones."""
    adding = [container for container in pod.containers if container.added_capabilities - allowed]
    names = sorted({name or '""' for container in adding for name in container.added_capabilities - allowed})
    if adding:
        yield f"{listed(adding)} must not have {', '.join(names)} in securityContext.capabilities.add"


def is_confined(profile_type: str | None) -> bool:
    """Whether a profile of seccomp or AppArmor is one that confines."""
    return profile_type in _CONFINED


def is_unconfined(security: Security) -> bool:
    """Whether the seccomp profile is there and confines nothing."""
    return security.seccompProfile is not None and not is_confined(security.seccompProfile.type)


def listed(places: Sequence[Pod | Container]) -> str:
    """`the pod`, `container app`, `the pod and containers app, proxy`."""
    names = [at.name for at in places if isinstance(at, Container)]
    parts = ([THE_POD] if len(names) < len(places) else []) + ([nouns("container", names)] if names else [])
    return " and ".join(parts)


def nouns(noun: str, names: Iterable[str]) -> str:
    """`volume data`, `volumes data, logs`."""
    names = list(names)
    return f"{noun}{'s' if len(names) > 1 else ''} {', '.join(names)}"
