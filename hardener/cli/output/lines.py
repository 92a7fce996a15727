"""Which lines of two texts belong together."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Literal

Tag = Literal["replace", "delete", "insert", "equal"]
Opcode = tuple[Tag, int, int, int, int]
Pair = tuple[int, int]
"""Indices of one and the same line on either side."""


class LineMatcher(SequenceMatcher[str]):
    """A SequenceMatcher that first pairs the lines that stand once on either side, as patience diff does.

    Containers resemble one another, which makes difflib's own search quadratic and worse: a pod of 200 takes it a
    minute. Between lines such as `- name: app` little is left to search.
    """

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        super().__init__(None, old, new, autojunk=False)
        self._old, self._new = old, new

    def get_opcodes(self) -> list[Opcode]:
        old, new = self._old, self._new
        opcodes: list[Opcode] = []
        fences = [(-1, -1), *anchors(old, new), (len(old), len(new))]
        for (old_start, new_start), (old_end, new_end) in pairwise(fences):
            for opcode in _between(old, new, (old_start + 1, new_start + 1), (old_end, new_end)):
                _append(opcodes, opcode)
            if old_end < len(old):
                _append(opcodes, ("equal", old_end, old_end + 1, new_end, new_end + 1))
        return opcodes


def anchors(old: Sequence[str], new: Sequence[str]) -> list[Pair]:
    """The lines that stand exactly once on either side: the longest row of them that is in the same order on both."""
    in_old, in_new = Counter(old), Counter(new)
    place = {line: index for index, line in enumerate(new)}
    tops: list[int] = []
    links: dict[int, tuple[int, int | None]] = {}
    for index, line in enumerate(old):
        if in_old[line] != 1 or in_new[line] != 1:
            continue
        pile = bisect_left(tops, place[line])
        links[place[line]] = (index, tops[pile - 1] if pile else None)
        tops[pile : pile + 1] = [place[line]]
    row: list[Pair] = []
    at = tops[-1] if tops else None
    while at is not None:
        index, before = links[at]
        row.append((index, at))
        at = before
    return row[::-1]


def _between(old: Sequence[str], new: Sequence[str], start: Pair, end: Pair) -> Iterator[Opcode]:
    """Compare the lines between two anchors; what is equal at either end needs no search."""
    old_lines, new_lines = old[start[0] : end[0]], new[start[1] : end[1]]
    head = _shared(old_lines, new_lines)
    tail = _shared(old_lines[head:][::-1], new_lines[head:][::-1])
    old_at, new_at = start[0] + head, start[1] + head
    yield "equal", start[0], old_at, start[1], new_at
    middle = SequenceMatcher(
        None, old_lines[head : len(old_lines) - tail], new_lines[head : len(new_lines) - tail], autojunk=False
    )
    for tag, old_from, old_to, new_from, new_to in middle.get_opcodes():
        yield tag, old_at + old_from, old_at + old_to, new_at + new_from, new_at + new_to
    yield "equal", end[0] - tail, end[0], end[1] - tail, end[1]


def _shared(old: Sequence[str], new: Sequence[str]) -> int:
    """How many lines are equal from the beginning."""
    return next(
        (index for index, (one, other) in enumerate(zip(old, new, strict=False)) if one != other),
        min(len(old), len(new)),
    )


def _append(opcodes: list[Opcode], opcode: Opcode) -> None:
    """Put an opcode at the end; equal lines that follow equal ones are one stretch, and an empty stretch is none."""
    tag, _, old_end, _, new_end = opcode
    if opcode[1] == old_end and opcode[3] == new_end:
        return
    if tag == "equal" and opcodes and opcodes[-1][0] == tag:
        _, old_start, _, new_start, _ = opcodes[-1]
        opcodes[-1] = (tag, old_start, old_end, new_start, new_end)
    else:
        opcodes.append(opcode)
