"""Writes -> RFC 6902 operations: the only place that knows JSON Pointer.

The writes of one object are folded into a tree of branches. One walk then writes a branch whole where the object lacks
it, and descends where it has it, so that no operation ever meets a missing parent (semantics.md 6.2) and four controls on
a missing `securityContext` make one operation. Additions come first and use `-` at the end of a list; removals come last,
the highest index first, so that no index shifts under another.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

import msgspec

from hardener.model import Container, Path, Pod, Write


class Operation(TypedDict, total=False):
    """One operation; `value` is absent from a `remove`."""

    op: str
    path: str
    value: object


_Branch = dict[str | int, Any]
"""A part of the tree: each key to a further branch, to the value that is set there, or to the list of what is appended.

All three are the plain types that become JSON, since a branch may be written whole. No value is a list, so that a list
is what is appended; a value may be a mapping, so that those are remembered by their identity.
"""


def render(writes: Iterable[Write], root: Path = ()) -> list[Operation]:
    """Make the operations that bring the writes into the object that they were decided on.

    `root` leads from the document to the pod template; a pod is its own root. Values are shared, not copied.
    """
    removals: list[Write] = []
    trees, mappings = _fold(writes, removals)
    base = "".join([_TOKENS[key] for key in root]) if root else ""
    operations: list[Operation] = []
    for at, branch in trees.items():
        _emit(branch, at.manifest, _pointer(base, at), mappings, operations)
    if removals:
        removals.sort(key=_index, reverse=True)
        for removal in removals:
            pointer = _pointer(base, removal.at)
            for key in removal.path:
                pointer += _TOKENS[key]
            operations.append({"op": "remove", "path": pointer})
    return operations


def apply_patch(value: object, operations: Sequence[Operation]) -> dict[str, object]:
    """Apply operations, as they would travel in JSON, to a copy of a document; `jsonpatch` does it, not what made them."""
    import jsonpatch  # noqa: PLC0415  the server never applies what it sends

    patch = jsonpatch.JsonPatch(msgspec.json.decode(msgspec.json.encode(operations)))
    result: dict[str, object] = patch.apply(_copy(value), in_place=True)
    return result


def _copy(value: object) -> object:
    """A copy of JSON's types, several times as fast as `copy.deepcopy`."""
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _fold(writes: Iterable[Write], removals: list[Write]) -> tuple[dict[Pod | Container, _Branch], set[int]]:
    """Make the tree of each object, and the identities of the mappings that are values; removals are put aside."""
    trees: dict[Pod | Container, _Branch] = {}
    mappings: set[int] = set()
    for write in writes:
        at, path, how = write.at, write.path, write.how
        if how == "remove":
            removals.append(write)
            continue
        branch = trees.get(at)
        if branch is None:
            branch = trees[at] = {}
        for key in path[:-1]:
            parent, branch = branch, branch.get(key)
            if branch is None:
                branch = parent[key] = {}
        if how == "append":
            branch.setdefault(path[-1], []).append(write.value)
            continue
        value = branch[path[-1]] = write.value
        if type(value) is dict:
            mappings.add(id(value))
    return trees, mappings


def _emit(branch: _Branch, present: object, pointer: str, mappings: set[int], operations: list[Operation]) -> None:
    """Compare the branch with what the object has there; null is absent, and `add` replaces it."""
    is_map = type(present) is dict
    for key, child in branch.items():
        here = present.get(key) if is_map else getattr(present, key, None)  # type: ignore[attr-defined, arg-type]
        path = pointer + _TOKENS[key]
        if here is None:
            operations.append({"op": "add", "path": path, "value": child})
        elif type(child) is list:
            path += "/-"
            operations += [{"op": "add", "path": path, "value": value} for value in child]
        elif type(child) is dict and id(child) not in mappings:
            _emit(child, here, path, mappings, operations)
        else:
            operations.append({"op": "add", "path": path, "value": child})


def _pointer(base: str, at: Pod | Container) -> str:
    return f"{base}/spec/{at.field}/{at.index}" if type(at) is Container else base


def _index(removal: Write) -> int:
    """Order removals from one list; those from a mapping may stand anywhere."""
    last = removal.path[-1]
    return last if isinstance(last, int) else -1


class _Tokens(dict[str | int, str]):
    """A key to one step of a pointer; the keys are those of our own writes and of workload kinds, so that there are few."""

    def __missing__(self, key: str | int) -> str:
        token = self[key] = "/" + str(key).replace("~", "~0").replace("/", "~1")
        return token


_TOKENS = _Tokens()
