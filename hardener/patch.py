"""Writes -> RFC 6902 operations: the only place that knows JSON Pointer.

The writes of one object are folded into a tree of branches. One walk then writes a branch whole where the object lacks
it, and descends where it has it, so that no operation ever meets a missing parent (semantics.md 6.2) and four controls on
a missing `securityContext` make one operation. Additions come first and use `-` at the end of a list; removals come last,
the highest index first, so that no index shifts under another.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any, TypedDict

from hardener.model import Container, Path, Pod, Write


class Operation(TypedDict, total=False):
    """One operation; `value` is absent from a `remove`."""

    op: str
    path: str
    value: object


class _Branch(dict[str | int, Any]):
    """A part of the tree that holds further keys, as against a value that is written as it is."""

    __slots__ = ()


class _Additions(list[object]):
    """Values for the end of one list."""

    __slots__ = ()


def render(writes: Iterable[Write], root: Path = ()) -> list[Operation]:
    """Make the operations that bring the writes into the object that they were decided on.

    `root` leads from the document to the pod template; a pod is its own root. Values are shared, not copied.
    """
    trees: dict[Pod | Container, _Branch] = {}
    removals: list[Write] = []
    for write in writes:
        at, path, how = write.at, write.path, write.how
        if how == "remove":
            removals.append(write)
            continue
        branch = trees.get(at)
        if branch is None:
            branch = trees[at] = _Branch()
        for key in path[:-1]:
            parent = branch
            branch = parent.get(key)
            if branch is None:
                branch = parent[key] = _Branch()
        last = path[-1]
        if how == "set":
            branch[last] = write.value
        elif last in branch:
            branch[last].append(write.value)
        else:
            branch[last] = _Additions((write.value,))
    base = "".join(map(_token, root))
    operations: list[Operation] = []
    for at, branch in trees.items():
        _emit(branch, at.manifest, _pointer(base, at), operations)
    removals.sort(key=_index, reverse=True)
    operations += [
        {"op": "remove", "path": _pointer(base, each.at) + "".join(map(_token, each.path))} for each in removals
    ]
    return operations


def _emit(branch: _Branch, present: object, pointer: str, operations: list[Operation]) -> None:
    """Compare the branch with what the object has there; null is absent, and `add` replaces it."""
    is_map = type(present) is dict
    for key, child in branch.items():
        here = present.get(key) if is_map else getattr(present, key, None)  # type: ignore[attr-defined, arg-type]
        path = pointer + _token(key)
        kind = type(child)
        if here is None or (kind is not _Branch and kind is not _Additions):
            operations.append({"op": "add", "path": path, "value": child})
        elif kind is _Branch:
            _emit(child, here, path, operations)
        else:
            path += "/-"
            operations += [{"op": "add", "path": path, "value": value} for value in child]


def _pointer(base: str, at: Pod | Container) -> str:
    return f"{base}/spec/{at.field}/{at.index}" if type(at) is Container else base


def _index(removal: Write) -> int:
    """Order removals from one list; those from a mapping may stand anywhere."""
    last = removal.path[-1]
    return last if isinstance(last, int) else -1


@cache
def _token(key: str | int) -> str:
    """One step of a pointer; the keys are those of our own writes and of workload kinds, so that there are few."""
    return "/" + str(key).replace("~", "~0").replace("/", "~1")
