"""Slow, silent and too many clients: each bound, proved with a short limit."""

import asyncio
import json
import time
from dataclasses import replace

import pytest

from tests.server.serving import QUICK, body, post, until

SHORT = 0.2
LONG = 5.0


@pytest.mark.parametrize("tls", [True, False], ids=["TLS port", "plain port"])
async def test_a_connection_without_a_request_is_closed(serve, tls):
    webhook = await serve(limits=replace(QUICK, keep_alive_seconds=SHORT))
    connection = await webhook.connect(tls)

    assert await connection.closed() == b""
    assert webhook.count("hardener_connections_refused_total", cause="silent") == 1


@pytest.mark.parametrize("tls", [True, False], ids=["TLS port", "plain port"])
async def test_headers_that_do_not_end_in_time_are_cut_off_however_busy_they_are(serve, tls):
    webhook = await serve(limits=replace(QUICK, headers_seconds=SHORT))
    connection = await webhook.connect(tls)
    started = time.monotonic()
    connection.send(b"POST /mutate HTTP/1.1\r\nHost: a\r\n")

    async def drip():
        while True:
            connection.send(b"X-Slow: 1\r\n")
            await asyncio.sleep(0.02)

    dripping = asyncio.create_task(drip())
    await connection.closed()
    dripping.cancel()

    assert time.monotonic() - started < LONG
    assert webhook.count("hardener_connections_refused_total", cause="silent") == 1


async def test_a_spare_connection_waits_for_its_first_request_as_long_as_for_any_other(serve):
    """The API server makes some, and uses them within 90 seconds: a review must not meet one that is being closed."""
    webhook = await serve(limits=replace(QUICK, headers_seconds=SHORT))
    spare, slow = await webhook.connect(), await webhook.connect()
    slow.send(b"POST")
    await slow.closed()
    spare.send(post(body()))

    assert (await spare.answer())[0] == 200
    assert webhook.count("hardener_connections_refused_total", cause="silent") == 1


async def test_a_connection_with_a_request_in_time_stays(serve):
    webhook = await serve(limits=replace(QUICK, headers_seconds=SHORT))
    first, slow = await webhook.connect(), await webhook.connect()
    first.send(post(body()))
    assert (await first.answer())[0] == 200
    slow.send(b"POST")
    await slow.closed()
    first.send(post(body(uid="later")))

    assert json.loads((await first.answer())[2])["response"]["uid"] == "later"


async def test_a_slow_body_is_a_408(serve):
    webhook = await serve(limits=replace(QUICK, body_seconds=SHORT))
    connection = await webhook.connect()
    connection.send(post(b"{", length=100))
    status, headers, text = await connection.answer()

    assert status == 408
    assert headers["connection"] == "close"
    assert text == b"the body did not arrive within 0.2 seconds\n"
    assert await connection.closed() == b""
    assert webhook.server.state.in_flight.bytes == 0


async def test_a_body_that_drips_is_a_408_all_the_same(serve):
    webhook = await serve(limits=replace(QUICK, body_seconds=SHORT))
    connection = await webhook.connect()
    connection.send(post(b"", length=100_000))

    async def drip():
        while True:
            connection.send(b" ")
            await asyncio.sleep(0.02)

    dripping = asyncio.create_task(drip())
    status, _, _ = await connection.answer()
    dripping.cancel()

    assert status == 408


async def test_an_idle_connection_is_closed_after_the_keep_alive_time(serve):
    webhook = await serve(limits=replace(QUICK, keep_alive_seconds=SHORT))
    connection = await webhook.connect()
    connection.send(post(body()))

    assert (await connection.answer())[0] == 200
    assert await connection.closed() == b""


async def test_half_a_second_request_is_cut_off_as_half_a_first_one_is(serve):
    webhook = await serve(limits=replace(QUICK, headers_seconds=SHORT))
    connection = await webhook.connect()
    connection.send(post(body()) + b"POST /mutate HT")

    assert (await connection.answer())[0] == 200
    assert await connection.closed() == b""
    assert webhook.count("hardener_connections_refused_total", cause="silent") == 0


@pytest.mark.parametrize("tls", [True, False], ids=["TLS port", "plain port"])
@pytest.mark.parametrize("head", [b"GET /" + b"a" * 64, b"GET / HTTP/1.1\r\nX: " + b"b" * 64], ids=["path", "header"])
async def test_a_head_without_end_is_a_431(serve, tls, head):
    webhook = await serve(limits=replace(QUICK, head_bytes=32))
    connection = await webhook.connect(tls)
    connection.send(head)
    status, headers, text = await connection.answer()

    assert (status, headers["connection"]) == (431, "close")
    assert text == b"the head of the request is over 32 bytes\n"
    assert await connection.closed() == b""
    assert webhook.count("hardener_http_errors_total", status="431") == 1


def test_the_keep_alive_time_is_longer_than_the_api_servers():
    assert QUICK.keep_alive_seconds > 90


async def test_a_handshake_that_never_begins_is_cut_off(serve):
    webhook = await serve(limits=replace(QUICK, handshake_seconds=SHORT))
    reader, writer = await asyncio.open_connection("127.0.0.1", webhook.server.port)
    try:
        assert await asyncio.wait_for(reader.read(), LONG) == b""
    finally:
        writer.close()
        await writer.wait_closed()


async def test_plain_http_on_the_tls_port_is_cut_off_and_harms_nothing(webhook):
    reader, writer = await asyncio.open_connection("127.0.0.1", webhook.server.port)
    writer.write(post(body()))
    try:
        await asyncio.wait_for(reader.read(), LONG)
    except ConnectionError:
        pass
    finally:
        writer.close()

    assert (await webhook.ask(uid="after"))["response"]["uid"] == "after"


async def test_over_the_number_of_connections_the_longest_silent_one_makes_room(serve):
    webhook = await serve(limits=replace(QUICK, connections=2))
    served = await webhook.connect()
    served.send(post(body()))
    assert (await served.answer())[0] == 200
    silent = await webhook.connect()
    third = await webhook.connect()

    assert await silent.closed() == b""
    for connection in (third, served):
        connection.send(post(body()))
        assert (await connection.answer())[0] == 200
    assert webhook.count("hardener_connections_refused_total", cause="crowded") == 1


async def test_where_each_connection_has_sent_a_request_the_new_one_is_closed(serve):
    webhook = await serve(limits=replace(QUICK, connections=2))
    old = [await webhook.connect() for _ in range(2)]
    for connection in old:
        connection.send(post(body()))
        assert (await connection.answer())[0] == 200
    new = await webhook.connect()

    assert await new.closed() == b""
    for connection in old:
        connection.send(post(body()))
        assert (await connection.answer())[0] == 200

    await old[0].close()
    again = await webhook.connect()
    again.send(post(body()))
    assert (await again.answer())[0] == 200


async def test_answers_that_nobody_reads_end_the_connection(serve):
    webhook = await serve(limits=replace(QUICK, write_seconds=SHORT))
    connection = await webhook.connect(tls=False)
    connection.reader._transport.pause_reading()
    request = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"

    async def ask_on():
        while not connection.writer.transport.is_closing():
            connection.send(request * 100)
            await connection.writer.drain()

    asking = asyncio.create_task(ask_on())
    await until(lambda: webhook.count("hardener_connections_refused_total", cause="unread"), 20)
    connection.writer.transport.abort()
    await asyncio.wait([asking], timeout=LONG)

    assert asking.exception() is None or isinstance(asking.exception(), ConnectionError)
