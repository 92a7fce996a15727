"""Objects of the API server as JSON, as far as anybody needs them: all other fields are skipped, not decoded."""

import msgspec

from hardener.model.manifest import QuantityValue

Quantities = dict[str, QuantityValue]


class _Struct(msgspec.Struct, gc=False, eq=False, rename="camel"):
    pass


class ObjectMeta(_Struct):
    """What every object has; `namespace` is empty for one of the whole cluster."""

    name: str
    resource_version: str
    namespace: str = ""


class Object(_Struct):
    """Any object."""

    metadata: ObjectMeta


class NamespaceMeta(ObjectMeta):
    """That of a namespace, with its labels."""

    labels: dict[str, str] | None = None


class NamespaceObject(Object):
    """A Namespace."""

    metadata: NamespaceMeta


class ServiceAccountObject(Object):
    """A ServiceAccount."""

    automount_service_account_token: bool | None = None


class LimitRangeItem(_Struct):
    """One of a LimitRange's `limits`."""

    type: str = ""
    min: Quantities | None = None
    max: Quantities | None = None
    max_limit_request_ratio: Quantities | None = None


class LimitRangeSpec(_Struct):
    """That of a LimitRange."""

    limits: list[LimitRangeItem] | None = None


class LimitRangeObject(Object):
    """A LimitRange."""

    spec: LimitRangeSpec = msgspec.field(default_factory=LimitRangeSpec)


class ScopeRequirement(_Struct):
    """One expression of a `scopeSelector`."""

    scope_name: str


class ScopeSelector(_Struct):
    """The newer way to name scopes."""

    match_expressions: list[ScopeRequirement] | None = None


class ResourceQuotaSpec(_Struct):
    """That of a ResourceQuota."""

    hard: Quantities | None = None
    scopes: list[str] | None = None
    scope_selector: ScopeSelector | None = None


class ResourceQuotaObject(Object):
    """A ResourceQuota."""

    spec: ResourceQuotaSpec = msgspec.field(default_factory=ResourceQuotaSpec)


class ListMeta(_Struct):
    """That of a page; `rest` is the token with which the next page is asked for, empty on the last."""

    resource_version: str
    rest: str = msgspec.field(default="", name="continue")


class Page(_Struct):
    """One page of a list; `items` is null where Go had an empty list."""

    metadata: ListMeta
    items: list[msgspec.Raw] | None = None

    @property
    def position(self) -> int:
        """The resourceVersion at which the whole list was true; raises msgspec.ValidationError."""
        return position_of(self.metadata.resource_version)


class Event(_Struct):
    """One line of a watch: ADDED, MODIFIED, DELETED, BOOKMARK or ERROR, and an object, which is a Status for ERROR."""

    type: str
    object: msgspec.Raw


class Status(_Struct):
    """What the API server says where it does not do what was asked."""

    code: int = 0
    message: str = ""


class _BookmarkMeta(_Struct):
    resource_version: str


class _Bookmark(_Struct):
    metadata: _BookmarkMeta


PAGE = msgspec.json.Decoder(Page)
EVENT = msgspec.json.Decoder(Event)
STATUS = msgspec.json.Decoder(Status)
_BOOKMARK = msgspec.json.Decoder(_Bookmark)


def position_of(version: str) -> int:
    """A resourceVersion as a number: versions of one cluster can be compared (Kubernetes KEP-5504).

    Raises msgspec.ValidationError for anything else.
    """
    if not (version.isascii() and version.isdecimal()):
        raise msgspec.ValidationError(f"the resourceVersion {version[:40]!r} is not a whole number")
    return int(version)


def bookmark(raw: msgspec.Raw) -> int:
    """The position that a bookmark tells; raises msgspec.MsgspecError."""
    return position_of(_BOOKMARK.decode(raw).metadata.resource_version)
