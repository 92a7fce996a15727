"""Added lines whose meaning follows from where they stand, so that the rest need not be read again.

Most edits put whole lines behind a mapping or a list in block style, in the column of its keys or dashes. A reader of YAML
goes by columns there: behind the last value of the collection such a line ends whatever was open in deeper columns, as the
line that follows did before, and begins an entry; what it opens has ended where that line begins. So all else is read as
before, and the added lines are read as they are by themselves, without their indentation
(docs/decisions/0018-edits-in-the-authors-text.md). Whatever is not plainly of this kind is not answered for here.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import yaml

from hardener.cli.manifests.changes import Change
from hardener.cli.manifests.draft import Splice, begin, column, end_mark, last_value
from hardener.cli.manifests.kubernetes_yaml import child_of, read_nodes
from hardener.cli.manifests.nodes import DEPTH_LIMIT
from hardener.errors import ManifestError
from hardener.model import Path
from hardener.model.workloads import step

LENGTH_LIMIT = 2**19
"""Characters of a document and of what is added to it: far from all limits of a reading."""

COLUMN_LIMIT = DEPTH_LIMIT // 2
"""Each column may be that of a list in a mapping, two levels of nesting; brackets count as columns."""

_UNUSUAL = ("&", "*", "\x85", "\u2028", "\u2029")
"""What may be an anchor or an alias, whose reach goes beyond its place, and seldom ends of lines."""

_REST = re.compile(r"[ \t]*(?:#[^\r\n]*)?\r?\n(?:[ \t]*#[^\r\n]*\r?\n)*")
"""The end of a line, with the comments in the lines behind it."""


class _Place(NamedTuple):
    """A value in the document, its node, and the change that is found within it."""

    value: object
    node: yaml.Node | None
    found: Change


class _Lines(NamedTuple):
    """Lines in a column, and what they mean by themselves: a mapping or a list in block style."""

    column: int
    value: object


def only_adds(text: str, root: yaml.Node, value: object, splices: Sequence[Splice], change: Change) -> bool:
    """Whether it is certain, without another reading, that these splices, in their order, make this change.

    `root` and `value` are what the text was read as.
    """
    if len(text) + sum(len(splice.text) for splice in splices) > LENGTH_LIMIT or any(each in text for each in _UNUSUAL):
        return False
    additions = _Additions(text, root, value)
    return all(map(additions.take, splices)) and additions.found == change


class _Additions:
    """What splices add to a document, as far as they are additions."""

    def __init__(self, text: str, root: yaml.Node, value: object) -> None:
        self.found = Change()
        self._text = text
        self._places: dict[Path, _Place] = {(): _Place(value, root, self.found)}
        self._last: tuple[int, Path] = (-1, ())

    def take(self, splice: Splice) -> bool:
        """Note what a splice adds; False where it may do anything else."""
        lines = _lines(splice.text)
        if lines is None or splice.start != splice.end:
            return False
        holder = splice.path if isinstance(lines.value, list) else splice.path[:-1]
        value, node, found = self._place(holder)
        if not isinstance(node, yaml.CollectionNode) or not self._continues(node, splice.start, lines.column, holder):
            return False
        if isinstance(lines.value, list):
            found.appended += lines.value
            return self._text[begin(node)] == "-"
        if not isinstance(lines.value, dict) or not isinstance(value, dict) or begin(node) != begin(node.value[0][0]):
            return False
        for key, item in lines.value.items():
            if key in value or key in found.within:
                return False
            found.within[key] = Change(item)
        return True

    def _place(self, path: Path) -> _Place:
        place = self._places.get(path)
        if place is None:
            value, node, found = self._place(path[:-1])
            child = child_of(node, path[-1])
            within = found.within.setdefault(path[-1], Change())
            place = self._places[path] = _Place(step(value, path[-1]), child[1] if child else None, within)
        return place

    def _continues(self, node: yaml.CollectionNode, position: int, at: int, holder: Path) -> bool:
        """Whether a line that begins at the position, in that column, is an entry behind all others of the node."""
        last = last_value(node)
        end = end_mark(last)
        # Behind the same value, what was added to an outer collection has ended the inner ones.
        nested = end != self._last[0] or self._last[1][: len(holder)] == holder
        self._last = end, holder
        return (
            nested
            and last is not node
            and not (isinstance(last, yaml.ScalarNode) and last.style in ("|", ">"))
            and begin(last) < end
            and column(node) == at
            and _REST.fullmatch(self._text, end, position) is not None
        )


@lru_cache(maxsize=4096)
def _lines(text: str) -> _Lines | None:
    """What whole lines are, without the indentation of the first; None where that is no mapping and no list."""
    at = len(text) - len(text.lstrip(" "))
    lines = text.splitlines(keepends=True)
    if not text.isascii() or not text.endswith("\n") or any(line[:at].strip(" ") for line in lines):
        return None
    alone = "".join(line[at:] for line in lines)
    deepest = max(len(line) - len(line.lstrip(" -")) for line in lines) + alone.count("[") + alone.count("{")
    if deepest >= COLUMN_LIMIT or any(each in alone for each in "&*!"):
        return None
    try:
        value, root = read_nodes(alone, "", 1)
    except ManifestError:
        return None
    if not isinstance(root, yaml.CollectionNode) or root.flow_style or begin(root):
        return None
    return _Lines(at, value)
