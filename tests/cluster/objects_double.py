"""The store behind real HTTP: single objects, and watches that are bound to a name."""

import asyncio
from collections import deque
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from tests.cluster.faults import Fault, line
from tests.cluster.store import Store


class ObjectsDouble:
    """`async with` starts and stops it. `faults` holds those of the next requests, `watch_faults` those of watches.

    `date` is what it says the time is, as a header; None leaves that out.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.url = ""
        self.date: datetime | str | None = None
        self.faults: deque[Fault] = deque()
        self.watch_faults: deque[Fault] = deque()
        self.asked: list[tuple[str, str]] = []
        self.sent: list[tuple[str, Any]] = []
        self.watched: list[dict[str, str]] = []
        self.watching = 0

    async def __aenter__(self) -> "ObjectsDouble":
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._handle)
        application.on_response_prepare.append(self._tell_time)
        self._runner = web.AppRunner(application, shutdown_timeout=0.01, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _tell_time(self, _: web.Request, response: web.StreamResponse) -> None:
        if isinstance(self.date, datetime):
            response.headers["Date"] = format_datetime(self.date, usegmt=True)
        elif self.date is not None:
            response.headers["Date"] = self.date

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        is_watch = "watch" in request.query
        self.asked.append(("WATCH" if is_watch else request.method, request.path))
        faults = self.watch_faults if is_watch else self.faults
        answer = await faults.popleft()(request) if faults else None
        if answer is not None:
            return answer
        if is_watch:
            return await self._watch(request)
        body = await request.json() if request.can_read_body else None
        if body is not None:
            self.sent.append((request.content_type, body))
        status, answered = self.store.answer(request.method, request.path, body)
        return web.json_response(answered, status=status)

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        self.watched.append(dict(request.query))
        path = f"{request.path}/{request.query['fieldSelector'].removeprefix('metadata.name=')}"
        events: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        if path in self.store.objects:
            events.put_nowait(("ADDED", self.store.objects[path]))

        def listen(kind: str, changed: str, item: Any) -> None:
            if changed == path:
                events.put_nowait((kind, item))

        self.store.listeners.append(listen)
        response = web.StreamResponse()
        response.enable_chunked_encoding()
        await response.prepare(request)
        self.watching += 1
        try:
            while True:
                await response.write(line(*await events.get()))
        except ConnectionError:
            return response
        finally:
            self.watching -= 1
            self.store.listeners.remove(listen)
