"""YAML text -> nodes with their marks, in bounded time and memory."""

import re
from functools import cache
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as SafeLoader
    from yaml._yaml import CParser as Parser
except ImportError:  # a PyYAML that was built without libyaml is slower, and reads the same
    from yaml import SafeLoader  # type: ignore[assignment]

    class Parser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):  # type: ignore[no-redef]
        """The same parser in Python."""

        def __init__(self, stream: str) -> None:
            yaml.reader.Reader.__init__(self, stream)
            yaml.scanner.Scanner.__init__(self)
            yaml.parser.Parser.__init__(self)


DEPTH_LIMIT = 100
"""Levels of nesting; the deepest custom resource definitions have about sixty."""

NODE_LIMIT = 1_000_000
"""Values in one document, about as many as three thousand pods have; each takes half a kilobyte."""

TAG = "tag:yaml.org,2002:"
STR, MAP, SEQ = TAG + "str", TAG + "map", TAG + "seq"
PLAIN = "!plain"
"""The tag of scalars whose text alone says what they are."""


_OTHER_BREAK = re.compile(r"[\x85\u2028\u2029]|\r(?!\n)")
"""What YAML takes for the end of a line as well."""


class _Tags:
    def resolve(self, kind: type[yaml.Node], value: str, implicit: tuple[bool, bool]) -> str:  # noqa: ARG002  PyYAML's
        if kind is yaml.ScalarNode:
            return PLAIN if implicit[0] else STR
        return MAP if kind is yaml.MappingNode else SEQ


class Loader(_Tags, SafeLoader):
    """Makes nodes whose tags say no more than how they are written."""


class AliasNode(yaml.ScalarNode):
    """Where an alias stands; `target` is the node that it stands for."""

    def __init__(self, target: yaml.Node, start: Any, end: Any) -> None:  # noqa: ANN401  the C parser has marks of its own
        super().__init__(target.tag, "*", start, end, style="*")
        self.target = target


class _AliasLoader(_Tags, yaml.composer.Composer, Parser):
    """Composes in Python, which is slower, and lets every alias be a node of its own."""

    def __init__(self, text: str) -> None:
        Parser.__init__(self, text)
        yaml.composer.Composer.__init__(self)

    def descend_resolver(self, current_node: object, current_index: object) -> None:
        """What the composer asks of a resolver that goes by paths."""

    def ascend_resolver(self) -> None:
        """As `descend_resolver`."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:  # noqa: ANN401  PyYAML's signature
        if not self.check_event(yaml.AliasEvent):
            node: yaml.Node | None = super().compose_node(parent, index)
            return node
        event: Any = self.peek_event()
        target = super().compose_node(parent, index)
        return AliasNode(target, event.start_mark, event.end_mark) if target else None


class TooMuchError(yaml.MarkedYAMLError):
    """A document that is nested too deep, or holds too much."""

    def __init__(self, message: str, mark: Any) -> None:  # noqa: ANN401  the C parser has a mark class of its own
        super().__init__(problem=message, problem_mark=mark)


def compose(text: str) -> yaml.Node | None:
    """Make the node tree of one document, where an alias is the node that it stands for. Raises yaml.YAMLError."""
    _bound(text)
    node: yaml.Node | None = Loader(text).get_single_node()
    return node


def compose_with_aliases(text: str) -> yaml.Node | None:
    """The same, with AliasNodes; for a text that `compose` has read."""
    node: yaml.Node | None = _AliasLoader(text).get_single_node()
    return node


@cache
def _wide(width: int) -> re.Pattern[str]:
    """A line on which a collection can begin in that column, or behind it."""
    return re.compile(rf"\n[ \t?:-]{{{width}}}")


def _bound(text: str) -> None:
    """Find bad syntax and nesting too deep first, where they can be: libyaml's composer would overflow the stack.

    A collection in block style begins in a column of its own behind nothing but spaces and indicators, or is a list in
    the column of the mapping that holds it; one in flow style has a bracket, and can hold a mapping without one.
    """
    width = DEPTH_LIMIT // 2 - text.count("[") - text.count("{")
    if len(text) <= NODE_LIMIT and width > 0 and not _OTHER_BREAK.search(text):
        wide = _wide(width)
        if not wide.match("\n" + text[:width]) and not wide.search(text):
            return
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=Loader)):
        if count > NODE_LIMIT:
            raise TooMuchError(f"holds more than {NODE_LIMIT:,} values: split it", event.start_mark)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH_LIMIT:
                raise TooMuchError(f"nested more than {DEPTH_LIMIT} levels deep", event.start_mark)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
