"""RFC 6902 operations -> a tree of changes, in the shape of the document that they are for."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hardener.model.workloads import step
from hardener.patch import Operation

ABSENT = object()
"""No value; None is one."""


@dataclass(slots=True)
class Change:
    """What becomes of one value: it is replaced by another, removed, or changed within; equal changes compare equal."""

    value: object = ABSENT
    removed: bool = False
    appended: list[object] = field(default_factory=list)
    within: "dict[str | int, Change]" = field(default_factory=dict)

    @property
    def is_nothing(self) -> bool:
        return self == Change()


class UnknownOperationError(ValueError):
    """An operation that `hardener.patch.render` does not make."""


def change_of(operations: Sequence[Operation], value: object) -> Change:
    """Fold operations as `hardener.patch.render` makes them: a list grows at its end, and is removed from last of all."""
    root = Change()
    places: dict[str, tuple[Change, object]] = {"": (root, value)}
    for operation in operations:
        parent, _, last = operation["path"].rpartition("/")
        change, present = _place(parent, places)
        _record(operation, change, present, _unescaped(last))
    return root


def _place(pointer: str, places: dict[str, tuple[Change, object]]) -> tuple[Change, object]:
    """The change of what a pointer leads to, and what is there now; `places` are those that were looked up before."""
    place = places.get(pointer)
    if place is None:
        parent, _, last = pointer.rpartition("/")
        change, present = _place(parent, places)
        key = _key(_unescaped(last), present)
        place = places[pointer] = change.within.setdefault(key, Change()), step(present, key)
    return place


def _unescaped(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")


def _record(operation: Operation, change: Change, present: object, last: str) -> None:
    is_list = isinstance(present, list)
    if not is_list and not isinstance(present, dict):
        raise UnknownOperationError(f"{operation['path']} leads into what is no mapping and no list")
    if operation["op"] == "remove":
        change.within.setdefault(_key(last, present), Change()).removed = True
    elif operation["op"] not in {"add", "replace"}:
        raise UnknownOperationError(f"the operation {operation['op']!r} is not known here")
    elif is_list and last == "-":
        change.appended.append(operation["value"])
    elif is_list and operation["op"] == "add":
        raise UnknownOperationError(f"{operation['path']} would put something into the middle of a list")
    else:
        change.within.setdefault(_key(last, present), Change()).value = operation["value"]


def _key(token: str, present: object) -> str | int:
    return int(token) if isinstance(present, list) and token.isdecimal() else token


def applied(change: Change, value: object) -> object:
    """What becomes of a value, which itself stays as it is."""
    if change.value is not ABSENT:
        return change.value
    if isinstance(value, list):
        kept = [
            applied(change.within[index], item) if index in change.within else item
            for index, item in enumerate(value)
            if index not in change.within or not change.within[index].removed
        ]
        return [*kept, *change.appended]
    if not change.within:
        return value
    result = dict(value) if isinstance(value, dict) else {}
    for key, each in change.within.items():
        if each.removed:
            result.pop(key, None)
        else:
            result[key] = applied(each, result.get(key))
    return result


def is_within(change: Change, present: object) -> bool:
    """Whether a mapping or a list that holds something stays, changes inside, and still holds something."""
    if change.value is not ABSENT or not isinstance(present, dict | list) or not present:
        return False
    stays = len(change.within) < len(present) or any(not each.removed for each in change.within.values())
    return stays or bool(change.appended)


def narrowed(change: Change, present: object) -> Change:
    """The same change, with as much of the present value kept as is kept anyway."""
    value = change.value
    if isinstance(value, dict) and isinstance(present, dict) and present and value:
        within: dict[str | int, Change] = {key: Change(removed=True) for key in present if key not in value}
        within |= {key: Change(item) for key, item in value.items() if key not in present or present[key] != item}
        return Change(within=within)
    if isinstance(value, list) and isinstance(present, list) and present and value[: len(present)] == present:
        return Change(appended=value[len(present) :])
    return change
