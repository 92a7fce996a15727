"""The formats of preview: each shows one document after the other, and may have something to say at the end."""

import importlib
from collections.abc import Mapping
from typing import Protocol

from hardener.cli.output.tally import Judged, Tally


class Format(Protocol):
    """Text for one document with the previews of its objects, and text for the end."""

    for_people: bool = False
    """Whether a summary belongs beside it."""

    def show(self, judged: Judged) -> str: ...

    def end(self, tally: Tally) -> str:  # noqa: ARG002  for those that count
        return ""


FORMATS: Mapping[str, str] = {
    "diff": "diffs.Diffs",
    "table": "table.Overview",
    "json": "entries.Entries",
    "yaml": "hardened.Hardened",
    "patch": "patches.Patches",
    "sarif": "alerts.Alerts",
    "github": "github.Annotations",
    "markdown": "markdown.Comment",
}
"""Name to the class of the format, which is imported only when it is asked for."""

SUMMARIES: Mapping[str, str] = {
    "diff": "summary.SummaryTable",
    "table": "summary.SummaryTable",
    "json": "summary.SummaryEntries",
    "markdown": "summary.SummaryComment",
}
"""The same for the formats that can be reduced to their counts."""


def make_format(named: str) -> Format:
    """Make a format of one of the tables above."""
    module, _, name = named.rpartition(".")
    made: Format = getattr(importlib.import_module(f"hardener.cli.output.{module}"), name)()
    return made
