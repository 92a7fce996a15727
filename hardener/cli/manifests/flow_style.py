"""Edits of mappings and lists in flow style, which JSON is as well."""

import re
from collections.abc import Iterable
from dataclasses import replace

import yaml

from hardener.cli.manifests.changes import ABSENT, Change, UnknownOperationError, applied, is_within, narrowed
from hardener.cli.manifests.draft import Draft, begin
from hardener.cli.manifests.layout import FlowLayout
from hardener.cli.manifests.nodes import AliasNode
from hardener.model import Path
from hardener.model.workloads import step

_TRAILING_COMMA = re.compile(r"\s*,")
_LINE_REST = re.compile(r"[ \t]*(?:#[^\r\n]*)?$", re.MULTILINE)

Span = tuple[int, int]


def edit_flow(
    draft: Draft, node: yaml.CollectionNode, change: Change, value: object, path: Path, layout: FlowLayout
) -> None:
    """Put the splices into the draft that change a node in flow style; it is not empty, and does not become so."""
    spans = [_span(draft, each) for each in node.value]
    layout = _seen(draft, node, spans, layout)
    indices = _indices(node)
    removed: list[int] = []
    added: list[tuple[Path, str]] = []
    last = spans[-1][0]
    own_lines = draft.opens_line(last)
    prefix = draft.prefix(last) if own_lines else ""
    inner = layout if own_lines else layout.one_line()
    for key, each in change.within.items():
        index = indices.get(key)
        if index is None:
            if each.value is ABSENT:
                raise UnknownOperationError(f"there is no {key} to change")
            added.append(((*path, key), inner.entry(str(key), each.value, prefix)))
        elif each.removed:
            removed.append(index)
        else:
            child = node.value[index][1] if isinstance(node, yaml.MappingNode) else node.value[index]
            mine = layout if draft.opens_line(spans[index][0]) else layout.one_line()
            edit_flow_value(draft, child, each, step(value, key), (*path, key), mine)
    added += [(path, inner.value(each, prefix)) for each in change.appended]
    for start, end in _gaps(spans, removed):
        draft.put(start, end, "", path)
    _append(draft, spans[-1][1], added, layout, f"{draft.line_break}{prefix}" if own_lines else "")


def edit_flow_value(
    draft: Draft, child: yaml.Node, change: Change, present: object, path: Path, layout: FlowLayout
) -> None:
    """Change one value inside a node in flow style."""
    change = change if isinstance(child, AliasNode) else narrowed(change, present)
    if is_within(change, present) and isinstance(child, yaml.CollectionNode):
        edit_flow(draft, child, change, present, path, layout)
    else:
        prefix = draft.prefix(begin(child)) if layout.unit is not None else ""
        text = layout.value(applied(change, present), prefix)
        draft.put(draft.start(child), draft.end(child), text, path)


def _span(draft: Draft, entry: yaml.Node | tuple[yaml.Node, yaml.Node]) -> Span:
    if isinstance(entry, tuple):
        key, value = entry
        return begin(key), draft.end(value)
    return begin(entry), draft.end(entry)


def _indices(node: yaml.CollectionNode) -> dict[str | int, int]:
    if isinstance(node, yaml.MappingNode):
        return {key.value: index for index, (key, _) in enumerate(node.value)}
    return {index: index for index in range(len(node.value))}


def _seen(draft: Draft, node: yaml.CollectionNode, spans: list[Span], layout: FlowLayout) -> FlowLayout:
    """The layout of this node, as far as it shows one."""
    if isinstance(node, yaml.MappingNode):
        key, child = node.value[0]
        layout = replace(layout, quoted=key.style == '"')
        colon = draft.text[draft.end(key) : begin(child)]
        if colon.replace(" ", "") == ":":
            layout = replace(layout, colon=colon)
    if len(spans) > 1:
        comma = draft.text[spans[0][1] : spans[1][0]]
        if comma.replace(" ", "") == ",":
            layout = replace(layout, comma=comma)
    elif layout.colon == ":":
        layout = replace(layout, comma=",")
    if not draft.opens_line(spans[-1][0]):
        return layout
    outer, inner = draft.prefix(begin(node)), draft.prefix(spans[-1][0])
    unit = inner.removeprefix(outer)
    return replace(layout, unit=unit if inner.startswith(outer) and unit else "  ")


def _gaps(spans: list[Span], removed: Iterable[int]) -> list[Span]:
    """What to cut out for these entries, with one comma each."""
    gaps: list[Span] = []
    gone = set(removed)
    last_kept = max((index for index in range(len(spans)) if index not in gone), default=-1)
    for index in sorted(gone):
        if index < last_kept:
            gaps.append((spans[index][0], spans[index + 1][0]))
        else:
            gaps.append((spans[index - 1][1], spans[index][1]))
    return gaps


def _append(draft: Draft, end: int, added: list[tuple[Path, str]], layout: FlowLayout, break_: str) -> None:
    """Put entries behind the last one, each on a line of its own if that one has one."""
    if not added:
        return
    trailing = _TRAILING_COMMA.match(draft.text, end)
    at = trailing.end() if trailing else end
    rest = _LINE_REST.match(draft.text, at) if break_ else None
    there = draft.line_end(at) if rest else at
    if there > at and not trailing:
        draft.put(at, at, ",", added[0][0])
    for number, (path, text) in enumerate(added):
        comma = "" if trailing or (there > at and not number) else (layout.comma.rstrip() if break_ else layout.comma)
        space = "" if not trailing or break_ else " "
        draft.put(there, there, f"{comma}{break_}{space}{text}{',' if trailing else ''}", path)
