"""The exemptions of a configuration file: what is wrong with them, and what they compile to."""

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from hardener.policy.exemptions import Line, Lines, PodExemptions, UserExemptions
from hardener.policy.form import ContainerForm, ExemptForm
from hardener.policy.images import ImagePattern, pattern_mistake

EXEMPT = "exempt"
_CONTAINERS = "containers"
_CONTAINER_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")

Places = Mapping[str, str]
"""File and line of each item by its key, such as `exempt.groups[0]`."""


def exemption_mistakes(part: str, item: object) -> Iterator[tuple[str, str]]:
    """Each mistake in one item of a part such as `groups`, as the key within the item and a message.

    The item fits the form.
    """
    if part == _CONTAINERS:
        yield from _container_mistakes(msgspec.convert(item, ContainerForm))
    elif not item or "*" in str(item):
        yield "", f"{item!r} fits nothing: it is compared as it is, without globs"


def _container_mistakes(entry: ContainerForm) -> Iterator[tuple[str, str]]:
    if not entry.name:
        yield "name", "must be the name of the container"
    elif not _CONTAINER_NAME.fullmatch(entry.name):
        yield "name", f"{entry.name!r} fits no container: use lower-case letters, digits and -, without globs"
    if not entry.image:
        yield "", "needs an image too, with its registry: anyone can name a container like this one"
    elif (mistake := pattern_mistake(entry.image)) is not None:
        yield "image", mistake


def user_exemptions(form: ExemptForm, places: Places) -> UserExemptions | None:
    """Compile what the form says about users; None where it says nothing."""
    usernames, groups = (_lines(part, getattr(form, part), places) for part in ("usernames", "groups"))
    return UserExemptions(usernames, groups) if usernames or groups else None


def pod_exemptions(form: ExemptForm, places: Places) -> PodExemptions | None:
    """Compile what the form says about pods and containers; None where it says nothing."""
    runtime_classes = _lines("runtimeClasses", form.runtimeClasses, places)
    priority_classes = _lines("priorityClasses", form.priorityClasses, places)
    containers: dict[str, list[tuple[ImagePattern, Line]]] = {}
    for index, entry in enumerate(form.containers or ()):
        line = _line(_CONTAINERS, index, places)
        containers.setdefault(entry.name or "", []).append((ImagePattern(entry.image or ""), line))
    if not (runtime_classes or priority_classes or containers):
        return None
    return PodExemptions(runtime_classes, priority_classes, containers)


def _lines(part: str, names: Sequence[str] | None, places: Places) -> Lines:
    lines: dict[str, Line] = {}
    for index, name in enumerate(names or ()):
        lines.setdefault(name, _line(part, index, places))
    return lines


def _line(part: str, index: int, places: Places) -> Line:
    key = f"{EXEMPT}.{part}[{index}]"
    return Line(key, places[key])
