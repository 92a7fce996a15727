"""YAML text -> nodes that know their lines.

PyYAML composes the node graph; values are made here, because its own constructor forgets lines and follows YAML 1.1,
where `off` is false, `1:30` is 90, `010` is 8 and `2027-01-31` is a date. Here a number is what YAML and JSON both call
one, and every other word stays the text that was written.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from hardener.errors import ConfigError, Problem

DEPTH_LIMIT = 32
NODE_LIMIT = 200_000
"""Values after aliases are followed, so that a few lines cannot stand for millions."""

Scalar = str | int | float | bool | None

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TAG = "tag:yaml.org,2002:"
_WHOLE_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]+(?:[eE][-+]?[0-9]{1,2})?")


@dataclass(frozen=True, slots=True)
class Node:
    """A value, the line of its key (from 1), and for a scalar the text that was written."""

    value: "Scalar | tuple[Node, ...] | dict[str, Node]"
    line: int
    text: str = ""

    @property
    def is_boolean_word(self) -> bool:
        """Whether it is a word such as `off`, which YAML 1.1 reads as a boolean and YAML 1.2 does not."""
        return isinstance(self.value, bool) and self.text.lower() not in ("true", "false")


def dotted(key: str, name: str) -> str:
    """The key of what stands under a name below a key; unprintable names cannot break the line of a message."""
    name = name if name.isprintable() else repr(name)
    return f"{key}.{name}" if key else name


def plain(node: Node) -> object:
    """The value without lines, as JSON would hold it."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, tuple):
        return [plain(child) for child in node.value]
    return node.value


def compose(text: str, file: str) -> tuple[Node, list[Problem]]:
    """Read the one document of a text; the problems are keys that stand twice.

    Raises ConfigError where there is no such document: not YAML, empty, several, too deep, too large.
    """
    composer = _Composer(file)
    root = composer.root(text)
    return composer.node(root, root.start_mark.line + 1, ""), composer.problems


class _Composer:
    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._open: set[int] = set()
        self._count = 0

    def root(self, text: str) -> yaml.Node:
        try:
            self._scan(text)
            root = yaml.compose(text, Loader=_LOADER)
        except yaml.reader.ReaderError as error:
            raise self._error(0, "", f"is not a text file: {error.reason}") from error
        except UnicodeError as error:
            raise self._error(0, "", "is not a text file: it holds half a character") from error
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 0
            message = f"is not YAML: {error.problem or error.context}"
            if mark and _begins_with_tab(text, mark.line):
                message += "; indent with spaces, not with a tab"
            raise self._error(line, "", message) from error
        if root is None:
            raise self._error(0, "", "is empty: it must hold at least apiVersion and kind")
        return root

    def node(self, node: yaml.Node, line: int, key: str) -> Node:
        """Follow a composed node; an alias is followed each time that it stands."""
        self._count += 1
        if self._count > NODE_LIMIT:
            raise self._error(line, key, f"the file holds more than {NODE_LIMIT} values, its aliases followed")
        if id(node) in self._open:
            raise self._error(line, key, "an alias leads back to what holds it")
        if len(self._open) > DEPTH_LIMIT:
            raise self._error(line, key, f"is nested more than {DEPTH_LIMIT} levels deep")
        if node.tag.startswith("!"):
            raise self._error(line, key, f"the tag {node.tag!r} means nothing here: leave it out")
        if isinstance(node, yaml.ScalarNode):
            return Node(_scalar(node), line, node.value)
        self._open.add(id(node))
        value: tuple[Node, ...] | dict[str, Node]
        if isinstance(node, yaml.MappingNode):
            value = self._mapping(node, key)
        else:
            value = tuple(
                self.node(item, item.start_mark.line + 1, f"{key}[{index}]") for index, item in enumerate(node.value)
            )
        self._open.discard(id(node))
        return Node(value, line)

    def _mapping(self, node: yaml.MappingNode, key: str) -> dict[str, Node]:
        children: dict[str, Node] = {}
        for name, child in node.value:
            line = name.start_mark.line + 1
            if not isinstance(name, yaml.ScalarNode):
                raise self._error(line, key, "a key must be a word, not a list or a mapping")
            below = dotted(key, name.value)
            if name.tag == f"{_TAG}merge":
                message = "YAML merge keys are not read: let a policy extend another"
                self.problems.append(Problem(self._file, line, below, message))
            elif name.value in children:
                message = f"stands twice, first in line {children[name.value].line}"
                self.problems.append(Problem(self._file, line, below, message))
            else:
                children[name.value] = self.node(child, line, below)
        return children

    def _scan(self, text: str) -> None:
        """Bound the depth before anything follows it by recursion."""
        depth = documents = 0
        for event in _events(text):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
            line = event.start_mark.line + 1 if event.start_mark else 0
            if depth > DEPTH_LIMIT:
                raise self._error(line, "", f"is nested more than {DEPTH_LIMIT} levels deep")
            if documents > 1:
                raise self._error(line, "", "a second document begins here: a configuration is one document")

    def _error(self, line: int, key: str, message: str) -> ConfigError:
        return ConfigError([Problem(self._file, line, key, message)])


def _scalar(node: yaml.ScalarNode) -> Scalar:
    text = str(node.value)
    tag = node.tag.removeprefix(_TAG)
    if tag == "null":
        return None
    if tag == "bool":
        return text.lower() in ("true", "yes", "on")
    if tag in ("int", "float"):
        if _WHOLE_NUMBER.fullmatch(text):
            return int(text)
        if _NUMBER.fullmatch(text):
            return float(text)
    return text


def _events(text: str) -> Iterator[yaml.Event]:
    yield from yaml.parse(text, Loader=_LOADER)


def _begins_with_tab(text: str, line: int) -> bool:
    lines = text.splitlines()
    return line < len(lines) and "\t" in lines[line][: len(lines[line]) - len(lines[line].lstrip())]
