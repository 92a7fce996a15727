"""`hardener preview`: what the webhook would do to manifests, before it does."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from hardener.cli.judgement import Preview, judge
from hardener.cli.labels import labels_option
from hardener.cli.manifests.documents import STDIN, Document, documents, manifests
from hardener.cli.output.formats import FORMATS
from hardener.cli.terminal import color_option, wants_color
from hardener.errors import BAD_INPUT, INTERNAL, WOULD_CHANGE, ManifestError, Problem
from hardener.model import Facts, Mode
from hardener.policy.config import Config
from hardener.policy.namespaces import Labels
from hardener.policy.reading import embedded_config, load_config
from hardener.wording import failure, one_line


@dataclass(slots=True)
class Tally:
    """What was seen so far; it decides the exit code."""

    objects: int = 0
    others: int = 0
    changed: int = 0
    dry_run_only: int = 0
    held: int = 0
    problems: int = 0
    errors: int = 0

    def count(self, previews: Sequence[Preview]) -> None:
        """Count one object, whatever number of templates it holds."""
        edits = [edit for preview in previews for edit in preview.edits]
        self.objects += bool(previews)
        self.others += not previews
        self.changed += bool(edits)
        self.dry_run_only += bool(edits) and all(edit.mode is Mode.DRY_RUN for edit in edits)
        self.held += sum(len(preview.holds) for preview in previews)
        self.errors += sum(len(preview.outcome.errors) for preview in previews)

    @property
    def exit_code(self) -> int:
        if self.errors:
            return INTERNAL
        if self.problems:
            return BAD_INPUT
        return WOULD_CHANGE if self.changed else 0

    def __str__(self) -> str:
        dry_run = f" ({self.dry_run_only} in dry-run only)" if self.dry_run_only else ""
        others = f"; {self.others} of other kinds" if self.others else ""
        unread = f"; {self.problems} could not be read" if self.problems else ""
        return (
            f"{self.objects} {'object' if self.objects == 1 else 'objects'}, {self.changed} would change{dry_run}, "
            f"{self.held} held back{others}{unread}"
        )


@click.command()
@click.argument("inputs", nargs=-1, metavar="[FILE|DIR|-]...")
@click.option(
    "-o",
    "--output",
    type=click.Choice(list(FORMATS)),
    default="diff",
    show_default=True,
    help="diff: changes with reasons; table: an overview; json: for programs; yaml: the manifests as they would be; "
    "patch: one JSON Patch a line.",
)
@click.option(
    "-n", "--namespace", default="default", show_default=True, help="The namespace of objects that name none."
)
@labels_option
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The configuration; without it, the built-in default.",
)
@color_option
@click.pass_context
def preview(
    ctx: click.Context,
    inputs: Sequence[str],
    output: str,
    namespace: str,
    label: Labels | None,
    config: Path | None,
    color: str,
) -> None:
    """Show what the webhook would do to manifests, and why.

    Reads files, folders and standard input (-): YAML with several documents, JSON, and Lists. Every kind that holds a
    pod template is judged as its pods would be; other kinds pass. What a policy only tries (dry-run) is shown too,
    marked as such.

    Exit code 0: nothing would change; 1: something would; 2: bad input or usage; 3: an internal error.
    """
    if not inputs:
        if sys.stdin.isatty():
            raise click.UsageError("name files or folders, or pipe manifests into it", ctx)
        inputs = [STDIN]
    configuration = load_config(config) if config else embedded_config()
    facts = Facts(labels=label)
    colored = wants_color(color)
    shown = FORMATS[output](colored)
    tally = Tally()
    for document in documents(inputs):
        click.echo(
            shown.show(document, _previews(document, configuration, namespace, facts, tally)), nl=False, color=colored
        )
    click.echo(shown.end(), nl=False, color=colored)
    if shown.for_people and (tally.objects or tally.others):
        # On standard error, so that standard output is a diff and nothing else.
        click.echo(str(tally), err=True)
    ctx.exit(tally.exit_code)


def _previews(document: Document, config: Config, namespace: str, facts: Facts, tally: Tally) -> list[Preview]:
    """Judge every object of a document; what is wrong with one costs nothing but itself."""
    today = datetime.now(UTC).date()
    previews = []
    for item in manifests(document):
        judged: list[Preview] | Problem | None
        try:
            judged = item if isinstance(item, Problem) else judge(item, config, namespace, facts, today)
        except ManifestError as error:
            judged = error.problem
        if isinstance(judged, Problem):
            tally.problems += 1
            _complain(str(judged))
        else:
            judged = judged or []
            tally.count(judged)
            previews += judged
            for each in judged:
                for verdict in each.outcome.errors:
                    _complain(f"{document.file}: {each.title}: {failure(verdict)}: {verdict.error!r}")
    return previews


def _complain(message: str) -> None:
    click.echo(f"hardener: {one_line(message)}", err=True)
