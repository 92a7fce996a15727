"""What is known of the cluster: a table for each resource, and the Facts of a namespace made from them.

A row comes from a list, from a watch, or from asking for one namespace. Positions, which are resourceVersions as
numbers, say which of two words is the later one.
"""

from asyncio import Event
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from hardener.cluster.bounds import Bounds
from hardener.cluster.resources import (
    LIMIT_RANGES,
    NAMESPACES,
    RESOURCE_QUOTAS,
    SERVICE_ACCOUNTS,
    Labels,
    Limits,
    Resource,
)
from hardener.model import UNKNOWN, Facts, Quota

Row = TypeVar("Row")
Rows = dict[str, Row]
"""Rows of one namespace, by the object's name."""


class Table(Generic[Row]):
    """The rows of one resource, as far as its watch has come, and the answers that are ahead of it.

    `synced` says whether everything was listed once, and `position` how far the watch has come since. At most
    `remembered` answers are kept, the newest.
    """

    def __init__(self, resource: Resource[Row], remembered: int) -> None:
        self.resource = resource
        self.synced = False
        self.position = 0
        self._rows: dict[str, Rows[Row]] = {}
        self._answers: dict[str, tuple[int, Rows[Row]]] = {}
        self._remembered = remembered

    @property
    def namespaces(self) -> frozenset[str]:
        """Those that have a row of the watch."""
        return frozenset(self._rows)

    def __contains__(self, namespace: str) -> bool:
        return namespace in self._rows

    def row(self, namespace: str, name: str) -> Row | None:
        """What the watch has shown of one object."""
        return self._rows.get(namespace, {}).get(name)

    def of(self, namespace: str) -> Mapping[str, Row] | None:
        """What is known of a namespace; None where nothing is, not even that there is nothing."""
        position, rows = self._answers.get(namespace, (0, {}))
        if position > self.position:
            return rows
        return self._rows.get(namespace, {}) if self.synced else None

    def is_answered(self, namespace: str) -> bool:
        """Whether an answer about the namespace is ahead of the watch."""
        return namespace in self._answers and self._answers[namespace][0] > self.position

    def replace(self, rows: dict[str, Rows[Row]], position: int) -> None:
        """Take over a whole list."""
        if position < self.position:
            # The cluster's store was brought back to an older state, of which no answer tells.
            self._answers.clear()
        self.synced = True
        self._rows = rows
        self.advance(position)

    def put(self, namespace: str, name: str, row: Row | None, position: int) -> None:
        """Take over one event; None takes the row away."""
        self.position = position
        if row is not None:
            self._rows.setdefault(namespace, {})[name] = row
        elif namespace in self._rows:
            self._rows[namespace].pop(name, None)
            if not self._rows[namespace]:
                del self._rows[namespace]

    def advance(self, position: int) -> None:
        """The watch has come so far; drop the answers that it has caught up with."""
        self.position = position
        self._answers = {namespace: answer for namespace, answer in self._answers.items() if answer[0] > position}

    def answer(self, namespace: str, rows: Rows[Row], position: int) -> str | None:
        """Keep what was answered about one namespace; return another one whose answer had to make room for it."""
        self._answers.pop(namespace, None)
        self._answers[namespace] = position, rows
        if len(self._answers) <= self._remembered:
            return None
        oldest = next(iter(self._answers))
        del self._answers[oldest]
        return oldest

    def forget(self, namespace: str) -> None:
        """Drop the answer about a namespace."""
        self._answers.pop(namespace, None)


class Tables:
    """All tables, and the Facts made from them, each kept until something that it stands on changes.

    A namespace that appears while the other watches run may have LimitRanges that these have not shown yet. It is young
    for some seconds, in which its facts are not `known` unless it is asked for. `clock` gives seconds; `complete` is set
    once every resource has been listed.
    """

    def __init__(self, bounds: Bounds, clock: Callable[[], float]) -> None:
        self.namespaces: Table[Labels] = Table(NAMESPACES, bounds.remembered)
        self.limit_ranges: Table[Limits] = Table(LIMIT_RANGES, bounds.remembered)
        self.quotas: Table[Quota] = Table(RESOURCE_QUOTAS, bounds.remembered)
        self.accounts: Table[bool] = Table(SERVICE_ACCOUNTS, bounds.remembered)
        self.complete = Event()
        self._young_seconds = bounds.young_seconds
        self._clock = clock
        self._facts: dict[str, Facts] = {}
        self._young: dict[str, float] = {}

    def facts(self, namespace: str) -> Facts:
        """What is known of a namespace; UNKNOWN where nothing is."""
        found = self._facts.get(namespace)
        return self._make(namespace) if found is None else found

    def settled(self, namespace: str) -> Facts:
        """The same, of a namespace that may have been young until now."""
        since = self._young.get(namespace)
        if since is not None and self._clock() - since >= self._young_seconds:
            self.grown(namespace)
        return self.facts(namespace)

    def is_young(self, namespace: str) -> bool:
        return namespace in self._young

    def grown(self, namespace: str) -> None:
        """A namespace is young no longer: all its rows have been there to see."""
        self._young.pop(namespace, None)
        self._facts.pop(namespace, None)

    def put(self, table: Table[Row], namespace: str, name: str, row: Row | None, position: int) -> None:
        """Take over one event of a table's watch; None takes the row away."""
        is_new = namespace not in table and not table.is_answered(namespace)
        table.put(namespace, name, row, position)
        self._facts.pop(namespace, None)
        if table is self.namespaces:
            if not table.of(namespace):
                self._gone(namespace)
            elif is_new:
                self._appeared(namespace)

    def replace(self, table: Table[Row], rows: dict[str, Rows[Row]], position: int) -> None:
        """Take over a whole list of a table's resource."""
        before = table.namespaces
        answered = {namespace for namespace in rows if table.is_answered(namespace)}
        table.replace(rows, position)
        self._facts.clear()
        if table is self.namespaces:
            for namespace in before - rows.keys():
                self._gone(namespace)
            for namespace in rows.keys() - before - answered:
                self._appeared(namespace)
        if all(each.synced for each in (self.namespaces, *self._others)):
            self.complete.set()

    def answer(self, table: Table[Row], namespace: str, rows: Rows[Row], position: int) -> None:
        """Keep what the API server has answered about one namespace."""
        dropped = table.answer(namespace, rows, position)
        self._facts.pop(namespace, None)
        if dropped is not None:
            self._facts.pop(dropped, None)

    @property
    def _others(self) -> tuple[Table[Any], ...]:
        return self.limit_ranges, self.quotas, self.accounts

    def _appeared(self, namespace: str) -> None:
        if not any(table.synced for table in self._others):
            # Whatever the others list from now on is later than the namespace.
            return
        now = self._clock()
        while self._young:
            oldest = next(iter(self._young))
            if now - self._young[oldest] < self._young_seconds:
                break
            self.grown(oldest)
        self._young[namespace] = now

    def _gone(self, namespace: str) -> None:
        self.grown(namespace)
        for table in (self.namespaces, *self._others):
            table.forget(namespace)

    def _make(self, namespace: str) -> Facts:
        """Put the facts together, in the order of names, so that all replicas have the same."""
        named = self.namespaces.of(namespace)
        if not named:
            return UNKNOWN
        limits, quotas = self.limit_ranges.of(namespace), self.quotas.of(namespace)
        accounts = self.accounts.of(namespace)
        known = namespace not in self._young and None not in (limits, quotas, accounts)
        facts = self._facts[namespace] = Facts(
            known,
            MappingProxyType(named[namespace]),
            tuple(limit for _, ranges in sorted((limits or {}).items()) for limit in ranges),
            tuple(quota for _, quota in sorted((quotas or {}).items())),
            frozenset(accounts or ()),
        )
        return facts
