"""Whatever bytes come: a ReviewError, or a review whose answer the API server can use."""

import json
from base64 import b64decode

from hypothesis import given
from hypothesis import strategies as st

from hardener.admission import Answer, Result, Review, decode, encode, respond
from hardener.errors import ReviewError
from hardener.model import STANDALONE
from tests.admission.reviews import request, response
from tests.admission_chain import MIRROR, admitted, passed, review
from tests.pods import TODAY, overriding, run
from tests.promises import broken
from tests.properties.pods import pods
from tests.properties.policies import configuration, exemptions, policies
from tests.provenance import stripped, without_provenance

USUAL = configuration({})

texts = st.text(st.characters(codec="utf-8"), max_size=8)
numbers = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | texts
keys = (
    st.sampled_from(
        [
            "apiVersion",
            "kind",
            "request",
            "uid",
            "object",
            "spec",
            "containers",
            "metadata",
            "securityContext",
            "name",
            "volumes",
        ]
    )
    | texts
)
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
)


def answered(body: bytes) -> Answer | None:
    """Send the bytes through admission, and hold the answer to the protocol (semantics.md 6); None for a refusal."""
    try:
        got = decode(body)
    except ReviewError as error:
        refusal = error
    else:
        return _answered(got)
    assert refusal.status == 400
    assert str(refusal)
    return None


def _answered(got: Review) -> Answer:
    assert got.uid
    answer = respond(got, USUAL, STANDALONE, TODAY)
    sent = response(encode(answer))
    assert sent["uid"] == got.uid
    assert sent["allowed"] is True
    for warning in sent.get("warnings", []):
        assert len(warning) <= 120, warning
        assert warning.isprintable(), warning
    assert len(sent.get("warnings", [])) <= 5
    for key, value in sent.get("auditAnnotations", {}).items():
        assert "/" not in key
        assert isinstance(value, str)
    return answer


@given(st.binary(max_size=200))
def test_random_bytes_are_refused(body):
    assert answered(body) is None


@given(documents)
def test_random_json_is_refused_unless_it_is_a_review(document):
    body = json.dumps(document).encode()

    assert answered(body) is None or isinstance(document, dict)


@given(documents)
def test_a_review_of_a_random_object_is_answered(document):
    answer = answered(request(document))

    assert answer is not None
    assert answer.result is not Result.FAILED


@given(pods, st.data())
def test_a_review_that_was_tampered_with_is_refused_or_answered(pod, data):
    document = json.loads(review(admitted(pod)))
    for _ in range(data.draw(st.integers(1, 3))):
        parent, key = data.draw(st.sampled_from(_places(document)))
        parent[key] = data.draw(documents)
    answer = answered(json.dumps(document).encode())

    assert answer is None or answer.result is not Result.FAILED


@given(pods, st.data())
def test_a_review_with_a_byte_changed_is_refused_or_answered(pod, data):
    body = bytearray(review(admitted(pod)))
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    answer = answered(bytes(body))

    assert answer is None or answer.result is not Result.FAILED


@given(pods, policies, exemptions)
def test_the_bytes_carry_what_the_engine_decided(pod, policy, exempt):
    config = configuration(policy, exempt)
    before = admitted(pod)
    hardened = run(before, config.default)
    answer, after = passed(before, config)

    assert stripped(answer.operations) == hardened.operations
    assert without_provenance(after) == without_provenance(hardened.after)
    assert broken(before, after, overriding(config.default)) == []


@given(
    pods,
    st.sampled_from(["UPDATE", "DELETE", "CONNECT", "CREATE"]),
    st.sampled_from([None, "status", "resize", "exec"]),
)
def test_nothing_but_the_creation_of_a_pod_is_patched(pod, operation, subresource):
    body = review(admitted(pod), operation=operation, subResource=subresource)
    answer = answered(body)

    assert answer is not None
    if (operation, subresource) != ("CREATE", None):
        assert (answer.result, answer.operations) == (Result.IGNORED, [])


@given(pods)
def test_a_mirror_pod_is_left_alone(pod):
    before = admitted(pod)
    before["metadata"]["annotations"] = {**(before["metadata"].get("annotations") or {}), MIRROR: "hash"}
    sent = json.loads(encode(answered(review(before))))

    assert set(sent["response"]) == {"uid", "allowed"}


@given(pods, st.booleans())
def test_a_server_side_dry_run_gets_the_same_patch(pod, dry_run):
    before = admitted(pod)
    answers = [
        json.loads(encode(answered(review(before, dryRun=flag))))["response"].get("patch", "")
        for flag in (dry_run, True)
    ]

    assert b64decode(answers[0]) == b64decode(answers[1])


def _places(document):
    """Every place in a document that can be written to."""
    found = []
    if isinstance(document, dict):
        found = [(document, key) for key in document]
    elif isinstance(document, list):
        found = [(document, index) for index in range(len(document))]
    return found + [place for parent, key in found for place in _places(parent[key])]
