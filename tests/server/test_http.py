"""What HTTP/1.1 asks of a server beyond one request after another."""

import gc
import json
import weakref
from dataclasses import replace

import pytest

from hardener.server import connection as connection_module
from hardener.server.application import Port
from hardener.server.limits import MIB
from hardener.server.reading import Reading
from tests.server.serving import QUICK, body, padded, post, until

GET = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
HEAD = b"POST /mutate HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"


async def uids(connection, count):
    answers = [await connection.answer() for _ in range(count)]
    assert {status for status, _, _ in answers} == {200}
    return [json.loads(text)["response"]["uid"] for _, _, text in answers]


async def test_requests_sent_without_waiting_are_answered_in_their_order(webhook):
    connection = await webhook.connect()
    names = [f"u{number}" for number in range(100)]
    connection.send(b"".join(post(body(uid=name)) for name in names))

    assert await uids(connection, 100) == names
    connection.send(post(body(uid="after")))
    assert await uids(connection, 1) == ["after"]


async def test_requests_that_end_in_the_middle_of_what_is_sent_are_answered_in_their_order(webhook):
    connection = await webhook.connect()
    names = [f"u{number}" for number in range(20)]
    whole = b"".join(post(body(uid=name)) for name in names)
    for start in range(0, len(whole), 700):
        connection.send(whole[start : start + 700])
        await connection.writer.drain()

    assert await uids(connection, 20) == names


async def test_a_refusal_stands_between_the_answers_of_its_neighbours(webhook):
    connection = await webhook.connect()
    elsewhere = post(body()).replace(b"/mutate", b"/elsewhere")
    connection.send(post(body(uid="before")) + elsewhere + post(b"[]") + post(body(uid="after")))

    assert await uids(connection, 1) == ["before"]
    assert [(await connection.answer())[0] for _ in range(2)] == [404, 400]
    assert await uids(connection, 1) == ["after"]


async def test_what_is_not_http_is_told_after_the_answers_to_what_was(webhook):
    connection = await webhook.connect()
    connection.send(post(body(uid="first")) + post(body(uid="second")) + b"\x16\x03\x01 hello\r\n\r\n")

    assert await uids(connection, 2) == ["first", "second"]
    status, headers, text = await connection.answer()
    assert (status, headers["connection"]) == (400, "close")
    assert text.startswith(b"this is not HTTP: ")
    assert await connection.closed() == b""


async def test_nothing_is_answered_after_the_last_request_that_the_client_announced(webhook):
    connection = await webhook.connect()
    connection.send(post(body(uid="last"), "Connection: close") + post(body(uid="too late")))

    assert await uids(connection, 1) == ["last"]
    assert await connection.closed() == b""
    assert webhook.server.state.in_flight.requests == 0


async def test_a_flood_of_requests_on_one_connection_leaves_others_their_turn(webhook):
    flood, other = await webhook.connect(tls=False), await webhook.connect(tls=False)
    flood.send(GET * 20_000)
    await flood.answer()
    other.send(GET)
    await other.answer()

    assert webhook.count("hardener_http_errors_total", status="400") == 0
    for _ in range(19_999):
        assert (await flood.answer())[0] == 200


async def test_who_is_refused_may_send_on_once_the_body_was_read(webhook):
    connection = await webhook.connect()
    connection.send(post(body(), "Content-Encoding: gzip") + post(body(uid="plain")))

    assert (await connection.answer())[0] == 415
    assert await uids(connection, 1) == ["plain"]


async def test_who_is_refused_while_sending_can_read_why_and_is_closed_when_all_was_sent(serve):
    webhook = await serve(limits=replace(QUICK, linger_seconds=60))
    connection = await webhook.connect()
    content = padded(9 * MIB)
    connection.send(post(content))
    status, headers, _ = await connection.answer()
    await connection.writer.drain()

    assert (status, headers["connection"]) == (413, "close")
    assert await connection.closed() == b""


async def test_who_is_refused_and_never_ends_is_closed_after_a_while(webhook):
    connection = await webhook.connect()
    connection.send(post(b"{", length=9 * MIB))

    assert (await connection.answer())[0] == 413
    assert await connection.closed() == b""


async def test_nonsense_after_a_refusal_adds_no_second_answer(webhook):
    connection = await webhook.connect()
    connection.send(HEAD.replace(b"json", b"yaml") + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
    status, _, text = await connection.answer()

    assert (status, b"send application/json" in text) == (415, True)
    assert await connection.closed() == b""
    assert webhook.count("hardener_http_errors_total", status="400") == 0


async def test_nonsense_after_the_answer_to_a_refusal_ends_the_connection(serve):
    webhook = await serve(limits=replace(QUICK, linger_seconds=60))
    connection = await webhook.connect()
    connection.send(HEAD.replace(b"json", b"yaml") + b"Transfer-Encoding: chunked\r\n\r\n")
    assert (await connection.answer())[0] == 415
    connection.send(b"zz\r\n")

    assert await connection.closed() == b""


async def test_head_gets_what_get_would_without_the_content(webhook):
    connection = await webhook.connect(tls=False)
    connection.send(GET.replace(b"GET", b"HEAD") + GET)
    head = await connection.reader.readuntil(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Length: 3\r\n" in head
    assert (await connection.answer())[2] == b"ok\n"


@pytest.mark.parametrize("target", ["/mutate?timeout=10s", "https://hardener.hardener.svc/mutate?timeout=10s"])
async def test_a_path_may_stand_in_a_whole_address_and_before_a_query(webhook, target):
    connection = await webhook.connect()
    connection.send(post(body(uid="there")).replace(b"/mutate", target.encode()))

    assert await uids(connection, 1) == ["there"]


@pytest.mark.parametrize("target", ["*", "mutate", "//mutate", "/mutate/", "/MUTATE", "/%6dutate"])
async def test_another_path_is_a_404(webhook, target):
    connection = await webhook.connect()
    connection.send(post(body()).replace(b"/mutate", target.encode()))
    status, _, text = await connection.answer()

    assert (status, text) in {
        (404, b"there is nothing here; known are /mutate, /explain\n"),
        (400, b"this is not HTTP: Unexpected start char in url\n"),
        (400, b"this is not HTTP: Invalid characters in url\n"),
    }
    assert webhook.logged("failed") == []


async def test_a_chunked_body_may_be_followed_by_headers(webhook):
    connection = await webhook.connect()
    content = body(uid="chunked")
    chunk = b"%x;name=value\r\n%b\r\n0\r\nContent-Encoding: gzip\r\nX: y\r\n\r\n" % (len(content), content)
    connection.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + post(body(uid="next")))

    assert await uids(connection, 2) == ["chunked", "next"]


async def test_a_body_with_two_lengths_is_a_400(webhook):
    connection = await webhook.connect()
    connection.send(HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n")

    assert (await connection.answer())[0] == 400
    assert await connection.closed() == b""


@pytest.mark.parametrize("protocol", ["websocket", "h2c"])
async def test_who_would_rather_speak_another_protocol_is_answered_in_this_one(webhook, protocol):
    connection = await webhook.connect(tls=False)
    connection.send(
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: %b\r\n\r\n" % protocol.encode()
    )
    status, headers, text = await connection.answer()

    assert (status, headers["connection"], text) == (200, "close", b"ok\n")
    assert await connection.closed() == b""


async def test_a_body_after_the_wish_for_another_protocol_is_a_400(webhook):
    connection = await webhook.connect()
    connection.send(post(body(), "Connection: Upgrade", "Upgrade: h2c"))
    status, headers, text = await connection.answer()

    assert (status, headers["connection"]) == (400, "close")
    assert text == b"the body cannot be read after the header Upgrade; leave it out\n"
    assert await connection.closed() == b""


async def test_a_bug_in_reading_is_a_500_that_ends_the_connection(webhook, monkeypatch):
    def fail(*_):
        raise RuntimeError("a bug")

    monkeypatch.setattr(Port, "open", fail)
    connection = await webhook.connect()
    connection.send(post(body()))
    status, headers, text = await connection.answer()

    assert (status, headers["connection"]) == (500, "close")
    assert text == b"internal error; the log says more\n"
    assert await connection.closed() == b""
    assert webhook.logged("a request failed")[0]["error"] == "RuntimeError: a bug"
    assert webhook.server.state.in_flight.requests == 0


async def test_a_client_that_leaves_before_its_answers_leaves_nothing_behind(webhook):
    connection = await webhook.connect()
    connection.send(post(body()) * 50 + post(b"{", length=1000))
    await until(lambda: webhook.server.state.in_flight.requests)
    connection.writer.transport.abort()

    await until(lambda: not webhook.server.state.in_flight.requests)
    assert webhook.server.state.in_flight.bytes == 0


async def test_a_connection_that_ends_is_freed_without_the_garbage_collector(webhook, monkeypatch):
    made = []

    class Seen(Reading):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            made.append(weakref.ref(self))

    monkeypatch.setattr(connection_module, "Reading", Seen)
    gc.disable()
    try:
        connection = await webhook.connect()
        connection.send(post(body()))
        await connection.answer()
        assert made[0]() is not None
        await connection.close()
        await until(lambda: made[0]() is None)
    finally:
        gc.enable()
