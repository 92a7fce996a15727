"""AdmissionReview bytes -> Review: the one place that decodes what the API server sends.

The body is read once, into typed and partial structs; a wrong shape is found here and not in a control. What is not an
AdmissionReview is an error that becomes an HTTP status; a review whose object is merely not shaped like a Pod is kept,
since its uid is known and the API server itself will refuse the object (design.md 2).
"""

from typing import Generic, TypeVar

import msgspec
import orjson

from hardener.errors import ReviewError
from hardener.model import Pod, PodManifest
from hardener.wording import one_line

API_VERSION = "admission.k8s.io/v1"
KIND = "AdmissionReview"

SHOWN = 80
"""Characters that a refusal repeats of what a body calls itself."""

MOST_CONTAINERS = 16 * 1024
"""Containers of a pod that is looked at, so that the time for one request is bounded.

A container takes more than a hundred bytes in etcd, which stores no object above 1.5 MiB: a pod that has more is refused
after us, and needs no hardening.
"""

T = TypeVar("T")


class Review(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One request for admission.

    `namespace` is the request's, the only one to rely on; `name` is empty where the name is still to be generated
    (semantics.md 2.2). `pod` is None where the object is null or not shaped like a Pod; `misfit` then says what is wrong.
    """

    uid: str
    kind: str
    resource: str
    subresource: str
    operation: str
    namespace: str
    name: str
    generate_name: str
    username: str
    groups: list[str]
    dry_run: bool
    pod: Pod | None
    misfit: str

    @property
    def creates_pod(self) -> bool:
        """Everything else passes untouched: an UPDATE of a pod may change next to nothing (semantics.md 2.3)."""
        return self.resource == "pods" and self.operation == "CREATE" and not self.subresource


class WorkloadReview(msgspec.Struct, frozen=True, eq=False):
    """One request about an object that may hold a pod template; `old_manifest` is what it was before an update.

    Both are as JSON holds them, and null where the request has none.
    """

    uid: str
    api_version: str
    kind: str
    subresource: str
    operation: str
    namespace: str
    username: str
    manifest: object
    old_manifest: object


class _Kind(msgspec.Struct, frozen=True, gc=False):
    group: str = ""
    version: str = ""
    kind: str = ""


class _Resource(msgspec.Struct, frozen=True, gc=False):
    group: str = ""
    resource: str = ""


class _User(msgspec.Struct, frozen=True, gc=False):
    username: str = ""
    groups: list[str] | None = None


_NOBODY = _User()
_NO_KIND = _Kind()
_NO_RESOURCE = _Resource()


class _Request(msgspec.Struct, Generic[T], rename="camel", gc=False):
    uid: str
    object: T | None = None
    kind: _Kind = _NO_KIND
    resource: _Resource = _NO_RESOURCE
    sub_resource: str | None = None
    operation: str = ""
    namespace: str | None = None
    name: str | None = None
    user_info: _User = _NOBODY
    dry_run: bool | None = None


class _Envelope(msgspec.Struct, Generic[T], rename="camel", gc=False):
    api_version: str
    kind: str
    request: _Request[T]


class _WorkloadRequest(_Request[object], rename="camel", gc=False):
    old_object: object = None


class _WorkloadEnvelope(msgspec.Struct, rename="camel", gc=False):
    api_version: str
    kind: str
    request: _WorkloadRequest


_POD_DECODER = msgspec.json.Decoder(_Envelope[PodManifest])
_ANY_DECODER = msgspec.json.Decoder(_Envelope[object])
_WORKLOAD_DECODER = msgspec.json.Decoder(_WorkloadEnvelope)


def decode(body: bytes) -> Review:
    """Read an AdmissionReview; raises ReviewError with one line that says what is wrong with the body.

    Strict about JSON where Go is lenient: invalid UTF-8, lone surrogates, NaN and nesting too deep are all refused,
    since the API server sends none of them.
    """
    try:
        _check_text(body)
        envelope = _POD_DECODER.decode(body)
    except msgspec.ValidationError as error:
        return _without_pod(body, str(error).replace("$.request.object.", ""))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReviewError(f"the body is not JSON: {_reason(body, error)}") from error
    manifest = envelope.request.object
    if manifest is None:
        return _review(envelope, "", None, "")
    generate_name = (manifest.metadata.generateName if manifest.metadata else None) or ""
    spec = manifest.spec
    count = len(spec.containers or ()) + len(spec.initContainers or ()) if spec else 0
    misfit = crowding(count)
    return _review(envelope, generate_name, None if misfit else Pod(manifest), misfit)


def crowding(count: int) -> str:
    """Say that a pod has more containers than are looked at; empty where it has not."""
    return f"it has {count} containers, more than etcd can store" if count > MOST_CONTAINERS else ""


def decode_workload(body: bytes) -> WorkloadReview:
    """Read an AdmissionReview about any kind of object; raises ReviewError as `decode` does."""
    try:
        _check_text(body)
        envelope = _WORKLOAD_DECODER.decode(body)
    except msgspec.ValidationError as error:
        raise ReviewError(f"the body is not an {KIND}: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReviewError(f"the body is not JSON: {_reason(body, error)}") from error
    request = envelope.request
    _check_header(envelope.api_version, envelope.kind, request.uid)
    kind = request.kind
    return WorkloadReview(
        request.uid,
        f"{kind.group}/{kind.version}" if kind.group else kind.version,
        kind.kind,
        request.sub_resource or "",
        request.operation,
        request.namespace or "",
        request.user_info.username,
        request.object,
        request.old_object,
    )


def _check_text(body: bytes) -> None:
    """Raise UnicodeDecodeError for what the decoder would not see, since it does not look into what it skips."""
    if not body.isascii():
        body.decode()


def _without_pod(body: bytes, misfit: str) -> Review:
    try:
        envelope = _ANY_DECODER.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ReviewError(f"the body is not an {KIND}: {error}") from error
    return _review(envelope, "", None, misfit)


def _review(envelope: _Envelope[T], generate_name: str, pod: Pod | None, misfit: str) -> Review:
    request = envelope.request
    _check_header(envelope.api_version, envelope.kind, request.uid)
    resource = request.resource
    return Review(
        request.uid,
        request.kind.kind,
        f"{resource.group}/{resource.resource}" if resource.group else resource.resource,
        request.sub_resource or "",
        request.operation,
        request.namespace or "",
        request.name or "",
        generate_name,
        request.user_info.username,
        request.user_info.groups or [],
        request.dry_run is True,
        pod,
        misfit,
    )


def _check_header(api_version: str, kind: str, uid: str) -> None:
    if api_version != API_VERSION or kind != KIND:
        raise ReviewError(f"the body is {one_line(f'{kind} {api_version}', SHOWN)}, not {KIND} {API_VERSION}")
    if not uid:
        raise ReviewError(f"the {KIND} has no request.uid")


def _reason(body: bytes, error: Exception) -> str:
    """The clearer of two decoders' messages: the fast one calls a lone surrogate a truncation."""
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError as clearer:
        return str(clearer)
    return str(error)
