"""How an author indents, and new values written likewise."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from hardener.cli.manifests.kubernetes_yaml import dump_flow

Lines = list[str]

_NOT_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""What JSON may hold as it is, but YAML only by its number."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Block style. All are columns: of a mapping in a mapping, of a list in a mapping, of what stands behind a dash."""

    step: int = 2
    offset: int = 0
    dash: int = 2

    def entry(self, key: str, value: object, column: int) -> Lines:
        """The lines of `key: value` in a mapping whose keys stand in this column."""
        name = f"{' ' * column}{scalar(key)}:"
        if isinstance(value, dict) and value:
            return [name, *self.entries(value, column + self.step)]
        if isinstance(value, list) and value:
            return [name, *self.items(value, column + self.offset)]
        return [f"{name} {in_one_line(value)}"]

    def entries(self, value: Mapping[str, object], column: int) -> Lines:
        return [line for key, item in value.items() for line in self.entry(key, item, column)]

    def items(self, values: Sequence[object], column: int) -> Lines:
        """The lines of list items whose dashes stand in this column."""
        return [line for value in values for line in self._item(value, column)]

    def _item(self, value: object, column: int) -> Lines:
        inner = column + self.dash
        opening = f"{' ' * column}{'-':{self.dash}}"
        if isinstance(value, dict) and value:
            lines = self.entries(value, inner)
        elif isinstance(value, list) and value:
            lines = self.items(value, inner)
        else:
            return [opening + in_one_line(value)]
        return [opening + lines[0][inner:], *lines[1:]]

    def value(self, value: object, column: int) -> Lines:
        """The lines below a key in this column, for a mapping or a list that is not empty."""
        if isinstance(value, dict):
            return self.entries(value, column + self.step)
        return self.items(value, column + self.offset) if isinstance(value, list) else []


@dataclass(frozen=True, slots=True)
class FlowLayout:
    """Flow style, YAML's and JSON's; `unit` is what a line is indented by, None where all stands in one line."""

    quoted: bool = False
    colon: str = ": "
    comma: str = ", "
    unit: str | None = None

    def entry(self, key: str, value: object, prefix: str) -> str:
        name = self.value(key, "") if self.quoted else scalar(key)
        return f"{name}{self.colon}{self.value(value, prefix)}"

    def value(self, value: object, prefix: str) -> str:
        """Write a value; `prefix` stands before the line that it begins on."""
        if not self.quoted:
            return in_one_line(value)
        separators = (self.comma if self.unit is None else ",", self.colon)
        text = json.dumps(value, ensure_ascii=False, indent=self.unit, separators=separators)
        return _NOT_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text).replace("\n", f"\n{prefix}")

    def one_line(self) -> "FlowLayout":
        return replace(self, unit=None)


def in_one_line(value: object) -> str:
    """A value in flow style, as YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{scalar(key)}: {in_one_line(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(in_one_line, value)) + "]"
    return scalar(value) if isinstance(value, str) else json.dumps(value)


@lru_cache(maxsize=1024)
def scalar(text: str) -> str:
    """A text as a scalar of one line, quoted where either style needs it."""
    return dump_flow(text)
