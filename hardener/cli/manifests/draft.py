"""A text on its way to another one: what is put where, and where its lines end."""

import re
from dataclasses import dataclass
from typing import Any

import yaml

from hardener.model import Path

_BREAK = re.compile(r"\r\n|\r|\n")
_LINE_REST = re.compile(r"[^\r\n]*")
_COMMENT_LINE = re.compile(r"([ \t]*)#[^\r\n]*(?:\r\n|\r|\n|\Z)")
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*\s+)*")
_BLOCK_HEADER = re.compile(r"[|>][0-9]?[-+]?")


@dataclass(frozen=True, slots=True)
class Splice:
    """The characters from `start` to `end` give way to the text; `path` is what in the document that is about."""

    start: int
    end: int
    text: str
    path: Path


class Draft:
    """The text, the nodes in it, and the splices into it so far."""

    def __init__(self, text: str, root: yaml.Node) -> None:
        self.text = text
        self._last: yaml.Node | None = root
        first = _BREAK.search(text)
        self.line_break = first[0] if first else "\n"
        self.splices: list[Splice] = []

    def put(self, start: int, end: int, text: str, path: Path) -> None:
        self.splices.append(Splice(start, end, text, path))

    def put_lines(self, position: int, lines: list[str], path: Path) -> None:
        """Put whole lines where a line begins, or behind a last line that has no end."""
        text = "".join(line + self.line_break for line in lines)
        if position == len(self.text) and not self.begins_line(position):
            text = self.line_break + text.removesuffix(self.line_break)
            self._end_block_scalar(path)
        self.put(position, position, text, path)

    def _end_block_scalar(self, path: Path) -> None:
        """Let a block of text that ends with the file, without a line break, not get one by what follows it."""
        node, self._last = self._last, None
        while isinstance(node, yaml.CollectionNode):
            last = node.value[-1] if node.value else None
            node = last[1] if isinstance(last, tuple) else last
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            header = _BLOCK_HEADER.match(self.text, self.start(node))
            if header and "-" not in header[0]:
                start = header.end() - header[0].count("+")
                self.put(start, header.end(), "-", path)

    def begins_line(self, position: int) -> bool:
        return position == 0 or self.text[position - 1] in "\r\n"

    def line_start(self, position: int) -> int:
        return max(self.text.rfind("\n", 0, position), self.text.rfind("\r", 0, position)) + 1

    def column(self, position: int) -> int:
        return position - self.line_start(position)

    def prefix(self, position: int) -> str:
        """The spaces and tabs that the line of this position begins with."""
        line = self.text[self.line_start(position) : position]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def opens_line(self, position: int) -> bool:
        """Whether nothing but spaces and tabs stands before it on its line."""
        while position and self.text[position - 1] in " \t":
            position -= 1
        return self.begins_line(position)

    def line_end(self, position: int) -> int:
        """Where the line of this position ends, before its line break."""
        rest = _LINE_REST.match(self.text, position)
        return rest.end() if rest else position

    def next_line(self, position: int, comments_from: int | None = None) -> int:
        """Where the next line begins; behind the comments that follow at once, from that column on."""
        end = self.line_end(position)
        line_break = _BREAK.match(self.text, end)
        position = line_break.end() if line_break else end
        while comments_from is not None and self.begins_line(position):
            comment = _COMMENT_LINE.match(self.text, position)
            if comment is None or len(comment[1]) < comments_from or comment.end() == position:
                break
            position = comment.end()
        return position

    def start(self, node: yaml.Node) -> int:
        """Where a value begins, behind its anchor and tag."""
        start = begin(node)
        if self.text[start : start + 1] not in ("&", "!"):
            return start
        properties = _PROPERTIES.match(self.text, start, end_mark(node))
        return properties.end() if properties else start

    def end(self, node: yaml.Node) -> int:
        """Where a value ends, without what follows it on the line and without blank lines."""
        node = last_value(node)
        if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
            return self._block_scalar_end(node)
        return end_mark(node)

    def _block_scalar_end(self, node: yaml.ScalarNode) -> int:
        end = end_mark(node)
        header = _BLOCK_HEADER.match(self.text, self.start(node))
        if header and "+" in header[0]:
            return end - 1 if self.begins_line(end) else end
        return len(self.text[:end].rstrip())

    def finished(self) -> tuple[str, list[Splice]]:
        """The new text, and the splices in their order."""
        splices = sorted(self.splices, key=lambda each: (each.start, each.end > each.start))
        parts: list[str] = []
        position = 0
        for splice in splices:
            parts += (self.text[position : splice.start], splice.text)
            position = max(position, splice.end)
        return "".join([*parts, self.text[position:]]), splices


def last_value(node: yaml.Node) -> yaml.Node:
    """The node that a collection in block style ends with; any other node itself."""
    while isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return node


def begin(node: yaml.Node) -> int:
    """Where a node begins, with its anchor and tag."""
    mark: Any = node.start_mark
    index: int = mark.index
    return index


def column(node: yaml.Node) -> int:
    """The column that it begins in."""
    mark: Any = node.start_mark
    place: int = mark.column
    return place


def end_mark(node: yaml.Node) -> int:
    """Where the reader saw it end; in block style, that may be some lines further down."""
    mark: Any = node.end_mark
    index: int = mark.index
    return index
