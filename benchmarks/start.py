"""A cold start: what `hardener serve` takes from exec to its first answer, and what of it are imports."""

import re
import subprocess
import sys
from collections import defaultdict
from time import perf_counter

import msgspec

from benchmarks.figures import Figure, figure, table
from benchmarks.reviews import review
from benchmarks.servers import ROOT, Certificate, certificate, hardener, hardener_arguments, logged_port

ROUNDS, LONG_ROUNDS = 7, 21
IMPORT_RUNS = 5
SHOWN = 12
"""Packages that the page names."""

_LINE = re.compile(r"import time:\s+(\d+) \|\s+\d+ \| +(\S+)")


class Start(msgspec.Struct, frozen=True):
    """Seconds; `imports` by package of what is imported, each without what it imports of others."""

    cpu: Figure
    wall: Figure
    imports: dict[str, float]


def measure(long: bool) -> Start:
    """Start it again and again; the first time, which reads files that the next ones find in memory, does not count."""
    body = review()
    with certificate() as pair:
        taken = [_start(pair, body) for _ in range((LONG_ROUNDS if long else ROUNDS) + 1)][1:]
        imports = _imports(pair)
    return Start(figure([cpu for cpu, _ in taken]), figure([wall for _, wall in taken]), imports)


def _start(pair: Certificate, body: bytes) -> tuple[float, float]:
    started = perf_counter()
    with hardener(pair) as served:
        served.answer(body)
        return served.cpu_seconds(), perf_counter() - started


def _imports(pair: Certificate) -> dict[str, float]:
    """The median of some runs of `python -X importtime`, largest first."""
    runs = [_import_run(pair) for _ in range(IMPORT_RUNS)]
    names = {name for run in runs for name in run}
    medians = {name: figure([run.get(name, 0.0) for run in runs]).median for name in names}
    return dict(sorted(medians.items(), key=lambda item: -item[1]))


def _import_run(pair: Certificate) -> dict[str, float]:
    """What a server imports until it serves, and from then to its end, which is little."""
    arguments = [sys.executable, "-X", "importtime", *hardener_arguments(pair)]
    seconds: dict[str, float] = defaultdict(float)
    with subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if found := _LINE.match(line):
                package = found[2].partition(".")[0]
                name = "the standard library" if package in sys.stdlib_module_names else package
                seconds[name] += int(found[1]) / 1e6
            elif logged_port(line):
                process.terminate()
    return seconds


def markdown(start: Start) -> str:
    """The section of the page."""
    shown = list(start.imports.items())[:SHOWN]
    rest = sum(start.imports.values()) - sum(seconds for _, seconds in shown)
    rows = [[name, f"{seconds * 1e3:.0f}"] for name, seconds in [*shown, ("all others", rest)]]
    return f"""\
{start.cpu.whole()} s of CPU and {start.wall.whole()} s by the clock, of which the imports of these packages take, each
without what it imports of others, as `python -X importtime` tells, which slows them down a little:

{table(["", "ms"], rows)}
"""


if __name__ == "__main__":
    print(markdown(measure(long="--long" in sys.argv)))
