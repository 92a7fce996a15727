"""A policy as `{key path: entry}`: the form in which policies extend one another.

Maps merge because only their leaves are entries, lists and scalars replace because they are leaves, and null removes a
path and everything below it (design.md 4).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hardener.policy.document import Node, plain

KeyPath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One value, the policy that says it, and where; a built-in policy has no file, and line 0."""

    value: object
    origin: str
    file: str = ""
    line: int = 0


Flat = Mapping[KeyPath, Entry]

CONTROLS = "controls"
EXTENDS = "extends"


def flatten(node: Node, origin: str, file: str) -> dict[KeyPath, Entry]:
    """Flatten a policy as it is written; what it extends is no entry.

    A control is an entry of its own, an empty mapping, since naming a control turns it on.
    """
    return dict(_flatten(node, (), origin, file))


def _flatten(node: Node, path: KeyPath, origin: str, file: str) -> Iterator[tuple[KeyPath, Entry]]:
    if not isinstance(node.value, dict):
        yield path, Entry(plain(node), origin, file, node.line)
        return
    if path[:-1] == (CONTROLS,):
        yield path, Entry({}, origin, file, node.line)
    for key, child in node.value.items():
        if (*path, key) != (EXTENDS,):
            yield from _flatten(child, (*path, key), origin, file)


def merge(base: Flat, own: Flat) -> dict[KeyPath, Entry]:
    """What a policy says together with the one that it extends."""
    merged = dict(base)
    for path, entry in own.items():
        if entry.value is None:
            for removed in [key for key in merged if key[: len(path)] == path]:
                del merged[removed]
        elif entry.value != {} or path not in merged:
            merged[path] = entry
    return merged
