"""Well-formed reviews: always a 200 with the uid, and a valid AdmissionReview."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import jsonpatch
import pytest

from hardener.model.pod import PROVENANCE
from hardener.policy.reading import embedded_config
from tests.pods import run
from tests.server.serving import JSON, POD, body, operations, padded

BY_THE_ENGINE = run(POD).after


async def hardened(webhook):
    """The pod with everything that the webhook sends."""
    return jsonpatch.apply_patch(POD, operations(await webhook.ask()))


async def test_a_pod_is_hardened_by_a_json_patch(webhook):
    answer = await webhook.ask(uid="705ab4f5-6393-11e8-b7cc-42010a800002")

    assert answer["apiVersion"] == "admission.k8s.io/v1"
    assert answer["kind"] == "AdmissionReview"
    assert answer["response"]["uid"] == "705ab4f5-6393-11e8-b7cc-42010a800002"
    assert answer["response"]["allowed"] is True
    assert answer["response"]["patchType"] == "JSONPatch"
    after = jsonpatch.apply_patch(POD, operations(answer))
    notes = {key: after["metadata"]["annotations"].pop(key, None) for key in PROVENANCE}
    assert after == BY_THE_ENGINE
    assert list(notes.values()) == [
        embedded_config().default.label,
        answer["response"]["auditAnnotations"]["applied"],
        None,
    ]
    assert webhook.count("hardener_reviews_total", policy="standard", result="patched") == 1


async def test_a_pod_that_is_hard_already_gets_neither_patch_nor_patch_type(webhook):
    response = (await webhook.ask(pod=await hardened(webhook)))["response"]

    assert response["allowed"] is True
    assert "patch" not in response
    assert "patchType" not in response


@pytest.mark.parametrize(
    "request_fields",
    [
        {"operation": "UPDATE"},
        {"operation": "DELETE", "object": None},
        {"operation": "CONNECT", "subResource": "exec", "object": {"kind": "PodExecOptions"}},
        {"subResource": "eviction", "object": {"kind": "Eviction"}},
        {"resource": {"group": "apps", "version": "v1", "resource": "deployments"}},
        {"object": None},
        {"object": []},
        {"object": "pod"},
        {"object": {"spec": {"containers": "many"}}},
        {"object": {"metadata": 7}},
        {"object": {"spec": {"containers": [None]}}},
        {"name": None},
        {"unknown": {"deep": [1, 2, {"er": None}]}},
    ],
    ids=json.dumps,
)
async def test_every_well_formed_review_is_allowed_with_its_uid(webhook, request_fields):
    answer = await webhook.ask(uid="u-7", **request_fields)

    assert answer["response"]["uid"] == "u-7"
    assert answer["response"]["allowed"] is True
    assert webhook.logged("internal error") == []


async def test_the_timeout_that_the_api_server_appends_does_not_matter(webhook):
    url = f"{webhook.server.mutate_url}?timeout=10s"
    async with webhook.client.post(url, data=body(), headers={"Content-Type": "application/json"}) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "application/json"


async def test_two_hundred_reviews_at_once_get_their_own_uids(webhook):
    uids = [f"uid-{number}" for number in range(200)]
    answers = await asyncio.gather(*(webhook.ask(uid=uid) for uid in uids))

    assert [answer["response"]["uid"] for answer in answers] == uids
    assert webhook.count("hardener_review_duration_seconds_count") == 200
    assert webhook.server.state.in_flight.bytes == 0
    assert webhook.server.state.in_flight.requests == 0


async def test_a_connection_is_used_again(webhook):
    connection = await webhook.connect()
    uids = []
    for number in range(50):
        content = body(uid=f"u{number}")
        head = f"POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(content)}"
        connection.send(head.encode() + b"\r\n\r\n" + content)
        status, headers, text = await connection.answer()
        assert status == 200
        assert headers.get("connection") != "close"
        uids.append(json.loads(text)["response"]["uid"])

    assert uids == [f"u{number}" for number in range(50)]


async def test_a_body_that_comes_in_pieces_is_answered(webhook):
    connection = await webhook.connect()
    content = padded(100_000)
    connection.send(
        f"POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    )
    for start in range(0, len(content), 1000):
        connection.send(content[start : start + 1000])
        await connection.writer.drain()

    assert (await connection.answer())[0] == 200


async def test_probes_say_ok_in_one_line(webhook):
    assert await webhook.get("/healthz") == (200, "ok\n")
    assert await webhook.get("/readyz") == (200, "ok\n")


async def test_metrics_are_in_the_format_of_prometheus(webhook):
    await webhook.ask()
    async with webhook.client.get(f"{webhook.server.metrics_url}/metrics") as response:
        text = await response.text()
        assert response.headers["Content-Type"].startswith("text/plain; version=")
        assert response.headers["Content-Encoding"] == "gzip"

    assert 'hardener_reviews_total{policy="standard",result="patched"} 1.0' in text
    assert "process_resident_memory_bytes" in text
    assert "hardener_in_flight_bytes 0.0" in text


async def test_metrics_can_be_had_in_the_open_format_and_uncompressed(webhook):
    headers = {"Accept": "application/openmetrics-text; version=1.0.0", "Accept-Encoding": "identity"}
    async with webhook.client.get(f"{webhook.server.metrics_url}/metrics", headers=headers) as response:
        text = await response.text()
        assert "Content-Encoding" not in response.headers

    assert text.endswith("# EOF\n")


HEAD = (
    "POST /mutate HTTP/{version}\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{more}\r\n"
)


@pytest.mark.parametrize(
    ("version", "more", "closes"),
    [
        ("1.1", "", False),
        ("1.1", "Connection: close\r\n", True),
        ("1.0", "", True),
        ("1.0", "Connection: keep-alive\r\n", True),
    ],
)
async def test_a_connection_is_kept_as_long_as_the_client_keeps_it_and_http_1_0_does_not(
    webhook, version, more, closes
):
    connection = await webhook.connect()
    content = body()
    connection.send(HEAD.format(version=version, length=len(content), more=more).encode() + content)
    status, headers, text = await connection.answer()

    assert status == 200
    assert json.loads(text)["response"]["allowed"] is True
    assert (headers.get("connection") == "close") is closes
    if closes:
        assert await connection.closed() == b""


async def test_an_answer_says_what_it_is_and_when_it_was_given(webhook):
    async with webhook.client.post(webhook.server.mutate_url, data=body(), headers=JSON) as response:
        given = parsedate_to_datetime(response.headers["Date"])

    assert response.headers["Content-Type"] == "application/json"
    assert set(response.headers) == {"Content-Type", "Content-Length", "Date"}
    assert abs(datetime.now(UTC) - given) < timedelta(seconds=10)


async def test_who_asks_before_sending_a_body_is_told_to_go_on(webhook):
    connection = await webhook.connect()
    content = body(uid="asked")
    connection.send(HEAD.format(version="1.1", length=len(content), more="Expect: 100-continue\r\n").encode())
    assert (await connection.answer())[0] == 100
    connection.send(content)
    status, _, text = await connection.answer()

    assert status == 200
    assert json.loads(text)["response"]["uid"] == "asked"


async def test_who_asks_before_sending_a_body_that_nobody_wants_is_refused_at_once(webhook):
    connection = await webhook.connect()
    length = webhook.server.options.limits.body_bytes + 1
    connection.send(HEAD.format(version="1.1", length=length, more="Expect: 100-continue\r\n").encode())

    assert (await connection.answer())[0] == 413
