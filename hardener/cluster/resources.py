"""The four resources that are watched, and how an object of each becomes the row that is kept of it.

Little is kept of little: of all service accounts only those that ask for their token, and texts and amounts that very
many namespaces repeat are one object.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Generic, TypeVar

import msgspec

from hardener.cluster.objects import (
    LimitRangeObject,
    NamespaceObject,
    Object,
    Quantities,
    ResourceQuotaObject,
    ServiceAccountObject,
    position_of,
)
from hardener.errors import QuantityError
from hardener.model import LimitRange, Quota, parse_quantity
from hardener.model.demand import QOS_RESOURCES
from hardener.model.manifest import QuantityValue

Labels = dict[str, str]
"""Never changed once it is a row."""

Limits = tuple[LimitRange, ...]

Item = TypeVar("Item", bound=Object)
Row = TypeVar("Row")

LIMITED_TYPES = ("Container", "Pod")
"""The LimitRange types that concern pods; PersistentVolumeClaim does not."""

EPHEMERAL_STORAGE = "ephemeral-storage"
ENDLESS = Decimal("Infinity")

REFUSES_ALL: Limits = (LimitRange("Pod", min=dict.fromkeys((*QOS_RESOURCES, EPHEMERAL_STORAGE), ENDLESS)),)
"""What stands for a LimitRange that cannot be read: no default of ours passes it, so that none is given."""

COUNTS_ALL = Quota(frozenset({"NotBestEffort"}), frozenset({EPHEMERAL_STORAGE}))
"""What stands for a ResourceQuota that cannot be read: it keeps every default back that any quota would."""

_ANY = msgspec.json.Decoder(Object)


@dataclass(frozen=True, slots=True)
class Found(Generic[Row]):
    """One object that was read; `row` is None where it says nothing that is kept.

    `problem` says what is wrong with an object that does not have the shape of its kind; its row is then a stand-in, the
    one that holds most back.
    """

    namespace: str
    name: str
    position: int
    row: Row | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Resource(Generic[Row]):
    """One resource of the API server's core group: its plural, and how an object of it becomes a row.

    `read` raises msgspec.MsgspecError where not even an object's name and version can be read.
    """

    name: str
    read: Callable[[msgspec.Raw | bytes], Found[Row]]

    @property
    def path(self) -> str:
        return f"/api/v1/{self.name}"


def _reader(
    shape: type[Item], row: Callable[[Item], Row | None], unread: Row | None
) -> Callable[[msgspec.Raw | bytes], Found[Row]]:
    decoder = msgspec.json.Decoder(shape)

    def read(raw: msgspec.Raw | bytes) -> Found[Row]:
        any_item: Object
        problem = ""
        try:
            any_item = item = decoder.decode(raw)
            found = row(item)
        except (msgspec.ValidationError, QuantityError) as error:
            any_item, found, problem = _ANY.decode(raw), unread, str(error)
        metadata = any_item.metadata
        position = position_of(metadata.resource_version)
        return Found(metadata.namespace or metadata.name, metadata.name, position, found, problem)

    return read


def _labels(item: NamespaceObject) -> Labels:
    name = item.metadata.name
    # Kubernetes itself gives every namespace a label with its name.
    return {
        _shared(key): name if value == name else _shared(value) for key, value in (item.metadata.labels or {}).items()
    }


def _limits(item: LimitRangeObject) -> Limits | None:
    ranges = tuple(
        LimitRange(limit.type, _amounts(limit.min), _amounts(limit.max), _amounts(limit.max_limit_request_ratio))
        for limit in item.spec.limits or ()
        if limit.type in LIMITED_TYPES
    )
    return ranges or None


def _quota(item: ResourceQuotaObject) -> Quota:
    spec = item.spec
    selector = spec.scope_selector
    selected = [rule.scope_name for rule in (selector.match_expressions if selector else None) or ()]
    return Quota(frozenset(map(_shared, (*(spec.scopes or ()), *selected))), frozenset(map(_shared, spec.hard or ())))


def _wants_token(item: ServiceAccountObject) -> bool | None:
    return True if item.automount_service_account_token else None


def _amounts(table: Quantities | None) -> dict[str, Decimal]:
    return {_shared(name): _amount(value) for name, value in (table or {}).items()}


@lru_cache(maxsize=4096)
def _shared(text: str) -> str:
    return text


@lru_cache(maxsize=1024)
def _amount(value: QuantityValue) -> Decimal:
    return parse_quantity(value)


NAMESPACES: Resource[Labels] = Resource("namespaces", _reader(NamespaceObject, _labels, None))
LIMIT_RANGES: Resource[Limits] = Resource("limitranges", _reader(LimitRangeObject, _limits, REFUSES_ALL))
RESOURCE_QUOTAS: Resource[Quota] = Resource("resourcequotas", _reader(ResourceQuotaObject, _quota, COUNTS_ALL))
SERVICE_ACCOUNTS: Resource[bool] = Resource("serviceaccounts", _reader(ServiceAccountObject, _wants_token, True))
