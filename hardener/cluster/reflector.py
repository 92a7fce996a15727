"""Reflector: keeps one table as the API server has it, with a list and the watch that follows it."""

import asyncio
from typing import Generic, TypeVar

import msgspec

from hardener.cluster.api_server import ApiError, ApiServer
from hardener.cluster.bounds import Backoff, Bounds, Pace
from hardener.cluster.objects import EVENT, STATUS, bookmark
from hardener.cluster.resources import Found
from hardener.cluster.status import Log, WatchStatus
from hardener.cluster.tables import Rows, Table, Tables

Row = TypeVar("Row")


class Reflector(Generic[Row]):
    """The list and watch of one table. Whatever fails, the rows stay until there are newer ones.

    `listed` is set once the first list has come.
    """

    def __init__(self, table: Table[Row], tables: Tables, api: ApiServer, bounds: Bounds, pace: Pace, log: Log) -> None:
        self.listed = asyncio.Event()
        self._table = table
        self._tables = tables
        self._api = api
        self._bounds = bounds
        self._pace = pace
        self._log = log
        self._backoff = Backoff(bounds, pace)
        self._is_listed = False
        self._heard: float | None = None
        self._lists = 0
        self._failures = 0
        self._in_a_row = 0
        self._has_expired = False
        self._reason = ""

    async def run(self, after: asyncio.Event | None = None) -> None:
        """List and watch for good; begin when `after` is set. Ends only by being cancelled."""
        if after is not None:
            await after.wait()
        while True:
            try:
                if not self._is_listed:
                    await self._list()
                await self._watch()
            except ApiError as error:
                await self._failed(error)
            except msgspec.MsgspecError as error:
                await self._failed(ApiError(f"{self._path}: what came cannot be read: {error}"))
            # A bug of ours or of a library must not end the watch.
            except Exception as error:
                self._is_listed = False
                self._log.failure("a watch failed inside", error, resource=self._table.resource.name)
                await self._failed(ApiError(f"{self._path}: {type(error).__name__}: {error}"))

    def status(self) -> WatchStatus:
        age = None if self._heard is None else self._pace.clock() - self._heard
        name, synced = self._table.resource.name, self._table.synced
        return WatchStatus(name, synced, age, self._lists, self._failures, self._reason)

    @property
    def _path(self) -> str:
        return self._table.resource.path

    async def _list(self) -> None:
        rows: dict[str, Rows[Row]] = {}
        position = None
        async for page in self._api.pages(self._path):
            # Later pages tell of the moment of the first.
            position = page.position if position is None else position
            for raw in page.items or ():
                found = self._read(raw)
                if found.row is not None:
                    held = self._table.row(found.namespace, found.name)
                    # Two copies of a large cluster would have to fit into memory.
                    row = held if held == found.row else found.row
                    rows.setdefault(found.namespace, {})[found.name] = row
            self._heard = self._pace.clock()
        self._tables.replace(self._table, rows, position or 0)
        self._lists += 1
        self._is_listed = True
        self.listed.set()

    async def _watch(self) -> None:
        """Follow one watch to its end; raises ApiError or msgspec.MsgspecError where that comes too early."""
        clock = self._pace.clock
        began, events = clock(), 0
        seconds = int(self._bounds.watch_seconds * (1 + self._pace.random()))
        async with self._api.watch(self._path, self._table.position, seconds) as lines:
            async for line in lines:
                self._take(line)
                events += 1
                self._heard = clock()
                self._recovered()
        if not events and clock() - began < self._bounds.shortest_watch_seconds:
            raise ApiError(f"{self._path}: the watch ended as soon as it had begun")
        self._recovered()

    def _take(self, line: bytes) -> None:
        event = EVENT.decode(line)
        match event.type:
            case "ADDED" | "MODIFIED" | "DELETED":
                found = self._read(event.object)
                row = None if event.type == "DELETED" else found.row
                self._tables.put(self._table, found.namespace, found.name, row, found.position)
            case "BOOKMARK":
                self._table.advance(bookmark(event.object))
            case "ERROR":
                status = STATUS.decode(event.object)
                raise ApiError(f"{self._path}: {status.code} {status.message}", status.code)

    def _read(self, raw: msgspec.Raw) -> Found[Row]:
        found = self._table.resource.read(raw)
        if found.problem:
            self._log.warning(
                "an object cannot be read, and is taken for one that holds every default back",
                resource=self._table.resource.name,
                namespace=found.namespace,
                name=found.name,
                reason=found.problem,
            )
        return found

    async def _failed(self, error: ApiError) -> None:
        self._in_a_row += 1
        if error.is_expired or self._in_a_row % self._bounds.failures == 0:
            self._is_listed = False
        # Once is an ordinary end, after a long time without a connection or a change.
        is_ordinary = error.is_expired and not self._has_expired
        self._has_expired = error.is_expired
        if not is_ordinary:
            self._failures += 1
            reason = str(error)
            if reason != self._reason:
                self._log.warning(
                    "a watch failed and is tried again", resource=self._table.resource.name, reason=reason
                )
            self._reason = reason
        await self._pace.sleep(max(self._backoff.next(), min(error.retry_after, self._bounds.longest_delay_seconds)))

    def _recovered(self) -> None:
        self._in_a_row = 0
        self._has_expired = False
        self._backoff.reset()
        if self._reason:
            self._reason = ""
            self._log.info("a watch works again", resource=self._table.resource.name)
