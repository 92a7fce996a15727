"""Answer -> AdmissionReview bytes."""

from binascii import b2a_base64
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


def encode(answer: Answer) -> bytes:
    """Write the AdmissionReview; patch and patchType stand together or not at all (semantics.md 6.1)."""
    response: dict[str, object] = {"uid": answer.uid, "allowed": answer.allowed}
    if answer.operations:
        response["patchType"] = "JSONPatch"
        response["patch"] = b2a_base64(orjson.dumps(answer.operations), newline=False).decode("ascii")
    if answer.warnings:
        response["warnings"] = answer.warnings
    if answer.audit:
        response["auditAnnotations"] = answer.audit
    if answer.message:
        response["status"] = {"code": 500, "message": answer.message}
    return review_with(response)


def review_with(response: dict[str, object]) -> bytes:
    """Put a response into its envelope."""
    return orjson.dumps({"apiVersion": API_VERSION, "kind": KIND, "response": response})
