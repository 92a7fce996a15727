"""Cluster: what the API server knows about namespaces, at hand without asking it."""

import asyncio
from typing import Any, Self

from hardener.cluster.api_server import ApiServer
from hardener.cluster.asking import Asking
from hardener.cluster.bounds import Bounds, Pace
from hardener.cluster.credentials import Credentials
from hardener.cluster.reflector import Reflector
from hardener.cluster.status import Log, Silence, Status
from hardener.cluster.tables import Tables
from hardener.model import Facts


class Cluster:
    """The facts of every namespace. `async with Cluster(credentials()) as cluster:` starts it and stops it.

    It needs to `get` namespaces, and to `list` and `watch` namespaces, limitranges, resourcequotas and serviceaccounts,
    all over the cluster. Nothing that happens to the API server reaches the caller: the last known rows stay.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        log: Log | None = None,
        bounds: Bounds | None = None,
        pace: Pace | None = None,
    ) -> None:
        log, bounds, pace = log or Silence(), bounds or Bounds(), pace or Pace()
        tables = self._tables = Tables(bounds, pace.clock)
        api = self._api = ApiServer(credentials, bounds, pace, log)
        self._asking = Asking(tables, api, bounds, pace, log)
        self._reflectors: tuple[Reflector[Any], ...] = (
            Reflector(tables.namespaces, tables, api, bounds, pace, log),
            Reflector(tables.limit_ranges, tables, api, bounds, pace, log),
            Reflector(tables.quotas, tables, api, bounds, pace, log),
            Reflector(tables.accounts, tables, api, bounds, pace, log),
        )
        self._watches: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Begin to list and watch; return before anything has come.

        Raises StartError where the credentials cannot be read. An API server that does not answer is no error.
        """
        await self._api.open()
        first, *others = self._reflectors
        # What the others list later than the namespaces is there for all of them.
        self._watches = [
            asyncio.create_task(first.run()),
            *(asyncio.create_task(other.run(after=first.listed)) for other in others),
        ]

    async def close(self) -> None:
        """Stop; the facts stay as they are."""
        for watch in self._watches:
            watch.cancel()
        await asyncio.gather(*self._watches, *self._asking.cancel(), return_exceptions=True)
        await self._api.close()

    def facts(self, namespace: str) -> Facts:
        """What is known of a namespace now; where it is not `known`, `ask` may know more."""
        return self._tables.facts(namespace)

    async def ask(self, namespace: str) -> Facts:
        """What is known of a namespace after the API server was asked for what the watches have not shown yet.

        A namespace is asked for once, however many wait, for at most half a second. One that is not there, or could not
        be asked for, is not asked for again for some seconds.
        """
        return await self._asking.ask(namespace)

    async def wait_until_synced(self, seconds: float | None) -> bool:
        """Wait until every resource has been listed once; say whether it has within so many seconds, if there is an end."""
        try:
            async with asyncio.timeout(seconds):
                await self._tables.complete.wait()
        except TimeoutError:
            return False
        return True

    def status(self) -> Status:
        """How the watches stand."""
        asking = self._asking
        return Status(
            tuple(reflector.status() for reflector in self._reflectors),
            asking.asked,
            asking.missing,
            asking.unanswered,
        )
