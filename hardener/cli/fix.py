"""`hardener fix`: what the webhook would do to manifests, written into their files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click

from hardener.cli.judging import Choices, Judging, collect_seldom, failures, judging_options
from hardener.cli.manifests.documents import Document, File, files
from hardener.cli.manifests.rewriting import rewrite
from hardener.cli.output.diffs import Sheets
from hardener.cli.output.tally import Tally
from hardener.cli.terminal import color_option, wants_color
from hardener.controls import CATALOGUE
from hardener.errors import BAD_INPUT, INTERNAL, WOULD_CHANGE, EditError
from hardener.policy.nearest import hint
from hardener.wording import NAME, one_line

CHART = "Chart.yaml"
TEMPLATES = "templates"
TEMPLATE = "{{"


@dataclass(slots=True)
class _Fixing:
    """What was done so far, and what could not be done."""

    tally: Tally = field(default_factory=Tally)
    files: int = 0
    changed: int = 0
    written: int = 0
    left: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def exit_code(self, write: bool) -> int:
        if self.tally.errors:
            return INTERNAL
        if self.left:
            return BAD_INPUT
        return WOULD_CHANGE if self.changed and not write else 0

    def summary(self, write: bool) -> str:
        done = f"{self.written} written" if write else f"{self.changed} would be written"
        left = f"; {len(self.left)} could not be fixed, see above" if self.left else ""
        return f"{self.files} {'file' if self.files == 1 else 'files'}, {done}{left}"


def _controls(ctx: click.Context, param: click.Parameter, names: Sequence[str]) -> frozenset[str] | None:
    for name in names:
        if name not in CATALOGUE:
            raise click.BadParameter(f"there is no control {name!r}: {hint(name, CATALOGUE)}", ctx, param)
    return frozenset(names) or None


@click.command()
@click.argument("inputs", nargs=-1, metavar="[FILE|DIR|-]...")
@click.option(
    "--write/--diff",
    default=False,
    help="Write the files, or show what would be written, which is the default.",
)
@click.option(
    "--control",
    "controls",
    multiple=True,
    metavar="NAME",
    callback=_controls,
    help="Only what this control changes; may be given again. `hardener controls` lists them.",
)
@judging_options
@color_option
@click.pass_context
def fix(
    ctx: click.Context,
    inputs: Sequence[str],
    write: bool,
    controls: frozenset[str] | None,
    choices: Choices,
    color: str,
) -> None:
    """Write what the webhook would do into the files of manifests.

    Comments, order, quotes and indentation stay as they are, and a file with nothing to change is not touched. A file is
    replaced as a whole or not at all. What a policy only tries (dry-run) is written too. Standard input (-) is written to
    standard output with --write. Helm templates are left alone: pipe what `helm template` renders through `hardener
    preview`. Files may have 64 MiB, and each document in them 16 MiB.

    Exit code 0: nothing to do, or all is written; 1: something would change (without --write); 2: bad input or usage, or
    something could not be fixed, and the rest is done; 3: an internal error.
    """
    if not inputs:
        raise click.UsageError("name files or folders, or - for standard input", ctx)
    collect_seldom()
    judging = choices.judging(controls)
    fixing = _Fixing()
    colored = wants_color(color)
    for file in files(inputs):
        try:
            _fix(file, judging, fixing, write, colored)
        except EditError as error:
            fixing.left.append(str(error))
    for line in (*fixing.failures, *fixing.left):
        click.echo(f"{NAME}: {one_line(line)}", err=True)
    click.echo(fixing.summary(write), err=True)
    ctx.exit(fixing.exit_code(write))


def _fix(file: File, judging: Judging, fixing: _Fixing, write: bool, colored: bool) -> None:
    """Show or write one file. Raises EditError if it cannot be written."""
    documents = list(file.documents)
    fixing.files += bool(file.data)
    new = file.data
    if _is_template(file, documents):
        fixing.left.append(
            f"{file.name}: is a template ({TEMPLATE}): render it first, as in `helm template . | {NAME} preview`"
        )
    else:
        new = _fixed(file, documents, judging, fixing, None if write else colored)
    if write and file.path is None:
        click.echo(new, nl=False)
    if new != file.data:
        fixing.changed += 1
        if write and file.path is not None:
            rewrite(file.path, file.data, new)
        fixing.written += write


def _fixed(file: File, documents: Sequence[Document], judging: Judging, fixing: _Fixing, colored: bool | None) -> bytes:
    """The file's content as it would be; `colored` is None where it is not shown."""
    sheets = Sheets(to_show=False)
    texts: list[str] = []
    for document in documents:
        judged = judging.judged(document, fixing.tally)
        sheet = sheets.of(judged)
        texts.append(sheet.text)
        fixing.failures += failures(judged)
        fixing.left += judged.missing
        fixing.left += map(str, (*judged.problems, *(error.problem for error in sheet.errors.values())))
        for index in range(len(judged.previews)):
            if colored is not None and index not in sheet.errors:
                click.echo("".join(f"{line}\n" for line in sheet.render(index)), nl=False, color=colored)
    # What is no text has no documents whose texts would be the file again.
    read = "".join(document.text for document in documents).encode() == file.data
    return "".join(texts).encode() if read else file.data


def _is_template(file: File, documents: Sequence[Document]) -> bool:
    """Whether Helm, or the like, makes manifests of it: it cannot be read as one, or lies where charts keep theirs."""
    if any(document.problem is not None and TEMPLATE in document.text for document in documents):
        return True
    return file.path is not None and TEMPLATE.encode() in file.data and _in_chart(Path(file.path))


def _in_chart(path: Path) -> bool:
    return any(folder.name == TEMPLATES and (folder.parent / CHART).is_file() for folder in path.absolute().parents)
