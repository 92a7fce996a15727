"""Markdown as GitHub reads it: tables and links to headings."""

import re
from collections.abc import Iterator, Sequence

_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")
_MARKUP = re.compile(r"[*<\[]")


def anchor(heading: str) -> str:
    """The link to a heading of the same page."""
    return "#" + _NOT_IN_ANCHORS.sub("", heading.lower()).replace(" ", "-")


def code(text: str) -> str:
    """A text as it is written in a file; nothing where it is empty."""
    return f"`{text}`" if text else ""


def escaped(text: str) -> str:
    """A text in which nothing but a code span is markup."""
    spans = text.split("`")
    return "`".join(span if index % 2 else _MARKUP.sub(r"\\\g<0>", span) for index, span in enumerate(spans))


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table, line by line; a bar within a cell does not end it."""
    yield _row(header)
    yield "|" + "---|" * len(header)
    for row in rows:
        yield _row([cell.replace("|", r"\|") for cell in row])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
