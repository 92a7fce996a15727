"""`-o markdown`: a comment on a pull request, or the summary of a workflow run."""

import re
from collections.abc import Iterable, Iterator, Sequence

import click

from hardener.cli.judgement import Preview
from hardener.cli.output.diffs import Sheets
from hardener.cli.output.formats import Format
from hardener.cli.output.places import origin
from hardener.cli.output.rows import HEADINGS, changes, holds, opt_outs
from hardener.cli.output.tally import Judged, Tally
from hardener.cli.pages.markdown import table
from hardener.wording import NAME, one_line

COMMENT_LENGTH = 65_536
"""Characters of a comment; GitHub refuses a longer one."""

ROWS_LENGTH = 24_000
PROBLEMS_LENGTH = 6_000
"""Characters of the overview, and of what could not be read, so that there is room for the diffs below them."""

TEXT_LENGTH = 300
"""Characters of one name or reason."""

ENDING_LENGTH = 200
"""Characters that the last line takes at most."""

BREAK = "<br>"

_MARKUP = re.compile(r"[^\w /.,():-]|_|(?<=www)\.|:(?=\S)", re.ASCII | re.IGNORECASE)
_FENCE = re.compile(r"^\s*(`{3,})", re.MULTILINE)


def literal(text: str) -> str:
    """A text as it is, in a table or anywhere else: nothing in it is markup, a link, or a mention of somebody."""
    line = one_line(text, TEXT_LENGTH)
    return f"<code>{_MARKUP.sub(lambda found: f'&#{ord(found[0])};' if found[0].isascii() else found[0], line)}</code>"


class Section:
    """Lines that are kept as long as there is room for them, and counted from then on."""

    def __init__(self, room: int) -> None:
        self.lines: list[str] = []
        self.left_out = 0
        self._room = room

    def add(self, line: str) -> None:
        """Keep a line, or count it; once one was left out, so are all that follow."""
        if self.left_out or len(line) + 1 > self._room:
            self.left_out += 1
            return
        self._room -= len(line) + 1
        self.lines.append(line)


class Comment(Format):
    """The counts, a row for each object that there is something to say about, and its diff, folded.

    What finds no room in one comment is left out, and the last line says how much that is.
    """

    def __init__(self) -> None:
        self._rows = Section(ROWS_LENGTH)
        self._problems = Section(PROBLEMS_LENGTH)
        self._diffs = Section(COMMENT_LENGTH)
        self._sheets = Sheets()

    def show(self, judged: Judged) -> str:
        for problem in judged.problems:
            self._problems.add(f"- {literal(str(problem))}")
        # Diffs take time: none is made that would be left out anyway.
        sheet = None if self._diffs.left_out else self._sheets.of(judged)
        for index, preview in enumerate(judged.previews):
            cells = _cells(preview)
            if any(cells[2:]):
                self._rows.add(table_row(cells))
                self._diffs.add("\n".join(_folded(preview.title, sheet.render(index))) if sheet else "")
        return ""

    def end(self, tally: Tally) -> str:
        head = "".join(f"{line}\n" for line in self._head(tally))
        diffs = Section(COMMENT_LENGTH - len(head) - ENDING_LENGTH)
        for text in self._diffs.lines:
            diffs.add(text)
        kept = "".join(f"{text}\n" for text in diffs.lines)
        sections = (
            (self._rows.left_out, "rows"),
            (self._problems.left_out, "problems"),
            (diffs.left_out + self._diffs.left_out, "diffs"),
        )
        return head + kept + ending(sections)

    def _head(self, tally: Tally) -> Iterator[str]:
        yield f"**{NAME} preview:** {tally}"
        yield ""
        if self._problems.lines:
            yield "Could not be read:"
            yield ""
            yield from self._problems.lines
            yield ""
        if self._rows.lines:
            yield from table(HEADINGS, ())
            yield from self._rows.lines
            yield ""


def ending(sections: Iterable[tuple[int, str]]) -> str:
    """The last line, at most `ENDING_LENGTH` long: how many rows, or the like, found no room; nothing if all did."""
    left_out = [f"{count} {what}" for count, what in sections if count]
    if not left_out:
        return ""
    return (
        f"Left out, since a comment has room for {COMMENT_LENGTH:,} characters: {', '.join(left_out)}. "
        f"`{NAME} preview` shows all.\n"
    )


def table_row(cells: Sequence[str]) -> str:
    """One row of a table."""
    *_, line = table((), (cells,))
    return line


def _cells(preview: Preview) -> Sequence[str]:
    return (
        f"{literal(preview.title)}{BREAK}{literal(origin(preview.manifest))}",
        literal(preview.policy.name),
        *(BREAK.join(map(literal, lines)) for lines in (changes(preview), holds(preview), opt_outs(preview))),
    )


def _folded(title: str, diff: Iterable[str]) -> Iterator[str]:
    lines = [click.unstyle(line) for line in diff]
    # The content cannot end a fence that is longer than any in it.
    fence = max((found for line in lines for found in _FENCE.findall(line[1:])), key=len, default="``") + "`"
    yield f"<details><summary>{literal(title)}</summary>"
    yield ""
    yield f"{fence}diff"
    yield from lines
    yield fence
    yield ""
    yield "</details>"
    yield ""
