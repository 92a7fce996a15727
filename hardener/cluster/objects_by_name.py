"""Single objects of the API server: read, changed unless somebody else was faster, and followed.

The right to `list` is never needed: a watch that is bound to a name begins with the object as it is.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Generic, TypeVar

import msgspec

from hardener.cluster.api_server import NOT_FOUND, ApiError, ApiServer
from hardener.cluster.bounds import Backoff, Bounds, Pace
from hardener.cluster.objects import EVENT, STATUS, Object
from hardener.cluster.pool import Method
from hardener.cluster.status import Log

CONFLICT = 409

ANY_POSITION = 0
"""A watch from here tells at first what is there."""

Item = TypeVar("Item", bound=Object)


class ObjectByName(Generic[Item]):
    """One object: `collection` is the path of all of its kind, `shape` holds the fields of it that are read."""

    def __init__(self, api: ApiServer, collection: str, name: str, shape: type[Item]) -> None:
        self.name = name
        self.path = f"{collection}/{name}"
        self._collection = collection
        self._api = api
        self._decoder = msgspec.json.Decoder(shape)

    async def read(self) -> Item | None:
        """The object as it is now, None where there is none; raises ApiError."""
        try:
            return self._decoder.decode(await self._api.send("GET", self.path))
        except ApiError as error:
            if error.status == NOT_FOUND:
                return None
            raise
        except msgspec.MsgspecError as error:
            raise ApiError(f"{self.path}: what came cannot be read: {error}") from error

    async def change(self, version: str, fields: Mapping[str, object]) -> bool:
        """Merge some fields into it; False where it has another resourceVersion by now, or is gone. Raises ApiError."""
        body = {"metadata": {"resourceVersion": version}, **fields}
        return await self._is_done("PATCH", self.path, body)

    async def create(self, fields: Mapping[str, object]) -> bool:
        """Make it; False where there is one by now. Raises ApiError."""
        return await self._is_done("POST", self._collection, {"metadata": {"name": self.name}, **fields})

    @asynccontextmanager
    async def watch(self, seconds: int) -> AsyncIterator[AsyncIterator[bytes]]:
        """The events of about so many seconds, beginning with the object as it is; raises ApiError."""
        async with self._api.watch(self._collection, ANY_POSITION, seconds, name=self.name) as lines:
            yield lines

    async def _is_done(self, method: Method, path: str, body: Mapping[str, object]) -> bool:
        try:
            await self._api.send(method, path, body)
        except ApiError as error:
            # A whole namespace may be gone as well, and that is told.
            if error.status == CONFLICT or (error.status == NOT_FOUND and method == "PATCH"):
                return False
            raise
        return True


class Follower:
    """Calls back whenever an object is, or may have been, made, changed or deleted."""

    def __init__(
        self, followed: ObjectByName[Item], changed: Callable[[], None], bounds: Bounds, pace: Pace, log: Log
    ) -> None:
        self._followed = followed
        self._changed = changed
        self._bounds = bounds
        self._pace = pace
        self._log = log
        self._backoff = Backoff(bounds, pace)
        self._reason = ""

    async def run(self) -> None:
        """Watch for good. Ends only by being cancelled."""
        while True:
            began = self._pace.clock()
            try:
                await self._watch()
                reason = "the watch ended as soon as it had begun"
            except (ApiError, msgspec.MsgspecError) as error:
                reason = str(error)
            # A bug of ours or of a library must not end the watch.
            except Exception as error:
                self._log.failure("a watch failed inside", error, path=self._followed.path)
                reason = f"{type(error).__name__}: {error}"
            if self._pace.clock() - began >= self._bounds.shortest_watch_seconds:
                self._backoff.reset()
            elif reason != self._reason:
                self._reason = reason
                self._log.warning("a watch failed and is tried again", path=self._followed.path, reason=reason)
            await self._pace.sleep(self._backoff.next())

    async def _watch(self) -> None:
        seconds = int(self._bounds.watch_seconds * (1 + self._pace.random()))
        async with self._followed.watch(seconds) as lines:
            async for line in lines:
                event = EVENT.decode(line)
                if event.type == "ERROR":
                    status = STATUS.decode(event.object)
                    raise ApiError(f"{status.code} {status.message}", status.code)
                if event.type != "BOOKMARK":
                    self._changed()
                if self._reason:
                    self._reason = ""
                    self._log.info("a watch works again", path=self._followed.path)
