"""What an API server may do instead of answering as it should."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

Fault = Callable[[web.Request], Awaitable[web.StreamResponse | None]]
"""Answers a request in another way; None has it answered as ever after all."""


def status(code: int, message: str = "", **headers: str) -> Fault:
    """Answer with a Status."""

    async def answer(_: web.Request) -> web.StreamResponse:
        body = {"kind": "Status", "status": "Failure", "code": code, "message": message}
        return web.json_response(body, status=code, headers=headers)

    return answer


def body(data: bytes, content_type: str = "application/json") -> Fault:
    """Answer 200 with these bytes; as a watch, they are all that comes."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=data, content_type=content_type)

    return answer


def cut(data: bytes) -> Fault:
    """Begin a good answer with these bytes, and break the connection."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        await response.write(data)
        assert request.transport is not None
        request.transport.close()
        return response

    return answer


def silent(data: bytes = b"") -> Fault:
    """Begin a good answer with these bytes, and say nothing more until the client has left."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        if data:
            await response.write(data)
        await asyncio.Event().wait()
        return response

    return answer


def held(release: asyncio.Event) -> Fault:
    """Answer as ever, but not before `release` is set."""

    async def answer(_: web.Request) -> None:
        await release.wait()

    return answer


def pieces(*parts: bytes) -> Fault:
    """Answer 200 with these parts, each in a chunk of its own, and end."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        for part in parts:
            await response.write(part)
            # A moment for the loop, so that they are sent one by one.
            await asyncio.sleep(0)
        return response

    return answer


def line(kind: str, item: Any) -> bytes:
    """One event of a watch."""
    return json.dumps({"type": kind, "object": item}).encode() + b"\n"


def expired() -> bytes:
    """The event that says that the version is too old, as kube-apiserver words it."""
    return line(
        "ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version: 1 (9)"}
    )
