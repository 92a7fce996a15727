"""Bytes -> Review: what is read, and what is refused with which words."""

import orjson
import pytest

from hardener.admission import decode
from hardener.admission.review import MOST_CONTAINERS
from hardener.errors import ReviewError
from tests.admission.reviews import POD, request


def test_a_request_is_read_with_what_identifies_it():
    review = decode(request(dryRun=True, name="web-1"))

    assert (review.uid, review.operation, review.resource) == ("705ab4f5-6393-11e8-b7cc-42010a800002", "CREATE", "pods")
    assert (review.namespace, review.name, review.generate_name) == ("shop", "web-1", "web-")
    assert (review.username, review.dry_run, review.subresource, review.kind) == ("alice", True, "", "Pod")
    assert review.pod is not None
    assert [container.name for container in review.pod.containers] == ["app"]


def test_a_resource_of_another_group_carries_its_group():
    review = decode(request(resource={"group": "metrics.k8s.io", "version": "v1", "resource": "pods"}))

    assert review.resource == "metrics.k8s.io/pods"


def test_what_may_be_absent_may_also_be_null():
    body = orjson.loads(request())
    for key in ("name", "subResource", "dryRun", "namespace"):
        body["request"][key] = None

    review = decode(orjson.dumps(body))

    assert (review.name, review.subresource, review.namespace, review.dry_run) == ("", "", "", False)


def test_a_null_object_is_no_pod_and_no_error():
    review = decode(request(None))

    assert review.pod is None
    assert review.misfit == ""


@pytest.mark.parametrize(
    ("spec", "where"),
    [
        ({"containers": [{"name": "app", "securityContext": {"runAsUser": "0"}}]}, "runAsUser"),
        ({"containers": {"name": "app"}}, "containers"),
        ({"volumes": ["data"]}, "volumes[0]"),
        ("none", "spec"),
    ],
)
def test_an_object_that_is_not_shaped_like_a_pod_is_kept_with_the_place_of_the_misfit(spec, where):
    review = decode(request({**POD, "spec": spec}))

    assert review.uid == "705ab4f5-6393-11e8-b7cc-42010a800002"
    assert review.pod is None
    assert where in review.misfit


NOT_JSON = {
    "nothing": (b"", "empty document"),
    "half an object": (b'{"kind": "AdmissionReview", "apiVer', "unexpected end of data"),
    "text after the end": (request() + b"x", "unexpected content"),
    "a byte order mark": (b"\xef\xbb\xbf" + request(), ""),
    "ten thousand levels in the object": (
        request().replace(b'"web:1"', b'"web:1","x":' + b"[" * 10_000 + b"]" * 10_000),
        "nested too deeply",
    ),
    "ten thousand levels around it": (b"[" * 10_000 + b"]" * 10_000, ""),
    "NaN": (request().replace(b'"web:1"', b'"web:1","x":NaN'), "expected a JSON value"),
    "infinity": (request().replace(b'"web:1"', b'"web:1","x":-Infinity'), ""),
    "a lone surrogate that is read": (request().replace(b"web-", b"\\ud800"), "surrogate"),
    "a lone surrogate that is skipped": (request().replace(b"web:1", b"\\udc00"), "surrogate"),
    "invalid UTF-8 that is read": (request().replace(b"web-", b"\xff\xfe"), "utf-8"),
    "invalid UTF-8 that is skipped": (
        request().replace(b'"web:1"', b'"web:1","unread":"\xff"'),
        "utf-8",
    ),
    "a raw newline in a string": (request().replace(b"web-", b"we\nb"), ""),
}


@pytest.mark.parametrize(("body", "reason"), NOT_JSON.values(), ids=NOT_JSON.keys())
def test_what_is_not_json_is_refused_with_one_line(body, reason):
    with pytest.raises(ReviewError) as raised:
        decode(body)

    message = str(raised.value)
    assert raised.value.status == 400
    assert message.startswith("the body is not")
    assert reason.lower() in message.lower()
    assert "\n" not in message


NOT_A_REVIEW = {
    "a list": b"[]",
    "a number": b"7",
    "null": b"null",
    "an empty object": b"{}",
    "a pod": orjson.dumps(POD),
    "no request": b'{"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"}',
    "a request without uid": request(uid=None),
    "a uid that is a number": request(uid=7),
    "an empty uid": request(uid=""),
    "the old version": request().replace(b"admission.k8s.io/v1", b"admission.k8s.io/v1beta1"),
    "another kind": request().replace(b'"AdmissionReview"', b'"ConversionReview"'),
    "an operation that is a list": request(operation=["CREATE"]),
}


@pytest.mark.parametrize("body", NOT_A_REVIEW.values(), ids=NOT_A_REVIEW.keys())
def test_json_that_is_no_review_is_refused_by_name(body):
    with pytest.raises(ReviewError, match=r"AdmissionReview"):
        decode(body)


def test_a_refusal_repeats_no_control_characters_and_no_more_than_a_line():
    body = request().replace(b'"AdmissionReview"', b'"Other\\u0000\\u000a' + b"x" * 1000 + b'"')

    with pytest.raises(ReviewError) as raised:
        decode(body)

    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 200


def test_a_pod_with_more_containers_than_etcd_can_store_is_not_looked_at():
    crowd = [{"name": f"app-{index}"} for index in range(MOST_CONTAINERS + 1)]

    review = decode(request({**POD, "spec": {"containers": crowd[:1], "initContainers": crowd[:-1]}}))

    assert review.pod is None
    assert review.misfit == f"it has {MOST_CONTAINERS + 1} containers, more than etcd can store"
    assert decode(request({**POD, "spec": {"containers": crowd[:-1]}})).pod is not None
