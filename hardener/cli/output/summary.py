"""`--summary`: the counts alone, by control and by namespace."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from hardener.cli.output.counts import Counts, Reach
from hardener.cli.output.entries import indented
from hardener.cli.output.formats import Format
from hardener.cli.output.markdown import COMMENT_LENGTH, ENDING_LENGTH, Section, ending, literal, table_row
from hardener.cli.output.table import printed
from hardener.cli.output.tally import Judged, Tally
from hardener.cli.pages.markdown import table
from hardener.wording import NAME, one_line

CONTROL_HEADINGS = ("control", "would change", "dry-run", "held back", "opted out")
NAMESPACE_HEADINGS = (
    "namespace",
    "policy",
    "objects",
    "would change",
    "dry-run only",
    "held back",
    "opted out",
    "refused",
    "exempt",
)

Row = tuple[str, ...]


class _Summary(Format):
    def __init__(self) -> None:
        self._counts = Counts()

    def show(self, judged: Judged) -> str:
        self._counts.add(judged)
        return ""


class SummaryTable(_Summary):
    """Two tables for people."""

    for_people = True

    def end(self, tally: Tally) -> str:  # noqa: ARG002  it stands on standard error
        tables = (
            _table(CONTROL_HEADINGS, [*_control_rows(self._counts)], texts=1),
            _table(NAMESPACE_HEADINGS, [*_namespace_rows(self._counts)], texts=2),
        )
        return "".join(map(printed, tables))


class SummaryEntries(_Summary):
    """One JSON object."""

    def end(self, tally: Tally) -> str:
        return indented(
            {
                "objects": tally.objects,
                "otherKinds": tally.others,
                "wouldChange": tally.changed,
                "dryRunOnly": tally.dry_run_only,
                "heldBack": tally.held,
                "unreadable": tally.problems,
                "errors": tally.errors,
                "controls": [
                    {
                        "control": control,
                        "enforced": _reach(counts.enforced),
                        "dryRun": _reach(counts.dry_run),
                        "heldBack": _reach(counts.held),
                        "optedOut": _reach(counts.opted_out),
                    }
                    for control, counts in sorted(self._counts.controls.items())
                ],
                "namespaces": [
                    {
                        "namespace": namespace,
                        "policy": policy,
                        "objects": counts.objects,
                        "wouldChange": counts.changed,
                        "dryRunOnly": counts.dry_run_only,
                        "heldBack": counts.held,
                        "optedOut": counts.opted_out,
                        "refused": counts.refused,
                        "exempt": counts.exempt,
                    }
                    for (namespace, policy), counts in sorted(self._counts.namespaces.items())
                ],
            }
        )


class SummaryComment(_Summary):
    """Two tables in Markdown, within one comment."""

    def end(self, tally: Tally) -> str:
        head = "".join(f"{line}\n" for line in self._head(tally))
        rows = Section(COMMENT_LENGTH - len(head) - ENDING_LENGTH)
        for namespace, policy, *numbers in _namespace_rows(self._counts):
            rows.add(table_row((literal(namespace), literal(policy), *numbers)))
        kept = "".join(f"{line}\n" for line in rows.lines)
        return head + kept + ending([(rows.left_out, "namespaces")])

    def _head(self, tally: Tally) -> Iterator[str]:
        yield f"**{NAME} preview:** {tally}"
        yield ""
        yield from table(CONTROL_HEADINGS, [*_control_rows(self._counts)])
        yield ""
        yield from table(NAMESPACE_HEADINGS, ())


def _control_rows(counts: Counts) -> Iterator[Row]:
    for control, each in sorted(counts.controls.items()):
        reached = (each.enforced, each.dry_run, each.held, each.opted_out)
        yield (one_line(control), *map(_words, reached))


def _namespace_rows(counts: Counts) -> Iterator[Row]:
    for (namespace, policy), each in sorted(counts.namespaces.items()):
        numbers = (
            each.objects,
            each.changed,
            each.dry_run_only,
            each.held,
            each.opted_out,
            each.refused,
            each.exempt,
        )
        yield (namespace, policy, *(str(number or "") for number in numbers))


def _words(reach: Reach) -> str:
    """`3 objects, 5 containers`; nothing where it concerns none."""
    parts = [(len(reach.objects), "object"), (len(reach.containers), "container")]
    return ", ".join(f"{count} {what}{'' if count == 1 else 's'}" for count, what in parts if count)


def _reach(reach: Reach) -> dict[str, int]:
    return {"objects": len(reach.objects), "containers": len(reach.containers)}


def _table(headings: Sequence[str], rows: Sequence[Row], texts: int) -> Table:
    """`texts` columns at the left are words, all others numbers."""
    made = Table(box=box.SIMPLE_HEAD)
    for index, heading in enumerate(headings):
        made.add_column(heading, overflow="fold", justify="left" if index < texts else "right")
    for row in rows:
        made.add_row(*(Text(one_line(cell)) for cell in row))
    return made
