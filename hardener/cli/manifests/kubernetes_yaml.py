"""YAML as Kubernetes reads it, and as kubectl prints it.

What a plain scalar means follows sigs.k8s.io/yaml (goyaml.v2/resolve.go), which differs from PyYAML: no timestamps, no
numbers to base 60, `1e3` is a number, `y` and `n` are booleans. Keys are strings, and none may stand twice. Aliases are
written out, since an edit of one place must not reach another.
"""

import math
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NoReturn

import yaml

from hardener.cli.manifests.nodes import DEPTH_LIMIT, MAP, PLAIN, SEQ, STR, TAG, compose
from hardener.errors import ManifestError, Problem
from hardener.model import Path

try:
    from yaml import CSafeDumper as SafeDumper
except ImportError:  # a PyYAML that was built without libyaml is slower, and writes the same
    from yaml import SafeDumper  # type: ignore[assignment]

ALIASED_LIMIT = 1_000_000
"""Characters that aliases may add; no object of a cluster is as large."""

NUMBER_LIMIT = 400
"""Characters of a number; what is longer is text."""

_TEMPLATE_HINT = " (it looks like a template: render it first, as with `helm template`)"
_TAB_HINT = " (there is a tab: YAML is indented with spaces)"

_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}
_NOT_FINITE = frozenset(f"{sign}.{word}" for sign in ("", "+", "-") for word in ("inf", "Inf", "INF")) | {
    ".nan",
    ".NaN",
    ".NAN",
}
_INTEGER = re.compile(r"[-+]?(?:0[bB][01]+|0[oO]?[0-7]+|0[xX][0-9a-fA-F]+|0|[1-9][0-9]*)")
_OLD_OCTAL = re.compile(r"([-+]?)0([0-7]+)")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")


class _Dumper(SafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  PyYAML's signature
        return True

    def resolve(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str:
        """Quote a string that either kind of reader would take for something else."""
        tag: str = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]
        if tag == STR and kind is yaml.ScalarNode and implicit[0] and not isinstance(_plain(value), str):
            return PLAIN
        return tag


def _represent_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(STR, text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent_text)


class _FlowDumper(_Dumper):
    """Writes no blocks."""


_FlowDumper.add_representer(str, SafeDumper.represent_str)


def dump(value: object) -> str:
    """Write a value as kubectl does: keys in their order, text of several lines as a block, lists not indented."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**20)


def dump_flow(text: str) -> str:
    """Write a text as a scalar of one line that flow style can hold as well."""
    style = '"' if "\n" in text else None
    dumped: str = yaml.dump(
        [text], Dumper=_FlowDumper, default_flow_style=True, default_style=style, allow_unicode=True, width=2**20
    )
    return dumped.strip().removeprefix("[").removesuffix("]")


class Marks:
    """Where the values of a YAML text stand."""

    def __init__(self, text: str) -> None:
        self._root = compose(text)

    def line(self, path: Path) -> int:
        """The line, counted from 0, of the value at the path, or of the last key of the path that exists."""
        node, line = self._root, self._root.start_mark.line if self._root else 0
        for key in path:
            found = child_of(node, key)
            if found is None:
                break
            mark, node = found
            line = mark.start_mark.line
        return line


def child_of(node: yaml.Node | None, key: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """The node that marks the place of a key, and the node of its value."""
    if isinstance(node, yaml.MappingNode):
        return next(((name, child) for name, child in node.value if name.value == str(key)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key], node.value[key]
    return None


def line_of(text: str, path: Path) -> int:
    """As `Marks.line`, and 0 where the text, such as JSON with unusual characters, is not YAML."""
    try:
        return Marks(text).line(path)
    except yaml.YAMLError:
        return 0


@lru_cache(maxsize=4096)
def _plain(text: str) -> bool | int | float | str | None:
    """What an unquoted scalar means to Kubernetes; infinite where it is a number that JSON cannot hold."""
    if text in _WORDS:
        return _WORDS[text]
    if text in _NOT_FINITE:
        return math.inf
    if len(text) > NUMBER_LIMIT or text[0] not in "+-.0123456789":
        return text
    digits = text if text[0] == "." else text.replace("_", "")
    if _INTEGER.fullmatch(digits):
        return int(_OLD_OCTAL.sub(r"\g<1>0o\2", digits) if _OLD_OCTAL.fullmatch(digits) else digits, 0)
    return decimal(digits) if _FLOAT.fullmatch(digits) else text


def decimal(digits: str) -> float | int:
    """A whole number stays one, as it would in JSON that Go writes."""
    number = float(digits)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def read_yaml(text: str, file: str, first_line: int) -> object:
    """Read one YAML document; None where it holds nothing. Raises ManifestError with the line of what is wrong."""
    return read_nodes(text, file, first_line)[0]


def read_nodes(text: str, file: str, first_line: int) -> tuple[object, yaml.Node | None]:
    """As `read_yaml`, with the nodes that the value was read from."""
    try:
        root = compose(text)
    except yaml.YAMLError as error:
        raise ManifestError(_syntax_problem(error, text, file, first_line)) from error
    if root is None:
        return None, None
    reading = _Reading(file, first_line, _TEMPLATE_HINT if "{{" in text else "")
    return reading.read(root, aliases="*" in text), root


class _Reading:
    """Nodes -> values of one document."""

    def __init__(self, file: str, first_line: int, hint: str) -> None:
        self._file = file
        self._first_line = first_line
        self._hint = hint

    def read(self, root: yaml.Node, aliases: bool) -> object:
        """`aliases`: whether there can be any."""
        if aliases:
            self._bound(root)
        return self._value(root)

    def _fail(self, node: yaml.Node, message: str) -> NoReturn:
        raise ManifestError(Problem(self._file, self._first_line + node.start_mark.line, "", message + self._hint))

    def _bound(self, root: yaml.Node) -> None:
        """Refuse what aliases would make endless or huge, before anything is written out."""
        sizes: dict[yaml.Node, tuple[int, int]] = {}
        written = 0

        def measure(node: yaml.Node) -> tuple[int, int]:
            """The size and the depth of a node once its aliases are written out."""
            nonlocal written
            if node in sizes:
                size, depth = sizes[node]
                if not size:
                    self._fail(node, "an alias stands inside its own anchor, which has no end")
                return size, depth
            sizes[node] = (0, 0)
            own = 1 + (len(node.value) if isinstance(node, yaml.ScalarNode) else 0)
            written += own
            parts = [measure(child) for child in _children(node)]
            sizes[node] = own + sum(size for size, _ in parts), 1 + max((depth for _, depth in parts), default=0)
            return sizes[node]

        size, depth = measure(root)
        if size - written > ALIASED_LIMIT:
            self._fail(root, f"its aliases stand for more than {ALIASED_LIMIT:,} characters")
        if depth > DEPTH_LIMIT + 1:
            self._fail(root, f"its aliases make it more than {DEPTH_LIMIT} levels deep")

    def _value(self, node: yaml.Node) -> object:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if node.tag not in (MAP, SEQ):
            self._fail(node, f"the tag {_short(node.tag)} means nothing to Kubernetes")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node)
        return [self._value(child) for child in node.value]

    def _scalar(self, node: yaml.ScalarNode) -> object:
        if node.tag in (STR, "!"):
            return node.value
        value = _plain(node.value)
        if node.tag == PLAIN and not isinstance(value, float):
            return value
        expected = {PLAIN: object, TAG + "bool": bool, TAG + "int": int, TAG + "float": float | int}.get(node.tag)
        if node.tag == TAG + "null":
            expected = type(None)
        if expected is None or not isinstance(value, expected):
            self._fail(node, f"the tag {_short(node.tag)} does not fit here: Kubernetes reads JSON types only")
        if isinstance(value, float) and not math.isfinite(value):
            self._fail(node, f"{node.value} is a number that JSON cannot hold; put quotes around it if it is a text")
        return value

    def _mapping(self, node: yaml.MappingNode) -> dict[str, object]:
        own: dict[str, object] = {}
        merged: dict[str, object] = {}
        for key_node, value_node in node.value:
            if key_node.tag == PLAIN and key_node.value == "<<":
                merged = {**self._merge(value_node), **merged}
                continue
            key = self._key(key_node)
            if key in own:
                self._fail(key_node, f"the key {key!r} stands twice in one mapping")
            own[key] = self._value(value_node)
        return {**merged, **own} if merged else own

    def _merge(self, node: yaml.Node) -> dict[str, object]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        merged: dict[str, object] = {}
        for source in sources:
            if not isinstance(source, yaml.MappingNode):
                self._fail(node, "<< merges mappings only")
            merged = {**self._mapping(source), **merged}
        return merged

    def _key(self, node: yaml.Node) -> str:
        if isinstance(node, yaml.ScalarNode):
            key = self._scalar(node)
            if isinstance(key, str):
                return key
            if isinstance(key, bool):
                return str(key).lower()
            if key is not None:
                return str(key)
        return self._fail(node, "a key must be a text")


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _short(tag: str) -> str:
    return "!!" + tag.removeprefix(TAG) if tag.startswith(TAG) else tag


def _syntax_problem(error: yaml.YAMLError, text: str, file: str, first_line: int) -> Problem:
    """One line in place of PyYAML's several, with a hint at the usual causes."""
    line, message = 0, " ".join(str(error).split())
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        line = mark.line if mark else 0
        message = error.problem or error.context or message
    elif isinstance(error, yaml.reader.ReaderError):
        position = error.position if isinstance(error.position, int) else 0
        # libyaml counts in bytes.
        line = text.encode(errors="replace")[:position].count(b"\n")
        message = f"the character #x{int(error.character):04x} is not allowed"
    lines = text.splitlines()
    here = lines[line] if line < len(lines) else ""
    if "{{" in text:
        message += _TEMPLATE_HINT
    elif here[: len(here) - len(here.lstrip())].count("\t"):
        message += _TAB_HINT
    return Problem(file, first_line + line, "", f"cannot be read as YAML: {message}")
