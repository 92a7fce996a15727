"""`hardener preview`: what the webhook would do to manifests, before it does."""

import sys
from collections.abc import Iterable, Sequence

import click

from hardener.cli.judging import Choices, collect_seldom, complaints, judging_options
from hardener.cli.manifests.documents import documents
from hardener.cli.manifests.sources import STDIN
from hardener.cli.output.formats import FORMATS, SUMMARIES, Format, make_format
from hardener.cli.output.progress import Counter, wants_progress
from hardener.cli.output.tally import Judged, Tally
from hardener.cli.terminal import color_option, wants_color
from hardener.wording import NAME, one_line

_SUMMED = ", ".join(SUMMARIES)


@click.command()
@click.argument("inputs", nargs=-1, metavar="[FILE|DIR|-]...")
@click.option(
    "-o",
    "--output",
    type=click.Choice(list(FORMATS)),
    default="diff",
    show_default=True,
    help="diff: changes with reasons; table: an overview; json: for programs; yaml: the manifests as they would be; "
    "patch: one JSON Patch a line; sarif: for code-scanning pages; github: annotations of a workflow run; markdown: a "
    "comment on a pull request.",
)
@click.option("--summary", is_flag=True, help=f"Only the counts, by control and by namespace; for {_SUMMED}.")
@judging_options
@color_option
@click.pass_context
def preview(
    ctx: click.Context,
    inputs: Sequence[str],
    output: str,
    summary: bool,
    choices: Choices,
    color: str,
) -> None:
    """Show what the webhook would do to manifests, and why.

    Reads files, folders and standard input (-): YAML with several documents, JSON, and Lists. Every kind that holds a
    pod template is judged as its pods would be; other kinds pass. What a policy only tries (dry-run) is shown too,
    marked as such. Where a stream names the template that an object was rendered from, as Helm does, so does preview.
    Files may have 64 MiB, and each document in them 16 MiB.

    Exit code 0: nothing would change; 1: something would; 2: bad input or usage; 3: an internal error.
    """
    if not inputs:
        if sys.stdin.isatty():
            raise click.UsageError("name files or folders, or pipe manifests into it", ctx)
        inputs = [STDIN]
    collect_seldom()
    shown = _format(ctx, output, summary)
    judging = choices.judging()
    tally = Tally()
    found = (judging.judged(document, tally) for document in documents(inputs))
    _print(found, shown, tally, wants_color(color))
    if shown.for_people and (tally.objects or tally.others):
        # On standard error, so that standard output is a diff and nothing else.
        click.echo(str(tally), err=True)
    ctx.exit(tally.exit_code)


def _format(ctx: click.Context, output: str, summary: bool) -> Format:
    if summary and output not in SUMMARIES:
        raise click.UsageError(f"-o {output} has no summary: --summary goes with {_SUMMED}", ctx)
    return make_format((SUMMARIES if summary else FORMATS)[output])


def _print(found: Iterable[Judged], shown: Format, tally: Tally, colored: bool) -> None:
    """Show one document after the other, with what is wrong with them on standard error."""
    with Counter(wants_progress()) as counter:
        for judged in found:
            counter.count(one_line(judged.document.file))
            for complaint in complaints(judged):
                counter.pause()
                click.echo(f"{NAME}: {one_line(complaint)}", err=True)
            text = shown.show(judged)
            if text and sys.stdout.isatty():
                counter.stop()
            click.echo(text, nl=False, color=colored)
    click.echo(shown.end(tally), nl=False, color=colored)
