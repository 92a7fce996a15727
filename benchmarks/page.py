"""A run -> docs/performance.md, its plots, and the sizing table of docs/operations.md."""

import textwrap
from dataclasses import dataclass

from benchmarks import api_server, footprint, goals, micro, preview, replicas, start, webhook
from benchmarks.machine import sentence
from benchmarks.plots import LINEAR, LOGARITHMIC, bars, lines
from benchmarks.run import Run
from benchmarks.servers import ROOT
from tests.e2e.documents import Documents

PAGE = "docs/performance.md"
PLOTS = "performance"
"""Folder beside the page."""

OPERATIONS, SIZING = "docs/operations.md", "sizing"


@dataclass(frozen=True, slots=True)
class Plot:
    """A file beside the page, what it shows in one line, and the SVG."""

    name: str
    title: str
    svg: str

    @property
    def markdown(self) -> str:
        return f"![{self.title}]({PLOTS}/{self.name}.svg)\n"


def write(run: Run) -> None:
    """Write everything that tells of a run."""
    drawn = plots(run)
    folder = (ROOT / PAGE).parent / PLOTS
    folder.mkdir(exist_ok=True)
    for plot in drawn:
        (folder / f"{plot.name}.svg").write_text(plot.svg)
    documents = Documents(write=True)
    documents.show(PAGE, text(run, *drawn))
    documents.show(OPERATIONS, sizing(run), SIZING)


def plots(run: Run) -> tuple[Plot, Plot, Plot, Plot]:
    """Growth with containers, with volumes and annotations, the webhook alone, and through the API server."""
    rows = run.micro.containers
    growth = "Microseconds for pods of 1 to 200 containers"
    stages = (micro.LOADS, micro.ENGINE_AND_RENDER, micro.WHOLE)
    series = {stage: [(row.count, row.microseconds[stage].median) for row in rows] for stage in stages}
    fields = "Microseconds from bytes to bytes, with more volumes or more annotations"
    of_fields = {
        name: [(row.count, row.microseconds[micro.WHOLE].median) for row in rows]
        for name, rows in (("volumes", run.micro.volumes), ("annotations", run.micro.annotations))
    }
    alone = f"The webhook alone, {webhook.CONNECTIONS} connections"
    panels = {
        "requests/s": {name: load.requests_per_second.median for name, load in run.webhook.items()},
        "CPU ms per request": {name: load.cpu.median for name, load in run.webhook.items()},
        **{
            f"p{percent}, ms": {name: load.percentiles[percent].median for name, load in run.webhook.items()}
            for percent in webhook.PERCENTILES
        },
    }
    through = "Milliseconds that a webhook adds to the creation of a pod (p50)"
    added = {
        f"{connections} at a time": {
            name: creation.added.median for name, creation in creations.items() if name != api_server.NONE
        }
        for connections, creations in run.api_server.creations.items()
    }
    return (
        Plot("growth", growth, lines(growth, "containers", series, LOGARITHMIC)),
        Plot("growth-of-fields", fields, lines(fields, "volumes or annotations", of_fields, LINEAR)),
        Plot("alone", alone, bars(alone, panels)),
        Plot("api-server", through, bars(through, added)),
    )


def text(run: Run, growth: Plot, fields: Plot, alone: Plot, through: Plot) -> str:
    """The page. Every section is written by the module that measures it."""
    kind = "The long version" if run.long else "The short version"
    return f"""\
# Performance

An admission webhook stands in the way of every pod. This page tells what hardener takes, beside a webhook that does
nothing and one that answers a constant patch, and beside others. `make bench` measures all of it and writes this page;
[benchmarks/README.md](../benchmarks/README.md) says how.

{_filled(f"{kind}, in {run.seconds / 60:.1f} minutes, on {run.taken:%d %B %Y}: {sentence(run.machine)}.")}

Everything that is compared was measured in turn, round after round, in one run. Figures are medians of the rounds, with
the least and the most of them in brackets. Ratios hold on other machines, milliseconds do not.

## Goals

{goals.markdown(run)}
A goal that is missed by less than the noise may be met by the next run of the same code. `make bench-check` fails where
one is missed by more.

## Beside nothing, and beside a constant patch

All seven controls enforced, with metrics and a log line for each review, over TLS, on {webhook.CONNECTIONS} connections, each of which sends the
next review when it has the answer to the last. `null` is a webhook on aiohttp, uvloop and orjson that allows everything,
`fixed` one that answers the same twelve operations each time. hardener has the same event loop and TLS, and reads HTTP
[itself](decisions/0019-http-without-a-framework.md).

{alone.markdown}
{webhook.markdown(run.webhook)}
## Through the API server

Dry-run creation of a pod with two containers. Client, API server and webhook share the processors; there is no audit log.

{through.markdown}
{api_server.markdown(run.api_server)}
{PEERS}
## Engine and codec

In one process, without a network. `engine + render` makes the operations of a decoded pod; `bytes to bytes` is all that
lies between the body of a request and the body of its answer.

{growth.markdown}
{fields.markdown}
{micro.markdown(run.micro)}
## Start

{start.markdown(run.start)}
## `hardener preview`

{preview.markdown(run.preview)}
## Memory

Without a cluster:

{footprint.markdown(run.footprint)}
{_large_cluster(run)}
## Replicas

So many servers behind one Service, with {replicas.CONNECTIONS} connections in all. On two cores, two servers and their client share
what one server and its client have.

{replicas.markdown(run.replicas)}"""


PEERS = """\
## Beside others

Measured once, on the same class of machine (2 cores, which client, API server and webhook share) and in the same way:
dry-run creation of a pod with two containers through kube-apiserver 1.36.3, and each webhook alone with 8 connections.

| | added p50, 1 at a time, ms | 8 at a time, ms | p50 to a webhook that does nothing, 8 at a time | alone: requests/s | CPU s per 1,000 | RSS, MB |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
| aiohttp, uvloop and orjson, allows everything | 0.8 | 2.8 | 1 | 11,600 | 0.07 | 45 |
| the same with a constant patch of 12 operations | 1.7 | 6.6 | 1.5 | 12,000 | 0.07 | 45 |
| MutatingAdmissionPolicy, inside the API server | 1.5 | 5.9 | 1.4 | | | |
| Gatekeeper, 8 Assigns | 6.0 | 23 | 3.2 | 645 | 2.7 | 93 |
| Kyverno 1.18.1 | 11.4 | 52 | 6.6 | 157 | 8.3 | 165 |
| Polaris 10.2 | 21 | 102 | 12 | 107 | 16 | 58 |

To repeat it: start the program with policies that make the changes of the seven controls, and with a certificate of its
own; register it in place of hardener for a namespace as `benchmarks/api_server.py` does; take rounds in turn with the two
handlers of `benchmarks/handlers.py`; compare ratios. The first two rows are handlers of the same kind as those, and tell
how fast that machine was beside this one.
"""


def _large_cluster(run: Run) -> str:
    what = "Beside a real API server with 10,000 namespaces, 20,000 service accounts and 2,000 LimitRanges"
    if run.large_cluster is None:
        return f"{_filled(f'{what}: `python -m benchmarks.memory`, which the long version runs too.')}\n"
    return f"{what}:\n\n```text\n{run.large_cluster.text.strip()}\n```\n"


def sizing(run: Run) -> str:
    """The part of docs/operations.md."""
    return f"{replicas.sizing(run.replicas)}\n{_filled(f'{sentence(run.machine)}.')}"


def _filled(text: str) -> str:
    return textwrap.fill(text, 120, break_long_words=False, break_on_hyphens=False)
