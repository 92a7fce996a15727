"""Preview -> a unified diff with the reason of every change under its hunk, then what is held back and why.

The lines are those of the author's file. Where that cannot be edited, both sides are written anew, in the same way.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import click

from hardener.admission.workload import remarks
from hardener.cli.judgement import Edit, Preview
from hardener.cli.manifests.documents import Document, Json
from hardener.cli.manifests.editing import edition_of_parts
from hardener.cli.manifests.kubernetes_yaml import Marks, dump
from hardener.cli.output.lines import Block, Hunk, changed_blocks, extent, hunks_of, matched_hunks
from hardener.cli.output.places import origin
from hardener.errors import EditError
from hardener.model import Mode, Path
from hardener.model.workloads import step
from hardener.wording import Topic, describe_at, held_back, one_line, opted_out

LONGEST_LINE = 400
"""Characters of a changed line; more, such as JSON in one line, is nothing that anybody compares."""

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


_REMOVED, _ADDED, _REASON = (click.style("\n", fg=color).split("\n") for color in ("red", "green", "yellow"))
"""What stands before and behind a line of that kind; there are too many for a call of `click.style` each."""


class Sheet:
    """One document before and after, and what is to be said about the objects in it.

    `shift` is the number of lines that the documents before it in the file have gained, `growth` that of its own.
    `text` is what becomes of it, but for the objects in `errors`, by their number; nobody may keep it where it is made
    `to_show`.
    """

    def __init__(
        self, document: Document, previews: Sequence[Preview], shift: int = 0, *, to_show: bool = True
    ) -> None:
        self._document = document
        self._previews = previews
        self._shift = shift
        edition, errors = edition_of_parts(document, [each.patch() for each in previews], to_show=to_show)
        # A document with no changes may be large, and is not shown.
        self._old, self._new = (text.split("\n") if edition.splices else [] for text in (document.text, edition.text))
        self._blocks = changed_blocks(document.text, edition.splices)
        self._about = _by_object(previews, self._blocks)
        self.text = edition.text
        self.errors: Mapping[int, EditError] = errors
        self.growth = len(self._new) - len(self._old)

    def render(self, index: int) -> Iterator[str]:
        """The lines for one of the objects, with colours; none where there is nothing to say."""
        preview = self._previews[index]
        remarks = [*_remarks(preview)]
        if preview.edits:
            yield click.style(f"--- {_heading(preview)}", bold=True)
            yield click.style(f"+++ {_heading(preview)}, policy {preview.policy.name}", bold=True)
            why = self.errors[index].why if index in self.errors else self._unfit(index)
            if why:
                yield click.style(f"  not the lines of the file: {why}", fg="blue")
            yield from _anew(preview) if why else self._diff(index)
        elif remarks:
            yield click.style(f"=== {_heading(preview)}: unchanged", bold=True)
        yield from remarks

    def _unfit(self, index: int) -> str:
        blocks = [self._blocks[number] for number in self._about[index]]
        if not blocks:
            return "they are changed where what its alias stands for is written"
        changed = (line for block in blocks for line in [*self._before(block.old), *self._after(block.new)])
        return "they are too long" if any(len(line) > LONGEST_LINE for line in changed) else ""

    def _before(self, lines: range) -> Sequence[str]:
        return self._old[lines.start : lines.stop]

    def _after(self, lines: range) -> Sequence[str]:
        return self._new[lines.start : lines.stop]

    def _diff(self, index: int) -> Iterator[str]:
        preview = self._previews[index]
        length = len(self._old) - (not self._old[-1])
        hunks = hunks_of(self._blocks, self._about[index], length)
        first = self._document.line - 1
        for hunk, edits in zip(hunks, _by_path(preview, hunks), strict=True):
            yield _opening(hunk, first, first + self._shift)
            for block in hunk:
                yield from _lines(block, self._before(block.old), self._after(block.new))
            yield from _reasons(edits)


def _by_object(previews: Sequence[Preview], blocks: Sequence[Block]) -> list[list[int]]:
    """The numbers of the blocks that are about each of the objects, in their order."""
    about: list[list[int]] = [[] for _ in previews]
    roots = {(*each.manifest.root, *each.judgement.template): index for index, each in enumerate(previews)}
    for number, block in enumerate(blocks):
        ways = {path[:length] for path in block.paths for length in range(len(path) + 1)}
        for way in ways & roots.keys():
            about[roots[way]].append(number)
    return about


def render(preview: Preview) -> Iterator[str]:
    """The lines for an object that is shown by itself."""
    return Sheet(preview.manifest.document, [preview]).render(0)


def _heading(preview: Preview) -> str:
    return one_line(f"{origin(preview.manifest)} {preview.title}")


def _opening(hunk: Hunk, first_old: int = 0, first_new: int = 0) -> str:
    old, new = extent(hunk)
    return click.style(f"@@ -{_numbers(old, first_old)} +{_numbers(new, first_new)} @@", fg="cyan")


def _numbers(lines: range, first: int) -> str:
    """First line and number of lines, as `diff -u` writes them."""
    return f"{first + lines.start + 1 if lines else first + lines.start},{len(lines)}"


def _lines(block: Block, old: Sequence[str], new: Sequence[str]) -> list[str]:
    if block.stays:
        return [f" {_shown(line)}" for line in old]
    gone = [f"{_REMOVED[0]}-{_shown(line)}{_REMOVED[1]}" for line in old]
    return gone + [f"{_ADDED[0]}+{_shown(line)}{_ADDED[1]}" for line in new]


def _shown(line: str) -> str:
    return one_line(line.removesuffix("\r"))


def _by_path(preview: Preview, hunks: Sequence[Hunk]) -> list[list[Edit]]:
    """Put each edit to the hunk that is about the same value, or about the nearest one that holds it."""
    groups: list[list[Edit]] = [[] for _ in hunks]
    about: dict[Path, int] = {}
    near: dict[Path, int] = {}
    for index, hunk in enumerate(hunks):
        for path in frozenset[Path]().union(*(block.paths for block in hunk)):
            about.setdefault(path, index)
            for length in range(len(path)):
                near.setdefault(path[:length], index)
    places = near | about
    for edit in preview.edits:
        way = (*preview.manifest.root, *preview.path_of(edit.write))
        while way not in places:
            way = way[:-1]
        groups[places[way]].append(edit)
    return groups


def _anew(preview: Preview) -> Iterator[str]:
    """The object before and after in the same dump, so that nothing but the changes differs."""
    after = preview.hardened()
    texts = dump(preview.manifest.value), dump(after)
    old, new = (text.splitlines() for text in texts)
    hunks = matched_hunks(old, new)
    for hunk, edits in zip(hunks, _by_line(preview, after, Marks(texts[0]), Marks(texts[1]), hunks), strict=True):
        yield _opening(hunk)
        for block in hunk:
            yield from _lines(block, old[block.old.start : block.old.stop], new[block.new.start : block.new.stop])
        yield from _reasons(edits)


def _by_line(preview: Preview, after: Json, old: Marks, new: Marks, hunks: Sequence[Hunk]) -> list[list[Edit]]:
    """Put each edit to the hunk whose lines it changed: removals by the old text, all others by the new one."""
    groups: list[list[Edit]] = [[] for _ in hunks]
    for edit in preview.edits if hunks else ():
        path = preview.path_of(edit.write)
        if edit.write.how == "remove":
            line = old.line(path)
            distances = [_distance([block.old for block in hunk if not block.stays], line) for hunk in hunks]
        else:
            line = new.line(_landing(edit, path, after))
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
        present = step(present, key)
    if not isinstance(present, list) or edit.write.value not in present:
        return path
    return (*path, len(present) - 1 - present[::-1].index(edit.write.value))


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
        line = one_line(f"{dry_run}{control} ({', '.join(places)}): {reason}")
        yield f"{_REASON[0]}  # {line}{_REASON[1]}"


def _remarks(preview: Preview) -> Iterator[str]:
    """All that is told at `kubectl apply`, but for the changes, which the diff shows; and what was opted out of."""
    for topic, text in (*held_back(preview.outcome), *opted_out(preview.outcome), *remarks(preview.judgement)):
        yield click.style(f"  {one_line(text)}", fg=_COLORS[topic], bold=topic is Topic.FAILED)
