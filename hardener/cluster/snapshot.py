"""Snapshot: the Facts of namespaces, listed once and not watched. It needs `list`, and `get` for namespaces by name."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from hardener.cluster.api_server import NOT_FOUND, ApiError, ApiServer
from hardener.cluster.bounds import Bounds, Pace
from hardener.cluster.listing import FORBIDDEN, Listed, problem, read_list
from hardener.cluster.resources import NAMESPACES
from hardener.cluster.tables import Rows, Table, Tables
from hardener.model import Facts

Row = TypeVar("Row")

_WITHOUT = {
    "namespaces": "labels are not known, so that what they might decide counts as dry-run",
    "limitranges": "default resources are taken for held back",
    "resourcequotas": "default resources are taken for held back",
    "serviceaccounts": "default resources are taken for held back, and accounts that want their token are not known",
}


class Snapshot:
    """What is known of namespaces since `read`; `problems` says what could not be read."""

    def __init__(self, api: ApiServer, bounds: Bounds, pace: Pace) -> None:
        self.problems: list[str] = []
        self._api = api
        self._tables = Tables(bounds, pace.clock)
        self._names: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """The namespaces that are there."""
        return self._names

    def facts(self, namespace: str) -> Facts:
        return self._tables.facts(namespace)

    async def read(self, namespaces: Sequence[str]) -> None:
        """Read what concerns these namespaces, or all where none is named. Raises nothing that a right may lack of."""
        tables = self._tables
        others: list[Table[object]] = [tables.limit_ranges, tables.quotas, tables.accounts]  # type: ignore[list-item]
        if not namespaces:
            await self._read_all(tables.namespaces)
            self._names = tables.namespaces.namespaces
            for table in others:
                await self._read_all(table)
            return
        for namespace in namespaces:
            if await self._is_there(namespace):
                for table in others:
                    await self._read_of(table, namespace)

    async def _read_all(self, table: Table[Row]) -> None:
        rows: dict[str, Rows[Row]] = {}
        listed = _listed(table)

        def take(raw: msgspec.Raw) -> None:
            found = table.resource.read(raw)
            if found.row is not None:
                rows.setdefault(found.namespace, {})[found.name] = found.row

        try:
            position = await read_list(self._api, listed, take, rows.clear)
        except ApiError as error:
            self.problems.append(problem(listed, error))
        else:
            self._tables.replace(table, rows, position)

    async def _read_of(self, table: Table[Row], namespace: str) -> None:
        rows: Rows[Row] = {}
        listed = _listed(table)

        def take(raw: msgspec.Raw) -> None:
            found = table.resource.read(raw)
            if found.row is not None:
                rows[found.name] = found.row

        try:
            position = await read_list(self._api, listed, take, rows.clear, (namespace,))
        except ApiError as error:
            self.problems.append(problem(listed, error, namespace))
        else:
            self._tables.answer(table, namespace, rows, position)

    async def _is_there(self, namespace: str) -> bool:
        """Whether a namespace may hold pods; one that must not be read may."""
        try:
            found = NAMESPACES.read(await self._api.get(f"{NAMESPACES.path}/{namespace}"))
        except ApiError as error:
            if error.status == NOT_FOUND:
                self.problems.append(f"there is no namespace {namespace}")
                return False
            reason = "no right to get it" if error.status == FORBIDDEN else f"it cannot be read ({error})"
            self.problems.append(f"namespace {namespace}: {reason}: {_WITHOUT['namespaces']}")
        except msgspec.MsgspecError as error:
            self.problems.append(f"namespace {namespace} cannot be read: {error}")
        else:
            rows = {found.name: found.row} if found.row is not None else {}
            self._tables.answer(self._tables.namespaces, namespace, rows, found.position)
        self._names |= {namespace}
        return True


def _listed(table: Table[Row]) -> Listed:
    return Listed(table.resource.name, without=_WITHOUT[table.resource.name])
