"""Preview -> a unified diff with the reason of every change under its hunk, then what is held back and why."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import click

from hardener.cli.judgement import Edit, Preview, notes
from hardener.cli.kubernetes_yaml import Marks, dump
from hardener.cli.lines import LineMatcher
from hardener.cli.manifests import Json
from hardener.model import Mode, Path
from hardener.wording import THE_POD, describe_at, failure, one_line, opt_out_cause

CONTEXT = 3
"""Unchanged lines around a change."""


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


def holds(preview: Preview) -> Iterator[str]:
    """What is held back and why: one line for each control and reason."""
    joined: dict[tuple[str, str], list[str]] = {}
    for control, skip in preview.holds:
        joined.setdefault((control, skip.reason), []).append(describe_at(skip.at))
    for (control, reason), places in joined.items():
        yield one_line(f"{control} ({', '.join(dict.fromkeys(places))}): {reason}")


def opt_outs(preview: Preview) -> Iterator[tuple[bool, str]]:
    """Each opt-out: whether it was accepted, and what is to be said about it."""
    for opt_out in preview.outcome.opt_outs:
        place = THE_POD if opt_out.container is None else opt_out.container
        yield opt_out.accepted, one_line(f"{opt_out.control} ({place}): {opt_out_cause(opt_out)}")


def _remarks(preview: Preview) -> Iterator[str]:
    for line in holds(preview):
        yield click.style(f"  held back: {line}", fg="magenta")
    for accepted, line in opt_outs(preview):
        yield (
            click.style(f"  opted out: {line}", fg="blue")
            if accepted
            else click.style(f"  opt-out refused: {line}", fg="red")
        )
    for verdict in preview.outcome.errors:
        yield click.style(f"  error: {failure(verdict)}", fg="red", bold=True)
    for note in notes(preview):
        yield click.style(f"  note: {one_line(note)}", fg="blue")
