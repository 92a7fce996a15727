"""`hardener metrics`: every metric of the server, what it counts, and what its rise means."""

from collections.abc import Iterator, Mapping

import click
from click.formatting import wrap_text

from hardener.cli.pages.markdown import anchor, code, escaped, table
from hardener.cli.terminal import color_option, console, page_option, wants_color
from hardener.controls import CATALOGUE
from hardener.metrics import DURATION_BUCKETS, ENGINE, OTHER_NAMESPACES, TABLE, UNKNOWN_CONTROL, Metric
from hardener.model import OptOutCause

GENERATED = "<!-- Generated from hardener/metrics.py by `make generate`: change that, not this. -->"

_LABELS_HEADING = "Labels"
_INDENT = "  "

LABELS: Mapping[str, str] = {
    "cause": f"why; of an opt-out {', '.join(map(code, OptOutCause))}",
    "control": f"{', '.join(map(code, CATALOGUE))}; {code(UNKNOWN_CONTROL)} stands for all words in opt-outs that name "
    f"none, {code(ENGINE)} for an error outside of all of them",
    "endpoint": "the path of the request, without its slash",
    "line": "key of a line of the configuration, such as `exempt.containers[0]`",
    "namespace": f"name of a namespace, or {code(OTHER_NAMESPACES)}",
    "outcome": "what a control did",
    "policy": "name of a policy, built in or of the configuration; empty where a review came to none, as of an update",
    "resource": "plural of a resource of the cluster, such as `limitranges`",
    "result": "what became of it",
    "status": "status of the HTTP response",
}
"""What stands in a label, as Markdown. Words that are not listed here are listed by the metric itself."""

_INTRODUCTION = f"""\
`hardener serve` shows them to Prometheus at `/metrics` on `--metrics-port` (8080), beside those of its process
(`process_cpu_seconds_total`, `process_resident_memory_bytes` and so on). A counter with labels begins with the first
thing that it counts: until then there is no such series, and not one that is 0. Histograms have buckets from
{DURATION_BUCKETS[0]:g} to {DURATION_BUCKETS[-1]:g} seconds."""


@click.command()
@page_option("docs/metrics.md")
@color_option
def metrics(output: str, color: str) -> None:
    """List the server's metrics, and what it means when they rise.

    Exit code 0: shown; 2: wrong usage.
    """
    if output == "markdown":
        click.echo("\n".join(_page()))
        return
    colored = wants_color(color)
    width = console(colored).width
    for metric in TABLE:
        click.echo(f"{click.style(metric.name, bold=True)}  {_about(metric)}", color=colored)
        _echo(metric.help, width)
        _echo(f"A rise means: {metric.rise}", width)
        click.echo()
    click.echo(click.style(_LABELS_HEADING, bold=True), color=colored)
    for label, holds in LABELS.items():
        _echo(f"{label}: {holds.replace('`', '')}", width)


def _echo(text: str, width: int) -> None:
    click.echo(wrap_text(text, width, initial_indent=_INDENT, subsequent_indent=_INDENT))


def _about(metric: Metric) -> str:
    """Kind, labels and flag in one phrase."""
    by = f" by {', '.join(metric.labels)}" if metric.labels else ""
    return f"{metric.kind}{by}{f'; only with {metric.flag}' if metric.flag else ''}"


def _page() -> Iterator[str]:
    yield from ("# Metrics", "", GENERATED, "", _INTRODUCTION, "")
    yield from table(
        ("metric", "type", f"[labels]({anchor(_LABELS_HEADING)})", "what it counts", "what a rise means"),
        [
            (code(metric.name), metric.kind, ", ".join(map(code, metric.labels)), _counts(metric), escaped(metric.rise))
            for metric in TABLE
        ],
    )
    yield from ("", f"## {_LABELS_HEADING}", "")
    yield from table(("label", "what it holds"), [(code(label), holds) for label, holds in LABELS.items()])


def _counts(metric: Metric) -> str:
    flag = f" Only with {code(f'serve {metric.flag}')}." if metric.flag else ""
    return escaped(metric.help) + flag
