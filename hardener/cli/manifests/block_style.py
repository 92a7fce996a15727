"""Edits of mappings and lists in block style."""

import re
from collections.abc import Iterable
from dataclasses import replace

import yaml

from hardener.cli.manifests.changes import ABSENT, Change, UnknownOperationError, applied, is_within, narrowed
from hardener.cli.manifests.draft import Draft, begin, column
from hardener.cli.manifests.flow_style import edit_flow
from hardener.cli.manifests.layout import FlowLayout, Layout, in_one_line
from hardener.cli.manifests.nodes import AliasNode
from hardener.model import Path
from hardener.model.workloads import step

_COLON = re.compile(r"\s*:(?:[ \t]+[&!][^\s]*)*")


def edit_block(
    draft: Draft, node: yaml.CollectionNode, change: Change, value: object, path: Path, layout: Layout
) -> None:
    """Put the splices into the draft that change a node in block style; it is not empty, and does not become so."""
    layout = _seen(draft, node, layout)
    if isinstance(node, yaml.MappingNode):
        _edit_mapping(draft, node, change, value, path, layout)
    elif isinstance(node, yaml.SequenceNode):
        _edit_list(draft, node, change, value, path, layout)


def _edit_mapping(
    draft: Draft, node: yaml.MappingNode, change: Change, value: object, path: Path, layout: Layout
) -> None:
    keys_at = _keys_at(draft, node)
    indices = {key.value: index for index, (key, _) in enumerate(node.value)}
    removed: list[int] = []
    added: list[tuple[Path, list[str]]] = []
    for key, each in change.within.items():
        index = indices.get(str(key))
        if index is None:
            if each.value is ABSENT:
                raise UnknownOperationError(f"there is no {key} to change")
            added.append(((*path, key), layout.entry(str(key), each.value, keys_at)))
        elif each.removed:
            removed.append(index)
        else:
            _edit_value(draft, node.value[index], each, step(value, key), (*path, key), layout)
    if removed:
        starts, ends = [begin(key) for key, _ in node.value], [draft.end(child) for _, child in node.value]
        _remove(draft, starts, ends, removed, path)
    if added:
        end = draft.next_line(draft.end(node), comments_from=keys_at)
        for where, lines in added:
            draft.put_lines(end, lines, where)


def _edit_list(
    draft: Draft, node: yaml.SequenceNode, change: Change, value: object, path: Path, layout: Layout
) -> None:
    removed: list[int] = []
    for key, each in change.within.items():
        if not isinstance(key, int) or key >= len(node.value):
            raise UnknownOperationError(f"there is no {key} to change")
        if each.removed:
            removed.append(key)
        else:
            _edit_item(draft, node.value[key], each, step(value, key), (*path, key), layout)
    if removed:
        _remove(draft, _dashes(draft, node), [draft.end(item) for item in node.value], removed, path)
    if change.appended:
        dash_at = draft.column(_dash(draft, node.value[0]))
        end = draft.next_line(draft.end(node), comments_from=dash_at + 1)
        draft.put_lines(end, layout.items(change.appended, dash_at), path)


def _edit_item(draft: Draft, item: yaml.Node, change: Change, present: object, path: Path, layout: Layout) -> None:
    change = change if isinstance(item, AliasNode) else narrowed(change, present)
    if is_within(change, present) and isinstance(item, yaml.CollectionNode):
        edit_node(draft, item, change, present, path, layout)
    elif _is_block(item):
        raise UnknownOperationError("a list item of several lines would have to be replaced as a whole")
    else:
        draft.put(draft.start(item), draft.end(item), in_one_line(applied(change, present)), path)


def _edit_value(
    draft: Draft, pair: tuple[yaml.Node, yaml.Node], change: Change, present: object, path: Path, layout: Layout
) -> None:
    """Change the value of a key of a mapping in block style."""
    key, child = pair
    change = change if isinstance(child, AliasNode) else narrowed(change, present)
    if is_within(change, present) and isinstance(child, yaml.CollectionNode):
        edit_node(draft, child, change, present, path, layout)
        return
    result = applied(change, present)
    colon = _COLON.match(draft.text, draft.end(key))
    if colon is None:
        raise UnknownOperationError("a key is written in an unusual way")
    if isinstance(child, yaml.SequenceNode) and _is_block(child) and child.value and result == []:
        _remove(draft, _dashes(draft, child), [draft.end(item) for item in child.value], range(len(child.value)), path)
        draft.put(colon.end(), colon.end(), " []", path)
        return
    end = draft.end(child)
    lines = layout.value(result, column(key)) if result else []
    if _is_block(child):
        draft.put(colon.end(), colon.end(), "" if lines else f" {in_one_line(result)}", path)
        draft.put(draft.line_end(colon.end()), draft.line_end(end), "", path)
    elif lines:
        _take_out(draft, draft.start(child), end, path)
    elif draft.start(child) == end:
        draft.put(colon.end(), colon.end(), f" {in_one_line(result)}", path)
    else:
        draft.put(draft.start(child), end, in_one_line(result), path)
    if lines:
        draft.put_lines(draft.next_line(end, comments_from=column(key) + 1), lines, path)


def _take_out(draft: Draft, start: int, end: int, path: Path) -> None:
    """Make room for lines below the key: take out a value, with its line where nothing else stands there."""
    if draft.opens_line(start) and not draft.text[end : draft.line_end(end)].strip():
        draft.put(draft.line_start(start), draft.next_line(end), "", path)
        return
    blanks = len(draft.text[:start]) - len(draft.text[:start].rstrip(" \t"))
    draft.put(start - blanks, end, "", path)


def edit_node(
    draft: Draft, node: yaml.CollectionNode, change: Change, value: object, path: Path, layout: Layout
) -> None:
    """Change what a node holds, in the style in which it is written."""
    if node.flow_style:
        edit_flow(draft, node, change, value, path, FlowLayout())
    else:
        edit_block(draft, node, change, value, path, layout)


def _keys_at(draft: Draft, node: yaml.MappingNode) -> int:
    """The column of its keys, or of the question marks before them."""
    return column(node if draft.start(node) == begin(node) else node.value[0][0])


def _is_block(node: yaml.Node) -> bool:
    return isinstance(node, yaml.CollectionNode) and not node.flow_style


def _dashes(draft: Draft, node: yaml.CollectionNode) -> list[int]:
    return [_dash(draft, item) for item in node.value]


def _dash(draft: Draft, item: yaml.Node) -> int:
    """Where the dash of a list item stands."""
    return draft.text.rfind("-", 0, begin(item))


def _remove(draft: Draft, starts: list[int], ends: list[int], removed: Iterable[int], path: Path) -> None:
    """Take out entries: their lines, or what stands on a line with the dash of the list that holds them."""
    for index in removed:
        start = starts[index]
        if draft.opens_line(start):
            draft.put(draft.line_start(start), draft.next_line(ends[index]), "", path)
        else:
            draft.put(start, starts[index + 1], "", path)


def _seen(draft: Draft, node: yaml.CollectionNode, layout: Layout) -> Layout:
    """The layout of what this node holds, as far as it shows one."""
    if isinstance(node, yaml.SequenceNode):
        return _dash_seen(draft, node, layout)
    for key, child in node.value:
        if not isinstance(child, yaml.CollectionNode) or child.flow_style or not child.value:
            continue
        first = child.value[0]
        if isinstance(first, tuple):
            step, offset = column(first[0]) - column(key), layout.offset
        else:
            step, offset = layout.step, draft.column(_dash(draft, first)) - column(key)
            layout = _dash_seen(draft, child, layout)
        if (step, offset) != (layout.step, layout.offset):
            layout = replace(layout, step=step, offset=offset)
    return layout


def _dash_seen(draft: Draft, node: yaml.CollectionNode, layout: Layout) -> Layout:
    first = node.value[0]
    width = begin(first) - _dash(draft, first)
    on_its_line = width <= column(first) and draft.start(first) == begin(first)
    return replace(layout, dash=width) if on_its_line and width != layout.dash else layout
