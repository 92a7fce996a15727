"""A double of an API server that lists: real HTTP, pages, and refusals as a test asks for them. Nothing is watched."""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Json = dict[str, Any]


@dataclass
class ListingDouble:
    """`async with` starts and stops it. `lists` holds objects by path; any other path is not there.

    `refusals` holds, by path, the status of the next answers; 0 answers as usual.
    """

    page_items: int = 500
    lists: dict[str, list[Json]] = field(default_factory=dict)
    objects: dict[str, Json] = field(default_factory=lambda: {"/version": {}})
    refusals: dict[str, deque[int]] = field(default_factory=lambda: defaultdict(deque))
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and Accept header of each request."""
    bodies: dict[str, Json] = field(default_factory=dict)
    """What was sent last, by path."""
    url: str = ""

    async def __aenter__(self) -> "ListingDouble":
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, shutdown_timeout=0.01)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.path
        self.asked.append((request.method, path, request.headers.get("Accept", "")))
        refusals = self.refusals[path]
        if status := refusals.popleft() if refusals else 0:
            return web.json_response({"kind": "Status", "code": status, "message": f"it is {status}"}, status=status)
        if request.method == "PATCH":
            self.bodies[f"{path} {request.content_type} {request.query_string}"] = self.objects[
                path
            ] = await request.json()
            return web.json_response(self.objects[path])
        if request.method == "DELETE":
            return web.json_response(self.objects.pop(path))
        if path in self.objects:
            return web.json_response(self.objects[path])
        if path in self.lists:
            return self._page(request, self.lists[path])
        return web.json_response({"kind": "Status", "code": 404, "message": f"{path} not found"}, status=404)

    def _page(self, request: web.Request, items: list[Json]) -> web.Response:
        start = int(request.query.get("continue", "0"))
        end = start + min(int(request.query["limit"]), self.page_items)
        metadata = {"resourceVersion": "7", **({"continue": str(end)} if end < len(items) else {})}
        return web.json_response({"metadata": metadata, "items": items[start:end] or None})
