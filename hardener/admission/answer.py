"""Answer -> AdmissionReview bytes."""

from enum import StrEnum

import msgspec
import orjson

from hardener.admission.review import API_VERSION, KIND
from hardener.model import Outcome
from hardener.patch import Operation
from hardener.policy.config import Doubt
from hardener.policy.policy import Policy


class Result(StrEnum):
    """What became of a review; a metric label."""

    PATCHED = "patched"
    ANNOUNCED = "announced"
    UNCHANGED = "unchanged"
    EXEMPT = "exempt"
    IGNORED = "ignored"
    MISFIT = "misfit"
    FAILED = "failed"
    DENIED = "denied"


class Answer(msgspec.Struct, frozen=True, eq=False, gc=False):
    """The answer to one review, with what metrics and log say about it.

    `announced` is the patch of a dry run; `message` is for a refusal only; `error` is set where the engine as a whole
    failed.
    """

    uid: str
    result: Result
    operations: list[Operation] = []
    warnings: list[str] = []
    audit: dict[str, str] = {}
    announced: list[Operation] = []
    message: str = ""
    policy: Policy | None = None
    doubt: Doubt | None = None
    outcome: Outcome | None = None
    error: Exception | None = None

    @property
    def allowed(self) -> bool:
        return self.result is not Result.DENIED


class _Status(msgspec.Struct, gc=False):
    code: int
    message: str


class _Response(msgspec.Struct, rename="camel", omit_defaults=True, gc=False):
    """The response of a review, in the order in which it is written; JSON holds bytes in base64, as Go does."""

    uid: str
    allowed: bool
    patch_type: str = ""
    patch: bytes = b""
    warnings: list[str] = []
    audit_annotations: dict[str, str] = {}
    status: _Status | None = None


class _Envelope(msgspec.Struct, rename="camel", gc=False):
    api_version: str
    kind: str
    response: object


_ENCODER = msgspec.json.Encoder()


def encode(answer: Answer) -> bytes:
    """Write the AdmissionReview; patch and patchType stand together or not at all (semantics.md 6.1)."""
    operations, message = answer.operations, answer.message
    return review_with(
        _Response(
            answer.uid,
            answer.result is not Result.DENIED,
            "JSONPatch" if operations else "",
            orjson.dumps(operations) if operations else b"",
            answer.warnings,
            answer.audit,
            _Status(500, message) if message else None,
        )
    )


def review_with(response: object) -> bytes:
    """Put a response into its envelope."""
    return _ENCODER.encode(_Envelope(API_VERSION, KIND, response))
