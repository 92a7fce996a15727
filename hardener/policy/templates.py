"""The lines of a configuration that say where custom resources hold pod templates."""

import re
from collections.abc import Iterable, Iterator

import msgspec

from hardener.model import Path
from hardener.model.workloads import ANY, RETIRED_GROUPS, TEMPLATES, Templates
from hardener.policy.form import TemplateForm

_GROUP = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_KIND = re.compile(r"[A-Z][A-Za-z0-9]{0,62}")
_STEP = re.compile(r"(?:[A-Za-z][A-Za-z0-9_-]*|\*)(?:\[\*\])*")
_LIST = f"[{ANY}]"


def template_mistakes(item: object) -> Iterator[tuple[str, str]]:
    """Each mistake in one line, as the key within it and a message; the item fits the form."""
    form = msgspec.convert(item, TemplateForm)
    if "/" in form.group:
        yield "group", f"{form.group!r} names a version: write the group alone, {form.group.partition('/')[0]!r}"
    elif not _GROUP.fullmatch(form.group):
        yield "group", f"{form.group!r} is no API group: it is what stands before the slash of apiVersion"
    elif (form.group, form.kind) in TEMPLATES or form.group in RETIRED_GROUPS:
        yield "", f"{form.kind} of {form.group} is known without it: leave this line out"
    if not _KIND.fullmatch(form.kind):
        yield "kind", f"{form.kind!r} is no kind: it is written as in manifests, with a capital letter"
    if not all(map(_STEP.fullmatch, form.path.split("."))):
        yield "path", f"{form.path!r} is no path: write keys with dots between them, as in spec.template"


def templates(forms: Iterable[TemplateForm]) -> Templates:
    """Compile lines in which there is no mistake."""
    compiled: dict[tuple[str, str], dict[Path, None]] = {}
    for form in forms:
        compiled.setdefault((form.group, form.kind), {})[_pattern(form.path)] = None
    return {kind: tuple(patterns) for kind, patterns in compiled.items()}


def _pattern(path: str) -> Path:
    return tuple(step for part in path.split(".") for step in _steps(part))


def _steps(part: str) -> Iterator[str]:
    """`items[*]` is the key, and then every item of it."""
    name = part.partition("[")[0]
    yield name
    yield from (ANY for _ in range(part.count(_LIST)))
