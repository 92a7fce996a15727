"""Preview -> a unified diff with the reason of every change under its hunk, then what is held back and why."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import click

from hardener.admission.workload import remarks
from hardener.cli.judgement import Edit, Preview
from hardener.cli.manifests.documents import Json
from hardener.cli.manifests.kubernetes_yaml import Marks, dump
from hardener.cli.output.lines import LineMatcher
from hardener.model import Mode, Path
from hardener.wording import Topic, describe_at, held_back, one_line, opted_out

CONTEXT = 3
"""Unchanged lines around a change."""

_COLORS = {
    Topic.DOUBT: "red",
    Topic.REFUSED: "red",
    Topic.FAILED: "red",
    Topic.NOTE: "blue",
    Topic.ENDING: "yellow",
    Topic.EXEMPT: "blue",
    Topic.HELD: "magenta",
    Topic.OPTED_OUT: "blue",
}


@dataclass(frozen=True, slots=True)
class _Block:
    """Lines that stay, or lines that make way for others; counted from 0."""

    stays: bool
    old: range
    new: range


Hunk = Sequence[_Block]


@dataclass(frozen=True, slots=True)
class _Texts:
    """An object before and after, in the same dump, so that nothing but the changes differs."""

    before: Json
    after: Json
    old: str
    new: str


def render(preview: Preview) -> Iterator[str]:
    """The lines for one object, with colours; none where there is nothing to say."""
    remarks = [*_remarks(preview)]
    if preview.edits:
        after = preview.hardened()
        yield from _diff(preview, _Texts(preview.manifest.value, after, dump(preview.manifest.value), dump(after)))
    elif remarks:
        yield click.style(f"=== {_heading(preview)}: unchanged", bold=True)
    yield from remarks


def _heading(preview: Preview) -> str:
    return one_line(f"{preview.manifest.document.file} {preview.title}")


def _diff(preview: Preview, texts: _Texts) -> Iterator[str]:
    old, new = texts.old.splitlines(), texts.new.splitlines()
    hunks = _hunks(old, new)
    yield click.style(f"--- {_heading(preview)}", bold=True)
    yield click.style(f"+++ {_heading(preview)}, policy {preview.policy.name}", bold=True)
    for hunk, edits in zip(hunks, _by_hunk(preview, texts, hunks), strict=True):
        ranges = [range(side[0].start, side[-1].stop) for side in ([b.old for b in hunk], [b.new for b in hunk])]
        yield click.style(f"@@ -{_extent(ranges[0])} +{_extent(ranges[1])} @@", fg="cyan")
        yield from _changed_lines(hunk, old, new)
        for line in _reasons(edits):
            yield click.style(f"  # {line}", fg="yellow")


def _hunks(old: Sequence[str], new: Sequence[str]) -> list[Hunk]:
    groups = LineMatcher(old, new).get_grouped_opcodes(CONTEXT)
    return [
        [
            _Block(tag == "equal", range(old_from, old_to), range(new_from, new_to))
            for tag, old_from, old_to, new_from, new_to in group
        ]
        for group in groups
    ]


def _extent(lines: range) -> str:
    """First line and number of lines, as `diff -u` writes them."""
    return f"{lines.start + 1 if lines else lines.start},{len(lines)}"


def _changed_lines(hunk: Hunk, old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    for block in hunk:
        if block.stays:
            yield from (f" {one_line(old[index])}" for index in block.old)
            continue
        yield from (click.style(f"-{one_line(old[index])}", fg="red") for index in block.old)
        yield from (click.style(f"+{one_line(new[index])}", fg="green") for index in block.new)


def _by_hunk(preview: Preview, texts: _Texts, hunks: Sequence[Hunk]) -> list[list[Edit]]:
    """Put each edit to the hunk whose lines it changed: removals by the old text, all others by the new one."""
    groups: list[list[Edit]] = [[] for _ in hunks]
    old, new = Marks(texts.old), Marks(texts.new)
    for edit in preview.edits if hunks else ():
        path = preview.path_of(edit.write)
        if edit.write.how == "remove":
            line = old.line(path)
            distances = [_distance([block.old for block in hunk if not block.stays], line) for hunk in hunks]
        else:
            line = new.line(_landing(edit, path, texts.after))
            distances = [_distance([block.new for block in hunk if not block.stays], line) for hunk in hunks]
        groups[distances.index(min(distances))].append(edit)
    return groups


def _distance(changed: Sequence[range], line: int) -> int:
    """How far a line is from the nearest of the changed ones."""
    return min(max(lines.start - line, line - max(lines.stop - 1, lines.start), 0) for lines in changed)


def _landing(edit: Edit, path: Path, after: Json) -> Path:
    """Where a value stands in the result: what was appended is the last of its like in its list."""
    if edit.write.how != "append":
        return path
    present: object = after
    for key in path:
        present = _step(present, key)
    if not isinstance(present, list) or edit.write.value not in present:
        return path
    return (*path, len(present) - 1 - present[::-1].index(edit.write.value))


def _step(value: object, key: str | int) -> object:
    if isinstance(value, dict):
        return value.get(key)
    return value[key] if isinstance(value, list) and isinstance(key, int) and key < len(value) else None


def _reasons(edits: Iterable[Edit]) -> Iterator[str]:
    """One line for each control and reason, with all the places that share it."""
    joined: dict[tuple[str, Mode, str], list[str]] = {}
    for edit in edits:
        places = joined.setdefault((edit.control, edit.mode, edit.write.reason), [])
        place = describe_at(edit.write.at)
        if place not in places:
            places.append(place)
    for (control, mode, reason), places in joined.items():
        dry_run = "dry-run: " if mode is Mode.DRY_RUN else ""
        yield one_line(f"{dry_run}{control} ({', '.join(places)}): {reason}")


def _remarks(preview: Preview) -> Iterator[str]:
    """All that is told at `kubectl apply`, but for the changes, which the diff shows; and what was opted out of."""
    for topic, text in (*held_back(preview.outcome), *opted_out(preview.outcome), *remarks(preview.judgement)):
        yield click.style(f"  {one_line(text)}", fg=_COLORS[topic], bold=topic is Topic.FAILED)
