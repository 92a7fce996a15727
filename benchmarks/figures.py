"""Figures of several rounds, and how rounds are taken: in turn, so that a machine that slows down slows all sides."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import msgspec

K = TypeVar("K")
T = TypeVar("T")


class Figure(msgspec.Struct, frozen=True):
    """The median of some rounds, and the least and the most of them."""

    median: float
    least: float
    most: float

    def text(self, digits: int = 2) -> str:
        """The median alone."""
        return f"{self.median:,.{digits}f}"

    def whole(self, digits: int = 2) -> str:
        """The median with its range."""
        return f"{self.text(digits)} ({self.least:,.{digits}f} to {self.most:,.{digits}f})"


def figure(values: Sequence[float]) -> Figure:
    """Of at least one round."""
    return Figure(statistics.median(values), min(values), max(values))


def ratio(values: Sequence[float], base: Sequence[float]) -> Figure:
    """Of two things that were measured in the same rounds: each round is a ratio of its own."""
    return figure([value / other for value, other in zip(values, base, strict=True)])


def interleaved(measures: Mapping[K, Callable[[], T]], rounds: int) -> dict[K, list[T]]:
    """Take rounds A B C A B C ...; a first one, which warms all of them up, does not count."""
    taken: dict[K, list[T]] = {name: [] for name in measures}
    for number in range(-1, rounds):
        for name, measure in measures.items():
            value = measure()
            if number >= 0:
                taken[name].append(value)
    return taken


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, rule: str = "---:") -> str:
    """A table in Markdown; the first column is text, the others are numbers unless another `rule` is given."""
    rules = ["---", *[rule] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rules, *rows))
