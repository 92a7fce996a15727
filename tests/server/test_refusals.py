"""Requests that hold no review: the HTTP status, one line that says why, and no harm done."""

import asyncio
import json
import time
import zlib
from dataclasses import replace

import pytest

from hardener.server.limits import MIB
from tests.server.serving import JSON, QUICK, body, padded, post, review, until

NESTED = b'{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"uid": "u", "object": {"spec": '


MALFORMED = {
    "an empty body": b"",
    "only white space": b" \n\t",
    "no JSON": b"hello",
    "truncated JSON": body()[:-1],
    "truncated in the middle": body()[:200],
    "two documents": body() + body(),
    "an array": b"[]",
    "a number": b"1",
    "a string": b'"review"',
    "null": b"null",
    "an empty object": b"{}",
    "no request": b'{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}',
    "request null": b'{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": null}',
    "no uid": b'{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {}}',
    "an empty uid": body(uid=""),
    "a number as uid": body(uid=7),
    "a list as request": b'{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": []}',
    "the old version": json.dumps({**review(), "apiVersion": "admission.k8s.io/v1beta1"}).encode(),
    "another kind": json.dumps({**review(), "kind": "Pod"}).encode(),
    "a number as operation": body(operation=1),
    "a list as namespace": body(namespace=[]),
    "a string as userInfo": body(userInfo="alice"),
    "NaN": b'{"apiVersion": NaN}',
    "NaN in the pod": body(pod={"spec": {"priority": float("nan")}}),
    "Infinity in the pod": body(pod={"spec": {"priority": float("inf")}}),
    "minus Infinity in the pod": body(pod={"spec": {"priority": float("-inf")}}),
    "a lone surrogate in the uid": body(uid="\ud800"),
    "a lone surrogate in an annotation": body(pod={"metadata": {"annotations": {"a": "\udfff"}}}),
    "a lone surrogate in a part that nobody reads": body(pod={"spec": {"hostname": "\ud800"}}),
    "invalid UTF-8": body().replace(b"web", b"w\xff\xfe"),
    "an overlong UTF-8 sequence": body().replace(b"web", b"w\xc0\xaf"),
    "a UTF-8 byte order mark": b"\xef\xbb\xbf" + body(),
    "UTF-16": body().decode().encode("utf-16"),
    "a control character in a string": body().replace(b"web", b"w\x00b"),
    "10,000 arrays": b"[" * 10_000 + b"]" * 10_000,
    "10,000 objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "10,000 levels in the pod": NESTED + b"[" * 10_000 + b"]" * 10_000 + b"}}}",
    "10,000 levels never closed": NESTED + b'{"a":' * 10_000,
    "a million open brackets": b"[" * 1_000_000,
}


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_body_is_a_400_with_a_reason_in_one_line(webhook, content):
    started = time.monotonic()
    status, text = await webhook.send(content)

    assert status == 400
    assert len(text.strip()) > 10
    assert text.endswith("\n")
    assert "\n" not in text.strip()
    assert "Traceback" not in text
    assert time.monotonic() - started < 2
    assert webhook.count("hardener_http_errors_total", status="400") == 1
    assert webhook.logged("internal error") == []
    assert (await webhook.ask(uid="after"))["response"]["uid"] == "after"


@pytest.mark.parametrize("media_type", ["text/plain", "application/yaml", "application/jsonx", "", "nonsense"])
async def test_another_media_type_is_a_415(webhook, media_type):
    status, text = await webhook.send(body(), **{"Content-Type": media_type})

    assert status == 415
    assert "send application/json" in text


async def test_no_media_type_is_a_415(webhook):
    connection = await webhook.connect()
    connection.send(b"POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}")

    assert (await connection.answer())[0] == 415


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON", "application/json ;v=1"])
async def test_parameters_and_case_of_the_media_type_do_not_matter(webhook, media_type):
    status, _ = await webhook.send(body(), **{"Content-Type": media_type})

    assert status == 200


async def test_a_compressed_body_is_a_415_and_is_not_inflated(webhook):
    bomb = zlib.compress(b" " * (64 * MIB))
    connection = await webhook.connect()
    connection.send(post(bomb, "Content-Encoding: deflate"))
    status, _, text = await connection.answer()

    assert status == 415
    assert b"compressed" in text


async def test_unknown_paths_are_404_and_other_methods_405(webhook):
    base = webhook.server.mutate_url.removesuffix("/mutate")
    found = {}
    for method, url in [
        ("GET", f"{base}/mutate"),
        ("PUT", f"{base}/mutate"),
        ("DELETE", f"{base}/mutate"),
        ("POST", f"{base}/"),
        ("POST", f"{base}/mutate/"),
        ("POST", f"{base}/healthz"),
        ("POST", f"{webhook.server.metrics_url}/healthz"),
        ("GET", f"{webhook.server.metrics_url}/mutate"),
    ]:
        async with webhook.client.request(method, url, data=b"{}", headers=JSON) as response:
            text = await response.text()
            found[method, url.rpartition(":")[2].partition("/")[2]] = response.status, response.headers.get("Allow")
            assert text.count("\n") == 1

    assert found == {
        ("GET", "mutate"): (404, None),
        ("PUT", "mutate"): (405, "POST"),
        ("DELETE", "mutate"): (405, "POST"),
        ("POST", ""): (404, None),
        ("POST", "mutate/"): (404, None),
        ("POST", "healthz"): (405, "GET"),
    }
    assert webhook.count("hardener_http_errors_total", status="404") == 4
    assert webhook.count("hardener_http_errors_total", status="405") == 4


async def test_what_is_not_http_gets_one_line_and_the_connection_is_closed(webhook):
    connection = await webhook.connect()
    connection.send(b"EHLO mail\r\n\r\n")
    status, _, text = await connection.answer()

    assert status == 400
    assert text.startswith(b"this is not HTTP: ")
    assert text.count(b"\n") == 1
    assert await connection.closed() == b""
    assert webhook.logged("failed") == []


async def test_a_body_over_the_limit_is_refused_by_its_declared_length_alone(webhook):
    connection = await webhook.connect()
    connection.send(post(b"", length=9 * MIB))
    status, _, text = await connection.answer()

    assert status == 413
    assert text == b"the body is over 8388608 bytes\n"


async def test_nine_mebibytes_are_refused_with_and_without_a_length(webhook):
    content = padded(9 * MIB)

    async def pieces():
        for start in range(0, len(content), 65536):
            yield content[start : start + 65536]

    assert (await webhook.send(content))[0] == 413
    assert (await webhook.send(pieces()))[0] == 413
    assert webhook.server.state.in_flight.bytes == 0


async def test_eight_mebibytes_are_answered_with_and_without_a_length(webhook):
    content = padded(8 * MIB)

    async def pieces():
        for start in range(0, len(content), 65536):
            yield content[start : start + 65536]

    assert len(content) == 8 * MIB
    assert (await webhook.send(content))[0] == 200
    assert (await webhook.send(pieces()))[0] == 200


@pytest.mark.parametrize("chunk", [b"zz\r\n{}\r\n", b"2\r\n{}}\r\n"], ids=["no size", "another size"])
async def test_a_wrong_chunk_size_is_a_400_and_ends_the_connection(webhook, chunk):
    head = b"POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection = await webhook.connect()
    connection.send(head)
    await until(lambda: webhook.server.state.in_flight.requests)
    connection.send(chunk)
    status, headers, text = await connection.answer()

    assert (status, headers["connection"]) == (400, "close")
    assert text.startswith(b"the body is not transferred as its headers say: ")
    assert await connection.closed() == b""
    assert webhook.logged("failed") == []
    assert webhook.server.state.in_flight.requests == 0


async def test_a_client_that_goes_away_in_the_middle_of_a_body_leaves_nothing_behind(webhook):
    connection = await webhook.connect()
    connection.send(post(b"{", length=1000))
    await until(lambda: webhook.server.state.in_flight.requests)
    connection.writer.transport.abort()
    async with asyncio.timeout(5):
        await webhook.server.state.in_flight.idle()

    assert webhook.server.state.in_flight.bytes == 0
    assert [line for line in webhook.lines() if line["level"] == "error"] == []


async def test_when_too_many_bytes_are_in_flight_the_client_is_asked_to_come_again(serve):
    webhook = await serve(limits=replace(QUICK, in_flight_bytes=3000))
    holder = await webhook.connect()
    holder.send(post(b"{", length=2800))
    await until(lambda: webhook.server.state.in_flight.requests)

    async with webhook.client.post(webhook.server.mutate_url, data=body(), headers=JSON) as refused:
        assert refused.status == 429
        assert refused.headers["Retry-After"] == "1"
        assert "2800 bytes are in flight" in await refused.text()
    assert webhook.count("hardener_overload_refusals_total") == 1

    holder.send(b" " * 2799)
    assert (await holder.answer())[0] == 400
    assert (await webhook.ask(uid="after"))["response"]["uid"] == "after"


async def test_a_chunked_body_counts_as_it_arrives(serve):
    webhook = await serve(limits=replace(QUICK, in_flight_bytes=3000))

    async def pieces():
        for _ in range(40):
            yield b" " * 100

    status, _ = await webhook.send(pieces())

    assert status == 429
    assert webhook.server.state.in_flight.bytes == 0
