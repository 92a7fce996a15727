"""No connection outlives an ApiServer that has been closed, whenever the request was cancelled that opened it."""

import asyncio
import socket
import ssl
import threading
from datetime import UTC, datetime

import pytest
from aiohttp.client_proto import ResponseHandler
from kubernetes.aio.client import Configuration

from hardener.cluster import Bounds, Pace
from hardener.cluster.api_server import ApiError, ApiServer
from hardener.cluster.status import Silence
from hardener.tls import self_signed
from tests.server.serving import until

ENOUGH = 5
"""Seconds in which a peer hears of an end; TLS's farewell would be waited for six times as long."""


class MutePeer:
    """Takes one connection, shakes hands when it is told to, and then never says a word, not even TLS's farewell."""

    def __init__(self, folder):
        pair = self_signed(("127.0.0.1",), datetime.now(UTC), days=2)
        self.authority = folder / "pair.pem"
        self.authority.write_bytes(pair.certificate + pair.key)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.authority)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(ENOUGH)
        self.port = self._listener.getsockname()[1]
        self.is_called = False
        self.request = b""
        self.has_ended = None
        self.may_shake_hands = threading.Event()
        self._may_listen = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        connection, _ = self._listener.accept()
        connection.settimeout(ENOUGH)
        self.is_called = True
        self.may_shake_hands.wait(ENOUGH)
        try:
            connection = self._context.wrap_socket(connection, server_side=True)
            self.request = connection.recv(4096)
            self._may_listen.wait(ENOUGH)
            # TLS would answer the farewell.
            with socket.socket(fileno=connection.detach()) as bare:
                bare.settimeout(ENOUGH)
                while bare.recv(4096):
                    continue
        except OSError as error:
            self.has_ended = not isinstance(error, TimeoutError)
        else:
            self.has_ended = True

    async def hears_the_end(self):
        """Whether the connection is at an end, below TLS."""
        self.may_shake_hands.set()
        self._may_listen.set()
        await asyncio.to_thread(self._thread.join)
        return self.has_ended

    def close(self):
        self._listener.close()
        self.may_shake_hands.set()
        self._may_listen.set()
        self._thread.join()


@pytest.fixture
def peer(tmp_path):
    made = MutePeer(tmp_path)
    yield made
    made.close()


@pytest.fixture
async def api(peer):
    async def credentials():
        configuration = Configuration(host=f"https://127.0.0.1:{peer.port}")
        configuration.ssl_ca_cert = str(peer.authority)
        return configuration

    opened = ApiServer(credentials, Bounds(), Pace(), Silence())
    await opened.open()
    return opened


async def cancelled(task):
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_request_is_cancelled_that_waits_for_its_answer(api, peer):
    peer.may_shake_hands.set()
    asking = asyncio.create_task(api.get("/api/v1/namespaces/shop"))
    await until(lambda: peer.request)
    await cancelled(asking)
    await api.close()
    assert await peer.hears_the_end()


async def test_a_request_is_cancelled_in_the_moment_in_which_the_handshake_ends(api, peer, monkeypatch):
    made = ResponseHandler.connection_made

    def cancel(protocol, transport):
        made(protocol, transport)
        asking.cancel()

    monkeypatch.setattr(ResponseHandler, "connection_made", cancel)
    peer.may_shake_hands.set()
    asking = asyncio.create_task(api.get("/api/v1/namespaces/shop"))
    await asyncio.gather(asking, return_exceptions=True)
    assert asking.cancelled()
    await api.close()
    assert await peer.hears_the_end()
    assert peer.request == b""


async def test_a_request_is_cancelled_in_the_middle_of_the_handshake(api, peer):
    asking = asyncio.create_task(api.get("/api/v1/namespaces/shop"))
    await until(lambda: peer.is_called)
    await cancelled(asking)
    await api.close()
    assert await peer.hears_the_end()


async def test_a_handshake_ends_after_everything_was_closed(api, peer):
    asking = asyncio.create_task(api.get("/api/v1/namespaces/shop"))
    await until(lambda: peer.is_called)
    await api.close()
    peer.may_shake_hands.set()
    with pytest.raises(ApiError, match="closed"):
        await asking
    assert await peer.hears_the_end()
