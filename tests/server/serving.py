"""What tests need to speak with a real server: reviews, trusting clients, raw connections, and its log."""

import asyncio
import base64
import io
import json
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

import aiohttp

from hardener.server.application import EXPLAIN, MUTATE
from hardener.server.limits import MIB, Limits
from hardener.server.log import Log
from hardener.server.running import Options, Server
from tests.admission.reviews import response, workload_request

JSON = {"Content-Type": "application/json"}

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "shop"},
    "spec": {"containers": [{"name": "app", "image": "web:1"}]},
}


def review(uid: str = "uid-1", pod: Any = POD, **request: Any) -> dict[str, Any]:
    """An AdmissionReview as the API server sends it for the creation of a pod."""
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": uid,
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "operation": "CREATE",
            "namespace": "shop",
            "name": "web",
            "userInfo": {"username": "alice"},
            "object": pod,
            **request,
        },
    }


def body(uid: str = "uid-1", pod: Any = POD, **request: Any) -> bytes:
    return json.dumps(review(uid, pod, **request)).encode()


def trust(certificate: bytes) -> ssl.SSLContext:
    """A client's context that trusts just this certificate."""
    return ssl.create_default_context(cadata=certificate.decode())


def padded(size: int) -> bytes:
    """A well-formed review of exactly so many bytes."""
    pod = {**POD, "metadata": {"name": "web", "annotations": {"padding": ""}}}
    empty = len(body(pod=pod))
    pod["metadata"]["annotations"]["padding"] = "x" * (size - empty)
    return body(pod=pod)


async def until(condition: Callable[[], Any], seconds: float = 5.0) -> None:
    """Wait for a condition, with a deadline."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.005)


def operations(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The patch of an AdmissionReview."""
    return json.loads(base64.b64decode(answer["response"]["patch"], validate=True))


@dataclass
class Raw:
    """A connection on which a test says byte by byte what is sent."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Read one response: status, headers in lower case, body."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 10)
        first, *lines = head.decode().strip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        content = await asyncio.wait_for(self.reader.readexactly(int(headers.get("content-length", "0"))), 10)
        return int(first.split()[1]), headers, content

    async def closed(self, seconds: float = 5.0) -> bytes:
        """Read until the server closes, and return what came before that."""
        try:
            return await asyncio.wait_for(self.reader.read(), seconds)
        except ConnectionError:
            return b""

    async def close(self) -> None:
        """Leave without the farewell of TLS, and read what is still to come, so that nothing is left to complain."""
        self.writer.transport.abort()
        with suppress(OSError):
            await self.writer.wait_closed()
        with suppress(OSError):
            await self.reader.read()

    def certificate(self) -> bytes:
        """What the server showed in the handshake, as PEM."""
        der = self.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return ssl.DER_cert_to_PEM_cert(der).encode()


def post(content: bytes, *headers: str, length: int | None = None) -> bytes:
    """A request for /mutate as bytes; `length` claims another one than it has."""
    lines = [
        "POST /mutate HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(content) if length is None else length}",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + content


class Webhook:
    """A running server with its log in memory, and a client of its own."""

    def __init__(self, options: Options) -> None:
        self._log = io.BytesIO()
        self.server = Server(options, Log(self._log))
        self._stack = AsyncExitStack()

    async def start(self) -> None:
        await self.server.start()
        connector = aiohttp.TCPConnector(ssl=trust(self.server.certificate_pem), limit=0)
        self.client = await self._stack.enter_async_context(aiohttp.ClientSession(connector=connector))

    async def close(self) -> None:
        await self._stack.aclose()
        await self.server.stop()

    def lines(self) -> list[dict[str, Any]]:
        """What has been logged so far."""
        self.server.log.flush()
        return [json.loads(line) for line in self._log.getvalue().splitlines()]

    def logged(self, message: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if message in line["message"]]

    def count(self, name: str, **labels: str) -> float:
        """One sample of the metrics; 0 where it has not been counted yet."""
        return self.server.state.metrics.registry.get_sample_value(name, labels) or 0.0

    def url(self, path: str) -> str:
        """The address of an endpoint of the TLS port."""
        return self.server.mutate_url.removesuffix(MUTATE) + path

    async def send(self, content: bytes | AsyncIterator[bytes], path: str = MUTATE, **headers: str) -> tuple[int, str]:
        """Post a body as JSON: status and text of the answer."""
        data = io.BytesIO(content) if isinstance(content, bytes) and len(content) > MIB else content
        async with self.client.post(self.url(path), data=data, headers={**JSON, **headers}) as answer:
            return answer.status, await answer.text()

    async def ask(self, **request: Any) -> dict[str, Any]:
        """Have a review answered, and read the answer."""
        status, text = await self.send(body(**request))
        assert status == 200, text
        return json.loads(text)

    async def explain(self, obj: Any, **request: Any) -> dict[str, Any]:
        """Have an object explained that holds a pod template, and read the response."""
        status, text = await self.send(workload_request(obj, **request), EXPLAIN)
        assert status == 200, text
        return response(text.encode())

    async def get(self, path: str) -> tuple[int, str]:
        async with self.client.get(self.server.metrics_url + path) as answer:
            return answer.status, await answer.text()

    async def connect(self, tls: bool = True, certificate: bytes | None = None) -> Raw:
        server = self.server
        if not tls:
            return await self._opened(*await asyncio.open_connection("127.0.0.1", server.metrics_port))
        context = trust(certificate or server.certificate_pem)
        return await self._opened(*await asyncio.open_connection("localhost", server.port, ssl=context))

    async def _opened(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Raw:
        connection = Raw(reader, writer)
        self._stack.push_async_callback(connection.close)
        return connection


QUICK = Limits(poll_seconds=0.02, linger_seconds=0.2)
"""The limits of most tests: nothing but the waiting is shorter than in earnest."""
