"""What hardener answers to a review, and what the API server makes of it (semantics.md 6)."""

import json
from dataclasses import dataclass
from typing import Any

import jsonpatch

from hardener.admission import decode, encode, respond
from hardener.model import STANDALONE
from hardener.policy.reading import parse_config
from tests.admission.reviews import patch, request, response
from tests.pod_schema import check_pod
from tests.pods import TODAY

UID = "705ab4f5-6393-11e8-b7cc-42010a800002"
CONFIG = parse_config(
    """
    apiVersion: hardener.dev/v1
    kind: HardenerConfig
    policies:
      talkative: {warnings: changes}
    namespaces:
    - {names: [kube-system], policy: none}
    - {names: [talkative], policy: talkative}
    - {names: [watched], policy: observe}
    default: standard
    """,
    "config.yaml",
)


@dataclass(frozen=True)
class Reply:
    """One answer, as the API server reads it."""

    body: bytes
    response: dict[str, Any]
    operations: list[dict[str, Any]]
    pod: dict[str, Any] | None
    """The object with the patch in it."""


def send(obj: dict[str, Any] | None, **changes: Any) -> Reply:
    """Send one review, and hold what the API server demands of each answer.

    The uid is the request's, the patch applies and keeps a Pod a Pod, warnings are short single lines, and the audit
    annotations have plain keys. `changes` are fields of the request.
    """
    body = encode(respond(decode(request(obj, **changes)), CONFIG, STANDALONE, TODAY))
    answer = response(body)

    assert answer["uid"] == UID
    for warning in answer.get("warnings", []):
        assert len(warning) <= 120
        assert warning.isprintable()
    for key, value in answer.get("auditAnnotations", {}).items():
        assert len(key) <= 63
        assert key.replace("-", "").isalnum()
        assert isinstance(value, str)
    operations = patch(answer)
    pod = obj
    if operations:
        pod = jsonpatch.apply_patch(json.loads(json.dumps(obj)), operations)
        check_pod(pod)
    return Reply(body, answer, operations, pod)


def is_untouched(reply: Reply) -> bool:
    """Whether the answer lets the object through as it is, without a word."""
    return reply.response == {"uid": UID, "allowed": True}
