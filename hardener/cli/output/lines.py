"""Which lines of two texts belong together, and which of them to show."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import Literal

from hardener.cli.manifests.draft import Splice
from hardener.model import Path

Tag = Literal["replace", "delete", "insert", "equal"]
Opcode = tuple[Tag, int, int, int, int]
Pair = tuple[int, int]
"""Indices of one and the same line on either side."""

CONTEXT = 3
"""Unchanged lines around a change."""


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that stay, or lines that make way for others, counted from 0; `paths` are what the change is about."""

    stays: bool
    old: range
    new: range
    paths: frozenset[Path] = frozenset()


Hunk = Sequence[Block]


def extent(hunk: Hunk) -> tuple[range, range]:
    """The lines of a hunk on either side."""
    return range(hunk[0].old.start, hunk[-1].old.stop), range(hunk[0].new.start, hunk[-1].new.stop)


def matched_hunks(old: Sequence[str], new: Sequence[str]) -> list[Hunk]:
    """The hunks between two texts of which nothing else is known."""
    return [
        [
            Block(tag == "equal", range(old_from, old_to), range(new_from, new_to))
            for tag, old_from, old_to, new_from, new_to in group
        ]
        for group in LineMatcher(old, new).get_grouped_opcodes(CONTEXT)
    ]


def changed_blocks(text: str, splices: Iterable[Splice]) -> list[Block]:
    """The lines that splices change, in their order; what shares a line is one block."""
    spans: list[tuple[range, range]] = []
    about: list[list[Path]] = []
    growth = line = position = 0
    for splice in splices:
        line += text.count("\n", position, splice.start)
        position = splice.start
        gone = text.count("\n", splice.start, splice.end)
        first, last = _extent(text, splice, line, gone)
        grown = splice.text.count("\n") - gone
        if spans and first < spans[-1][0].stop:
            old, new = spans.pop()
            first, last = old.start, max(last, old.stop)
            new = range(new.start, last + growth + grown)
            about[-1].append(splice.path)
        else:
            new = range(first + growth, last + growth + grown)
            about.append([splice.path])
        growth += grown
        spans.append((range(first, last), new))
    return [Block(False, old, new, frozenset(paths)) for (old, new), paths in zip(spans, about, strict=True)]


def _extent(text: str, splice: Splice, line: int, gone: int) -> Pair:
    """The first line that a splice changes, and the one behind the last; `line` is the one that it begins on."""
    begins_line = splice.start == 0 or text[splice.start - 1] == "\n"
    whole_lines = not splice.text or splice.text.endswith("\n")
    if begins_line and whole_lines and (splice.start == splice.end or text[splice.end - 1] == "\n"):
        return line, line + gone
    if splice.start == splice.end == len(text) and splice.text.lstrip("\r").startswith("\n"):
        return line + 1, line + 1
    return line, line + gone + 1


def hunks_of(blocks: Sequence[Block], chosen: Sequence[int], length: int) -> list[Hunk]:
    """The hunks of some of the blocks in a text of so many lines; no context reaches into another block."""
    hunks: list[list[Block]] = []
    last: int | None = None
    for index in chosen:
        block = blocks[index]
        low = blocks[index - 1].old.stop if index else 0
        high = blocks[index + 1].old.start if index + 1 < len(blocks) else length
        gap = block.old.start - low
        if last == index - 1 and gap <= 2 * CONTEXT:
            hunks[-1].pop()
            before = gap
        else:
            hunks.append([])
            before = min(gap, CONTEXT)
        after = min(high - block.old.stop, CONTEXT)
        hunks[-1] += [
            Block(True, _before(block.old, before), _before(block.new, before)),
            block,
            Block(True, _after(block.old, after), _after(block.new, after)),
        ]
        last = index
    return list[Hunk](hunks)


def _before(lines: range, count: int) -> range:
    return range(lines.start - count, lines.start)


def _after(lines: range, count: int) -> range:
    return range(lines.stop, lines.stop + count)


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
