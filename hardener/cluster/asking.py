"""Asking: what the watches do not show yet of one namespace is asked for once, however many pods wait for it."""

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import TypeVar

from hardener.cluster.api_server import NOT_FOUND, ApiError, ApiServer
from hardener.cluster.bounds import Bounds, Pace
from hardener.cluster.resources import NAMESPACES
from hardener.cluster.status import Log
from hardener.cluster.tables import Rows, Table, Tables
from hardener.model import UNKNOWN, Facts

Row = TypeVar("Row")
Keep = Callable[[], None]
"""Puts one answer into its table."""

_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
"""What a namespace can be called; anything else must not become part of a path."""


class Asking:
    """Asks for single namespaces; `asked`, `missing` and `unanswered` count (see Status)."""

    def __init__(self, tables: Tables, api: ApiServer, bounds: Bounds, pace: Pace, log: Log) -> None:
        self.asked = 0
        self.missing = 0
        self.unanswered = 0
        self._tables = tables
        self._api = api
        self._bounds = bounds
        self._clock = pace.clock
        self._log = log
        self._flights: dict[str, asyncio.Task[None]] = {}
        self._in_vain: dict[str, tuple[float, bool]] = {}
        self._is_failing = False

    async def ask(self, namespace: str) -> Facts:
        """The facts of a namespace, asked for where the tables do not know them; takes `ask_seconds` at most.

        What could not be learnt is left out, and never raises.
        """
        facts = self._tables.settled(namespace)
        if facts.known or self._was_in_vain(namespace):
            return facts
        if not _NAME.fullmatch(namespace):
            return UNKNOWN
        flight = self._flights.get(namespace)
        if flight is None:
            flight = self._flights[namespace] = asyncio.create_task(self._fly(namespace))
            flight.add_done_callback(lambda _: self._flights.pop(namespace, None))
        # It is not awaited, so that neither its end nor that of another waiting pod reaches this one.
        await asyncio.wait([flight])
        return self._tables.facts(namespace)

    def cancel(self) -> list[asyncio.Task[None]]:
        """Stop asking, and return what has still to end; whoever waits gets what is known."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        return flights

    async def _fly(self, namespace: str) -> None:
        self.asked += 1
        parts = [asyncio.create_task(question) for question in self._questions(namespace)]
        try:
            done, late = await asyncio.wait(parts, timeout=self._bounds.ask_seconds)
        finally:
            for part in parts:
                part.cancel()
        problems = [error for part in done if (error := part.exception()) is not None]
        if any(isinstance(error, ApiError) and error.status == NOT_FOUND for error in problems):
            self.missing += 1
            self._not_again(namespace, is_missing=True)
            return
        for part in done:
            if part.exception() is None:
                keep = part.result()
                keep()
        if problems or late:
            self._failed(namespace, str(problems[0]) if problems else f"no answer in {self._bounds.ask_seconds:g} s")
        else:
            self._is_failing = False
            self._tables.grown(namespace)

    def _questions(self, namespace: str) -> Iterator[Coroutine[None, None, Keep]]:
        """Everything about a namespace that is new to the watches, for all of them may be behind; else what is missing."""
        tables = self._tables
        is_new = tables.is_young(namespace) or not tables.namespaces.of(namespace)
        if is_new:
            yield self._named(namespace)
        if is_new or tables.limit_ranges.of(namespace) is None:
            yield self._listed(tables.limit_ranges, namespace)
        if is_new or tables.quotas.of(namespace) is None:
            yield self._listed(tables.quotas, namespace)
        if is_new or tables.accounts.of(namespace) is None:
            yield self._listed(tables.accounts, namespace)

    async def _named(self, namespace: str) -> Keep:
        path = f"{NAMESPACES.path}/{namespace}"
        found = NAMESPACES.read(await self._api.get(path))
        if found.row is None:
            raise ApiError(f"{path}: cannot be read: {found.problem}")
        return partial(self._tables.answer, self._tables.namespaces, namespace, {found.name: found.row}, found.position)

    async def _listed(self, table: Table[Row], namespace: str) -> Keep:
        rows: Rows[Row] = {}
        position = None
        async for page in self._api.pages(f"{NAMESPACES.path}/{namespace}/{table.resource.name}"):
            position = page.position if position is None else position
            for raw in page.items or ():
                found = table.resource.read(raw)
                if found.row is not None:
                    rows[found.name] = found.row
        return partial(self._tables.answer, table, namespace, rows, position or 0)

    def _failed(self, namespace: str, reason: str) -> None:
        self.unanswered += 1
        self._not_again(namespace, is_missing=False)
        if not self._is_failing:
            self._log.warning("a namespace could not be asked for", namespace=namespace, reason=reason)
        self._is_failing = True

    def _not_again(self, namespace: str, *, is_missing: bool) -> None:
        """Remember for a moment that asking was in vain, and forget the oldest where there are too many."""
        self._in_vain.pop(namespace, None)
        self._in_vain[namespace] = self._clock() + self._bounds.ask_again_seconds, is_missing
        if len(self._in_vain) > self._bounds.remembered:
            del self._in_vain[next(iter(self._in_vain))]

    def _was_in_vain(self, namespace: str) -> bool:
        until, is_missing = self._in_vain.get(namespace, (0.0, False))
        # What was missing may have been made since.
        return self._clock() < until and not (is_missing and self._tables.namespaces.of(namespace))
