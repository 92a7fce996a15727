"""A double of the API server on the loopback address: real HTTP, real lists and watches, and faults as a test asks for them.

Objects are kept with resourceVersions that rise over all resources, and every change is remembered, so that a watch can
begin at any version that has not been compacted.
"""

import asyncio
import ssl
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.cluster.faults import Fault, expired, line

RESOURCES = ("namespaces", "limitranges", "resourcequotas", "serviceaccounts")

Json = dict[str, Any]


@dataclass
class Asked:
    """One request, in parts: a list or a get has no `watch` in its query."""

    path: str
    query: dict[str, str]
    token: str

    @property
    def is_watch(self) -> bool:
        return "watch" in self.query


@dataclass
class ApiDouble:
    """The API server. `async with` starts and stops it; `url` says where it is.

    `on_list`, `on_watch` and `on_one` hold the faults of the next such requests, by resource; the last two hold those of
    lists and gets within a namespace. With a `token`, any other gets a 401.
    """

    port: int = 0
    token: str = ""
    context: ssl.SSLContext | None = None
    version: int = 100
    objects: dict[str, dict[tuple[str, str], Json]] = field(default_factory=lambda: defaultdict(dict))
    asked: list[Asked] = field(default_factory=list)
    on_list: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    on_watch: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    on_one: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))

    def __post_init__(self) -> None:
        self._compacted = 0
        self._history: list[tuple[int, str, str, Json]] = []
        self._changed = asyncio.Condition()
        self._watches: dict[str, list[web.Request]] = defaultdict(list)
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}"

    async def __aenter__(self) -> "ApiDouble":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Begin to listen, after `stop` on the same port."""
        application = web.Application()
        application.router.add_get("/api/v1/namespaces/{namespace}/{resource}", self._inside)
        application.router.add_get("/api/v1/namespaces/{namespace}", self._namespace)
        application.router.add_get("/api/v1/{resource}", self._collection)
        self._runner = web.AppRunner(application, shutdown_timeout=0.01, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self.context)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Break all connections and refuse new ones."""
        assert self._runner is not None
        for requests in self._watches.values():
            for request in requests:
                if request.transport is not None:
                    request.transport.close()
        await self._runner.cleanup()

    async def put(self, resource: str, namespace: str, name: str, **fields: Any) -> Json:
        """Make or change an object; `metadata` among the fields is added to name and namespace."""
        key = (namespace, name)
        kind = "MODIFIED" if key in self.objects[resource] else "ADDED"
        self.version += 1
        metadata = {"name": name, **({"namespace": namespace} if resource != "namespaces" else {})}
        metadata |= fields.pop("metadata", {}) | {"resourceVersion": str(self.version)}
        item = self.objects[resource][key] = {"metadata": metadata, **fields}
        await self._record(kind, resource, item)
        return item

    async def namespace(self, name: str, **labels: str) -> Json:
        return await self.put("namespaces", name, name, metadata={"labels": labels})

    async def delete(self, resource: str, namespace: str, name: str) -> None:
        self.version += 1
        item = self.objects[resource].pop((namespace, name))
        item = {**item, "metadata": {**item["metadata"], "resourceVersion": str(self.version)}}
        await self._record("DELETED", resource, item)

    async def bookmark(self) -> None:
        """Tell all watches how far they are."""
        for resource in RESOURCES:
            await self._record("BOOKMARK", resource, {"metadata": {"resourceVersion": str(self.version)}})

    def compact(self) -> None:
        """Forget all changes: a watch from before now is told that it is too old."""
        self._compacted = self.version

    def watching(self, resource: str) -> int:
        """How many watches of a resource are open."""
        return len(self._watches[resource])

    def drop(self, resource: str) -> None:
        """Break the watches of a resource."""
        for request in self._watches[resource]:
            if request.transport is not None:
                request.transport.abort()

    def lists(self, resource: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == f"/api/v1/{resource}" and not asked.is_watch]

    def watches(self, resource: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == f"/api/v1/{resource}" and asked.is_watch]

    def ones(self, namespace: str) -> list[str]:
        """The last parts of the paths that were asked for within a namespace."""
        root = f"/api/v1/namespaces/{namespace}"
        return sorted(asked.path.rpartition("/")[2] for asked in self.asked if asked.path.startswith(root))

    async def _record(self, kind: str, resource: str, item: Json) -> None:
        async with self._changed:
            self._history.append((self.version, resource, kind, item))
            self._changed.notify_all()

    def _note(self, request: web.Request) -> web.StreamResponse | None:
        token = request.headers.get("Authorization", "")
        self.asked.append(Asked(request.path, dict(request.query), token))
        scheme, _, given = token.partition(" ")
        if self.token and (scheme.lower(), given) != ("bearer", self.token):
            return web.json_response({"kind": "Status", "code": 401, "message": "Unauthorized"}, status=401)
        return None

    async def _collection(self, request: web.Request) -> web.StreamResponse:
        refusal = self._note(request)
        if refusal is not None:
            return refusal
        resource = request.match_info["resource"]
        is_watch = "watch" in request.query
        answer = await _faulty(request, (self.on_watch if is_watch else self.on_list)[resource])
        if answer is not None:
            return answer
        if is_watch:
            return await self._watch(request, resource)
        return self._page(request, list(self.objects[resource].values()))

    async def _inside(self, request: web.Request) -> web.StreamResponse:
        refusal = self._note(request)
        if refusal is not None:
            return refusal
        resource, namespace = request.match_info["resource"], request.match_info["namespace"]
        answer = await _faulty(request, self.on_one[resource])
        return answer or self._page(
            request, [item for key, item in self.objects[resource].items() if key[0] == namespace]
        )

    async def _namespace(self, request: web.Request) -> web.StreamResponse:
        refusal = self._note(request)
        if refusal is not None:
            return refusal
        name = request.match_info["namespace"]
        answer = await _faulty(request, self.on_one["namespaces"])
        if answer is not None:
            return answer
        item = self.objects["namespaces"].get((name, name))
        if item is None:
            return web.json_response({"kind": "Status", "code": 404, "message": f"{name} not found"}, status=404)
        return web.json_response({"kind": "Namespace", **item})

    def _page(self, request: web.Request, items: list[Json]) -> web.Response:
        """The token of the next page is where it begins, and the version of the first."""
        start, version = map(int, request.query.get("continue", f"0 {self.version}").split())
        end = start + int(request.query.get("limit", "500"))
        metadata = {"resourceVersion": str(version)}
        if end < len(items):
            metadata["continue"] = f"{end} {version}"
        return web.json_response({"metadata": metadata, "items": items[start:end] or None})

    async def _watch(self, request: web.Request, resource: str) -> web.StreamResponse:
        begin = int(request.query["resourceVersion"])
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        if begin < self._compacted:
            await response.write(expired())
            return response
        self._watches[resource].append(request)
        done = len([None for version, *_ in self._history if version <= begin])
        try:
            while True:
                async with self._changed:
                    while len(self._history) == done:
                        await self._changed.wait()
                new, done = self._history[done:], len(self._history)
                for _, of, kind, item in new:
                    if of == resource:
                        await response.write(line(kind, item))
        except ConnectionError:
            return response
        finally:
            self._watches[resource].remove(request)


async def _faulty(request: web.Request, faults: deque[Fault]) -> web.StreamResponse | None:
    return await faults.popleft()(request) if faults else None
