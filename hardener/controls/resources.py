"""Give containers that name no resources a default request and limit.

Why: a container without requests is scheduled as if it needed nothing, and one without a memory limit can take the node.
Changes: `resources.requests` and `resources.limits` gain the policy's defaults, for each resource that a container names
    in neither.
Opt out when: the program needs more memory than the default limit, and nobody can say how much.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, DecimalException
from types import MappingProxyType

from hardener.errors import QuantityError
from hardener.model import Container, Control, Facts, Finding, Pod, Quota, Skip, Write, parse_quantity
from hardener.model.demand import QOS_RESOURCES, Addition, is_best_effort, named, totals_with

REASON_REQUEST = "it names none, so that the scheduler would count nothing"
REASON_LIMIT = "it names none, so that it could take what it wants"
REASON_QUOTA = "it names none, which a ResourceQuota of the namespace refuses"

UNKNOWN_NAMESPACE = "the namespace's limits and quotas are not known yet"
POD_LEVEL = "the pod sets resources for all its containers together"
DEVICES = "the container asks for devices: it gets requests but no limit"
LIMIT_RANGE = "the namespace's LimitRange would refuse the default"
QUOTA = "a ResourceQuota of the namespace would count the pod once it has requests"
UNREADABLE = "an amount that the pod names cannot be compared with the namespace's limits"
EPHEMERAL = "a limit on ephemeral-storage counts for the whole pod, and not all of its containers would get it"

EPHEMERAL_STORAGE = "ephemeral-storage"
KNOWN_RESOURCES = (*QOS_RESOURCES, EPHEMERAL_STORAGE)
SMALLEST_MEMORY_LIMIT = "16Mi"
"""Below about 12Mi some container runtimes refuse to start a container (semantics.md 4.7)."""

Defaults = Mapping[str, str]
Missing = tuple[Container, str]
"""A container and a resource that it does not name."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Quantities by resource: cpu, memory, ephemeral-storage."""

    requests: Defaults = field(default_factory=dict)
    limits: Defaults = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise ValueError or QuantityError for defaults that no container could run with."""
        for table_name, table in (("requests", self.requests), ("limits", self.limits)):
            for resource, value in table.items():
                if resource not in KNOWN_RESOURCES:
                    raise ValueError(f"{table_name}.{resource}: defaults exist for {', '.join(KNOWN_RESOURCES)} only")
                if parse_quantity(value) <= 0:
                    raise ValueError(f"{table_name}.{resource}: must be above zero; use null for no default")
            object.__setattr__(self, table_name, MappingProxyType({key: str(value) for key, value in table.items()}))
        for resource in self.requests.keys() & self.limits.keys():
            if parse_quantity(self.requests[resource]) > parse_quantity(self.limits[resource]):
                raise ValueError(f"requests.{resource}: is above limits.{resource}, which the API server refuses")
        if parse_quantity(self.limits.get("memory", SMALLEST_MEMORY_LIMIT)) < parse_quantity(SMALLEST_MEMORY_LIMIT):
            raise ValueError(
                f"limits.memory: must be at least {SMALLEST_MEMORY_LIMIT}, or container runtimes refuse to start"
            )


def apply(pod: Pod, containers: Sequence[Container], settings: Settings, facts: Facts) -> Iterator[Finding]:
    """Never touch a named amount, nor add the other half to it: who asked for 2Gi without a limit meant to burst."""
    requests, limits = settings.requests, settings.limits
    wanted = dict.fromkeys((*requests, *limits))
    missing: Sequence[Missing] = [
        (container, resource)
        for container in containers
        for present in (named(container),)
        for resource in wanted
        if resource not in present
    ]
    hold = _pod_hold(pod, facts)
    if hold:
        if missing:
            yield Skip(pod, hold)
        return
    on_devices = dict.fromkeys([container for container in containers if _uses_devices(container)])
    for container in on_devices:
        if _lacks_limit(container, settings):
            yield Skip(container, DEVICES)
    if missing and (facts.limit_ranges or facts.quotas):
        missing, held = _accepted(pod, missing, settings, facts)
        yield from held
    if EPHEMERAL_STORAGE in wanted and _is_partial(pod, missing):
        missing = [(container, resource) for container, resource in missing if resource != EPHEMERAL_STORAGE]
        yield Skip(pod, EPHEMERAL)
    quotas = facts.quotas
    for container, resource in missing:
        if resource in requests:
            demanded = quotas and _is_demanded(quotas, resource, f"requests.{resource}")
            reason = REASON_QUOTA if demanded else REASON_REQUEST
            yield Write(container, ("resources", "requests", resource), requests[resource], reason)
        if resource in limits and container not in on_devices:
            reason = REASON_QUOTA if quotas and _is_demanded(quotas, f"limits.{resource}") else REASON_LIMIT
            yield Write(container, ("resources", "limits", resource), limits[resource], reason)


def _pod_hold(pod: Pod, facts: Facts) -> str | None:
    whole = pod.spec.resources
    if whole is not None and (whole.requests or whole.limits):
        return POD_LEVEL
    return None if facts.known else UNKNOWN_NAMESPACE


def _is_partial(pod: Pod, missing: Sequence[Missing]) -> bool:
    """Whether only some would get a default: the kubelet evicts a pod by the sum of what is there (semantics.md 4.5)."""
    given = [container for container, resource in missing if resource == EPHEMERAL_STORAGE]
    return bool(given) and (len(given) < len(pod.containers) or any(map(_uses_devices, given)))


def _uses_devices(container: Container) -> bool:
    """What runs on devices is rarely bounded well by a default limit, and was measured by its author."""
    resources = container.manifest.resources
    if resources is None:
        return False
    names = named(container)
    return bool(resources.claims) or (bool(names) and any("/" in name for name in names))


def _lacks_limit(container: Container, settings: Settings) -> bool:
    """Asked of the limits alone, so that a second pass, which finds our requests, says the same as the first."""
    limits = container.manifest.resources.limits if container.manifest.resources else None
    return any(resource not in (limits or ()) for resource in settings.limits)


def _accepted(
    pod: Pod, missing: Sequence[Missing], settings: Settings, facts: Facts
) -> tuple[list[Missing], list[Skip]]:
    """Take out what LimitRanges and quotas would refuse (semantics.md 3.5, traps 56 to 58)."""
    additions = [
        Addition(
            container,
            resource,
            _amount(settings.requests.get(resource)),
            None if _uses_devices(container) else _amount(settings.limits.get(resource)),
        )
        for container, resource in missing
    ]
    refused = {resource: _pod_refusal(pod, resource, additions, facts) for _, resource in missing}
    accepted: list[Missing] = []
    held: dict[tuple[int, str], Skip] = {}
    for addition in additions:
        skip = refused[addition.resource] or _container_refusal(addition, facts)
        if skip is None:
            accepted.append((addition.container, addition.resource))
        else:
            held.setdefault((id(skip.at), skip.reason), skip)
    return accepted, list(held.values())


def _pod_refusal(pod: Pod, resource: str, additions: Sequence[Addition], facts: Facts) -> Skip | None:
    """What stands against any default for one resource in this pod."""
    try:
        if _changes_quota(pod, resource, facts):
            return Skip(pod, QUOTA)
        ranges = [limit_range for limit_range in facts.limit_ranges if limit_range.type == "Pod"]
        totals = totals_with(pod, resource, additions) if ranges else (None, None)
        if any(limit_range.refuses(resource, *totals) for limit_range in ranges):
            return Skip(pod, LIMIT_RANGE)
    except (QuantityError, DecimalException):
        return Skip(pod, UNREADABLE)
    return None


def _container_refusal(addition: Addition, facts: Facts) -> Skip | None:
    try:
        for limit_range in facts.limit_ranges:
            if limit_range.type == "Container" and limit_range.refuses(
                addition.resource, addition.request, addition.limit
            ):
                return Skip(addition.container, LIMIT_RANGE)
    except DecimalException:
        return Skip(addition.container, UNREADABLE)
    return None


def _is_demanded(quotas: Iterable[Quota], *names: str) -> bool:
    """Whether a quota refuses pods that do not name it (`PodEvaluator.Constraints` in pkg/quota/v1/evaluator/core)."""
    return any(not quota.hard.isdisjoint(names) for quota in quotas)


def _changes_quota(pod: Pod, resource: str, facts: Facts) -> bool:
    """A quota on CPU or memory has already refused a pod that names none; one on scopes or on storage has not."""
    if resource == EPHEMERAL_STORAGE:
        return any(name.endswith(EPHEMERAL_STORAGE) for quota in facts.quotas for name in quota.hard)
    return any(quota.counts_only_pods_with_requests for quota in facts.quotas) and is_best_effort(pod.containers)


def _amount(value: str | None) -> Decimal | None:
    return None if value is None else parse_quantity(value)


CONTROL = Control(
    apply,
    Settings,
    holds=(UNKNOWN_NAMESPACE, POD_LEVEL, DEVICES, LIMIT_RANGE, QUOTA, UNREADABLE, EPHEMERAL),
)
