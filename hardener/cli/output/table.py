"""`-o table`: an overview for people."""

from rich import box
from rich.table import Table
from rich.text import Text

from hardener.cli.output.formats import Format
from hardener.cli.output.places import origin
from hardener.cli.output.rows import HEADINGS, changes, holds, opt_outs
from hardener.cli.output.tally import Judged, Tally
from hardener.cli.terminal import console
from hardener.wording import one_line


class Overview(Format):
    """One row for each object."""

    for_people = True

    def __init__(self) -> None:
        self._table = Table(box=box.SIMPLE_HEAD)
        for heading in HEADINGS:
            self._table.add_column(heading, overflow="fold")

    def show(self, judged: Judged) -> str:
        for preview in judged.previews:
            self._table.add_row(
                Text(f"{one_line(preview.title)}\n{one_line(origin(preview.manifest))}"),
                Text(preview.policy.name),
                Text("\n".join(changes(preview)), style="green"),
                Text("\n".join(holds(preview)), style="magenta"),
                Text("\n".join(opt_outs(preview))),
            )
        return ""

    def end(self, tally: Tally) -> str:  # noqa: ARG002  the protocol's signature
        return printed(self._table)


def printed(table: Table) -> str:
    """A table as text, in colours; whoever writes it out takes them away where none are wanted."""
    output = console(color=True)
    with output.capture() as capture:
        output.print(table)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())
