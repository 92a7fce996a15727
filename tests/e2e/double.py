"""Double: a webhook of the test's own over TLS, with whatever answers a test wants."""

import asyncio
import base64
import json
import ssl
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from hardener.tls import self_signed
from tests.e2e.cluster import Json

LOOPBACK = "127.0.0.1"

Answer = Callable[[Json], Json]
"""From the whole AdmissionReview to the fields of its `response`; `uid` is added. It runs in a thread of its own."""


@dataclass(frozen=True)
class Call:
    """One review, and the path that it came to."""

    path: str
    review: Json

    @property
    def pod(self) -> Json:
        return self.review["request"]["object"]


class Double:
    """A context manager. `answers[path]` is asked for each review; a path without an answer allows everything."""

    def __init__(self) -> None:
        pair = self_signed((LOOPBACK, "localhost"), datetime.now(UTC), days=2)
        self.ca_bundle = base64.b64encode(pair.certificate).decode()
        self.answers: dict[str, Answer] = {}
        self.calls: list[Call] = []
        self.url = ""
        self._context = _context(pair.certificate, pair.key)
        self._started = threading.Event()
        self._stop: Callable[[], None] | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(10), "the double did not start"
        return self

    def __exit__(self, *_: object) -> None:
        if self._stop is not None:
            self._stop()
        self._thread.join(10)

    async def _serve(self) -> None:
        application = web.Application(client_max_size=16 * 2**20)
        application.router.add_post("/{path:.*}", self._handle)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, LOOPBACK, 0, ssl_context=self._context)
        await site.start()
        self.url = f"https://{LOOPBACK}:{runner.addresses[0][1]}"
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        self._stop = lambda: loop.call_soon_threadsafe(ended.set)
        self._started.set()
        await ended.wait()
        # The farewell of TLS would take longer than the loop lasts.
        for connection in runner.server.connections if runner.server else ():
            if connection.transport is not None:
                connection.transport.abort()
        await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        review = await request.json()
        self.calls.append(Call(request.path, review))
        response = await asyncio.to_thread(self.answers.get(request.path, allow), review)
        return web.json_response(
            {
                "apiVersion": "admission.k8s.io/v1",
                "kind": "AdmissionReview",
                "response": {"uid": review["request"]["uid"], **response},
            }
        )


def allow(review: Json, patch: Sequence[Json] = (), **fields: Any) -> Json:
    """The response that allows, with the RFC 6902 operations of `patch` if there are any."""
    response: Json = {"allowed": True, **fields}
    if patch:
        response |= {"patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(list(patch)).encode()).decode()}
    return response


def patching(*operations: Json) -> Answer:
    """An answer that sends always the same operations."""
    return lambda review: allow(review, operations)


def _context(certificate: bytes, key: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        pair = Path(folder) / "pair.pem"
        pair.write_bytes(certificate + key)
        context.load_cert_chain(pair)
    return context
