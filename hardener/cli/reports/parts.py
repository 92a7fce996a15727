"""Parts of a page: the first of some rows, and bars in percent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from hardener.pss import Level
from hardener.report.report import State

ROWS = 200
"""Of one list."""

NARROWEST = 0.8
"""Percent of a bar that the smallest segment takes: one pod of thousands is still seen."""

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Part(Generic[Row]):
    """The first of some rows, and how many others there are."""

    rows: Sequence[Row]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar: `of` is what it counts, `start` and `width` are in percent."""

    of: State | Level
    number: int
    start: float
    width: float


def first(rows: Sequence[Row], limit: int = ROWS) -> Part[Row]:
    """As many rows as one reads, by default as many as one list has."""
    return Part(rows[:limit], max(len(rows) - limit, 0))


Counted = TypeVar("Counted", State, Level)


def bar(counts: Mapping[Counted, int], order: Iterable[Counted]) -> Sequence[Segment]:
    """The segments of a bar, in order; those that count nothing are left out."""
    present = [each for each in order if counts.get(each)]
    total = sum(counts[each] for each in present)
    wished = [max(100 * counts[each] / total, NARROWEST) for each in present]
    widths = [100 * width / sum(wished) for width in wished]
    return [
        Segment(each, counts[each], sum(widths[:position]), widths[position]) for position, each in enumerate(present)
    ]


def css_class(of: State | Level) -> str:
    """The name of a state or level in the page's style."""
    return of.replace(" ", "-")
