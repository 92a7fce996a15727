"""What containers ask for, and what a pod asks for in all."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

from hardener.model.pod import Container, Pod
from hardener.model.quantity import EXACT, parse_quantity

QOS_RESOURCES = ("cpu", "memory")
"""The resources that decide a pod's quality-of-service class."""

Amount = Callable[[Container], Decimal | None]
"""What one container asks for of one resource; None where it asks for nothing."""


def named(container: Container) -> Collection[str]:
    """The resources that a container names in its requests or its limits."""
    resources = container.manifest.resources
    if resources is None or not (resources.requests or resources.limits):
        return ()
    return {*(resources.requests or ()), *(resources.limits or ())}


def request_of(container: Container, resource: str) -> Decimal | None:
    """The request that the API server sees: the limit where only a limit is named (semantics.md 2.1)."""
    resources = container.manifest.resources
    if resources is None:
        return None
    if resources.requests and resource in resources.requests:
        return parse_quantity(resources.requests[resource])
    return limit_of(container, resource)


def limit_of(container: Container, resource: str) -> Decimal | None:
    """The limit that the container names; raises QuantityError where it is no quantity."""
    resources = container.manifest.resources
    if resources is None or not resources.limits or resource not in resources.limits:
        return None
    return parse_quantity(resources.limits[resource])


@dataclass(slots=True)
class Addition:
    """What one container would be given of one resource that it does not name, as exact amounts."""

    container: Container
    resource: str
    request: Decimal | None
    limit: Decimal | None

    def __post_init__(self) -> None:
        """A limit alone becomes the request as well, as the API server copies it (semantics.md 2.1)."""
        if self.request is None:
            self.request = self.limit


def totals_with(pod: Pod, resource: str, additions: Iterable[Addition]) -> tuple[Decimal | None, Decimal | None]:
    """What the pod would ask for in all: its request and its limit of one resource."""
    given = {id(addition.container): addition for addition in additions if addition.resource == resource}

    def request(container: Container) -> Decimal | None:
        addition = given.get(id(container))
        return addition.request if addition else request_of(container, resource)

    def limit(container: Container) -> Decimal | None:
        addition = given.get(id(container))
        return addition.limit if addition else limit_of(container, resource)

    return _total(pod, request), _total(pod, limit)


def _total(pod: Pod, amount: Amount) -> Decimal | None:
    """The most of it at any time, or None where no container asks for any.

    App containers and sidecars run together; each init container runs beside the sidecars that started before it.
    Source: `PodRequests` in component-helpers/resource/helpers.go.
    """
    running = sidecars = highest_init = Decimal(0)
    asked = False
    for container in pod.containers:
        own = amount(container)
        asked = asked or own is not None
        own = own or Decimal(0)
        if container.field == "containers":
            running = EXACT.add(running, own)
        elif container.is_sidecar:
            running, sidecars = EXACT.add(running, own), EXACT.add(sidecars, own)
            highest_init = max(highest_init, sidecars)
        else:
            highest_init = max(highest_init, EXACT.add(sidecars, own))
    return max(running, highest_init) if asked else None


def is_best_effort(containers: Iterable[Container]) -> bool:
    """Say whether no container asks for any CPU or memory, zero counting as none."""
    return not any(
        request_of(container, resource) or limit_of(container, resource)
        for container in containers
        for resource in QOS_RESOURCES
    )
