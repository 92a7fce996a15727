"""`hardener scan`: what slipped through, on a live cluster."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hardener.cli.live import (
    config_from_option,
    kubeconfig_option,
    live_credentials,
    namespaces_option,
    one_configuration,
    read_config,
)
from hardener.cli.output.progress import wants_progress
from hardener.cli.terminal import color_option, wants_color
from hardener.errors import BAD_INPUT, INTERNAL, WOULD_CHANGE
from hardener.policy.config import Config
from hardener.policy.reading import embedded_config, load_config
from hardener.report.report import Report, State
from hardener.wording import one_line

if TYPE_CHECKING:
    from hardener.cluster.survey import Progress

BUILT_IN = "the built-in one (--config or --config-from name another)"
STEP = 100
"""Objects between two movements of the progress bar."""


@click.command()
@kubeconfig_option
@click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="The configuration; by default the built-in one."
)
@config_from_option
@namespaces_option
@click.option(
    "-o",
    "--output",
    type=click.Choice(["table", "json", "sarif", "html"]),
    default="table",
    show_default=True,
    help="table: an overview; json: everything, for programs; sarif: for code-scanning pages; html: one page that needs "
    "no network.",
)
@click.option(
    "--write-reports",
    is_flag=True,
    help="Write what was found into the cluster too: one PolicyReport (wgpolicyk8s.io) or Report (openreports.io) per "
    "namespace, whichever the cluster has.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Judge as `hardener serve --dry-run` does: nothing is enforced, and nothing lacking.",
)
@color_option
@click.pass_context
def scan(
    ctx: click.Context,
    kubeconfig: Path | None,
    config: Path | None,
    config_from: tuple[str, str] | None,
    namespaces: Sequence[str],
    output: str,
    write_reports: bool,
    dry_run: bool,
    color: str,
) -> None:
    """Show which pods of a cluster lack what their policy says, and why.

    Every pod is judged as the webhook would judge it now, with the labels, LimitRanges, quotas and accounts of its
    namespace, and counted under the workload that owns it. Workloads without pods are judged by their templates. Pods that
    have ended and mirror pods are left out. Nothing is changed.

    It lists pods, namespaces, limitranges, resourcequotas, serviceaccounts, deployments, statefulsets, daemonsets,
    replicasets, jobs and cronjobs. Where a right is missing, it says which, and goes on with what there is.

    Exit code 0: every pod has what its policy enforces; 1: some do not; 2: bad input, no access, or something could not be
    read or written; 3: an internal error.
    """
    one_configuration(config, config_from)
    # What is wrong with a file is told before anything is asked.
    configuration = config_from or (load_config(config) if config else embedded_config())
    with _progress() as progress:
        look = _look(kubeconfig, configuration, namespaces, progress, dry_run, write_reports)
        report, unwritten = asyncio.run(look)
    colored = wants_color(color)
    if not (config or config_from):
        report = replace(report, config=BUILT_IN)
    click.echo(_text(report, output), nl=False, color=colored)
    for problem in (*report.problems, *unwritten):
        click.echo(f"hardener: {one_line(problem)}", err=True)
    ctx.exit(_exit_code(report, unwritten))


async def _look(
    kubeconfig: Path | None,
    configuration: Config | tuple[str, str],
    namespaces: Sequence[str],
    progress: "Progress",
    dry_run: bool,
    write_reports: bool,
) -> tuple[Report, Sequence[str]]:
    """The report, and what could not be written of it; a configuration that is a place is read from the cluster."""
    # These take most of the time that `--help` would.
    from hardener.cluster.policy_reports import PolicyReports  # noqa: PLC0415  see above
    from hardener.cluster.survey import Survey  # noqa: PLC0415  see above

    credentials = live_credentials(kubeconfig)
    async with Survey(credentials, namespaces, progress=progress) as survey:
        config = configuration if isinstance(configuration, Config) else await read_config(survey, *configuration)
        report = await survey.report(config.capped() if dry_run else config, datetime.now(UTC))
    if not write_reports:
        return report, ()
    written, unwritten = await PolicyReports(credentials).write(report)
    click.echo(f"{written} reports written", err=True)
    return report, unwritten


def _exit_code(report: Report, unwritten: Sequence[str]) -> int:
    if any(finding.errors for namespace in report.namespaces for finding in namespace.findings):
        return INTERNAL
    if report.problems or unwritten:
        return BAD_INPUT
    return WOULD_CHANGE if report.count(State.UNHARDENED) else 0


def _text(report: Report, output: str) -> str | bytes:
    """Each format is imported only when it is asked for."""
    if output == "json":
        from hardener.cli.reports.as_json import encode_report  # noqa: PLC0415  see above

        return encode_report(report)
    if output == "sarif":
        from hardener.cli.reports.as_sarif import encode_sarif  # noqa: PLC0415  see above

        return encode_sarif(report)
    if output == "html":
        from hardener.cli.reports.html import page  # noqa: PLC0415  see above

        return page(report)
    from hardener.cli.reports.as_table import overview  # noqa: PLC0415  see above

    return overview(report)


@contextmanager
def _progress() -> Iterator[Callable[[str, int], None]]:
    """A line on standard error that says how far it is, on a terminal; it is gone at the end."""
    if not wants_progress():
        yield lambda _what, _count: None
        return
    from rich.console import Console  # noqa: PLC0415  only terminals need it
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415  see above

    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("asking the API server", total=None)

        def told(what: str, count: int) -> None:
            if count % STEP == 0:
                bar.update(task, description=f"{count:,} {what}")

        yield told
