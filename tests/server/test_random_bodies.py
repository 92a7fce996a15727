"""Random bytes and random JSON: a 400, or a valid review with the uid that was sent."""

import asyncio
import base64
import copy
import http.client
import io
import json
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardener.server.log import Log
from hardener.server.running import Options, Server
from tests.server.serving import JSON, POD, review, trust

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)

FULL_POD = {
    **POD,
    "metadata": {"name": "web", "annotations": {"hardener.dev/opt-out": "resources"}},
    "spec": {
        "volumes": [{"name": "data", "emptyDir": {}}],
        "securityContext": {"runAsUser": 1000},
        "containers": [
            {
                "name": "app",
                "securityContext": {"capabilities": {"add": ["NET_ADMIN"]}},
                "resources": {"limits": {"cpu": "1"}},
                "volumeMounts": [{"name": "data", "mountPath": "/data"}],
            }
        ],
    },
}


def places(value, path=()):
    """The path of every value in a document."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))


REVIEW = review(pod=FULL_POD)
PLACES = [path for path in places(REVIEW) if path]


def replaced(path, value):
    document = copy.deepcopy(REVIEW)
    target = document
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    return document


@pytest.fixture(scope="module")
def post():
    """Posts a body to a server that runs in a thread of its own."""
    ready, ended = threading.Event(), None
    found = {}

    async def run():
        nonlocal ended
        async with Server(Options(), Log(io.BytesIO())) as server:
            found["port"], found["trust"] = server.port, trust(server.certificate_pem)
            ended, found["loop"] = asyncio.Event(), asyncio.get_running_loop()
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=[run()])
    thread.start()
    assert ready.wait(20)
    connection = http.client.HTTPSConnection("localhost", found["port"], context=found["trust"], timeout=20)

    def send(body):
        connection.request("POST", "/mutate", body, JSON)
        answer = connection.getresponse()
        return answer.status, answer.read()

    yield send
    connection.close()
    found["loop"].call_soon_threadsafe(ended.set)
    thread.join(20)


def hold(status, answer, uid):
    """What holds for every answer."""
    if status == 400:
        assert answer.endswith(b"\n")
        assert answer.count(b"\n") == 1
        return
    assert status == 200
    document = json.loads(answer)
    response = document["response"]
    assert (document["apiVersion"], document["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    assert response["uid"] == uid
    assert response["allowed"] is True
    assert ("patch" in response) == ("patchType" in response)
    if "patch" in response:
        assert response["patchType"] == "JSONPatch"
        assert json.loads(base64.b64decode(response["patch"]))
    assert not any("internal error" in warning for warning in response.get("warnings", []))


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=200))
def test_random_bytes_are_a_400(post, body):
    status, answer = post(body)
    hold(status, answer, None)
    assert status == 400


@settings(max_examples=150, deadline=None)
@given(value=values)
def test_random_json_is_a_400(post, value):
    status, answer = post(json.dumps(value).encode())
    hold(status, answer, None)
    assert status == 400


@settings(max_examples=300, deadline=None)
@given(path=st.sampled_from(PLACES), value=values)
def test_a_review_with_a_random_value_anywhere_is_a_400_or_is_answered(post, path, value):
    document = replaced(path, value)
    status, answer = post(json.dumps(document).encode())
    request = document["request"]
    hold(status, answer, request.get("uid") if isinstance(request, dict) else None)


@settings(max_examples=150, deadline=None)
@given(place=st.integers(0, 10**6), byte=st.binary(min_size=1, max_size=3))
def test_a_review_with_random_bytes_in_it_is_a_400_or_is_answered(post, place, byte):
    whole = json.dumps(REVIEW).encode()
    at = place % len(whole)
    body = whole[:at] + byte + whole[at + len(byte) :]
    status, answer = post(body)
    uid = None
    if status == 200:
        uid = json.loads(body)["request"]["uid"]
    hold(status, answer, uid)
