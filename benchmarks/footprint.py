"""The memory of a server that stands alone: idle, under load, and after many requests; and beside a large cluster."""

import re
import subprocess
import sys

import msgspec

from benchmarks.figures import table
from benchmarks.load import Target, closed_loop, reviews_as_requests
from benchmarks.reviews import LARGEST, TWO, review, reviews
from benchmarks.servers import ROOT, certificate, hardener

CONNECTIONS = 32
REQUESTS, LONG_REQUESTS = 20_000, 200_000
STEPS = 10
BODIES = 512
LARGE_REQUESTS = 64


class Footprint(msgspec.Struct, frozen=True):
    """RSS in MiB. `after` maps requests to what it was then; `large` is the peak with pods of 1.5 MiB on 8 connections."""

    idle: float
    peak: float
    after: dict[int, float]
    large: float

    @property
    def growth(self) -> float:
        """MiB from the half of the requests, when all that is made once has been made, to the last."""
        series = list(self.after.values())
        return series[-1] - series[STEPS // 2 - 1]


def measure(long: bool) -> Footprint:
    """Load one server; pods differ in their names, so that what is kept of each would be seen."""
    step = (LONG_REQUESTS if long else REQUESTS) // STEPS
    with certificate() as pair, hardener(pair) as served:
        idle = served.resident_mib()
        target = Target((served.port,), reviews_as_requests(reviews(TWO, BODIES)))
        after = {}
        for number in range(1, STEPS + 1):
            closed_loop(target, CONNECTIONS, seconds=600, most=step)
            after[number * step] = served.resident_mib()
        peak = served.peak_mib()
        large = Target((served.port,), reviews_as_requests([review(LARGEST)]))
        closed_loop(large, connections=8, seconds=600, most=LARGE_REQUESTS)
        return Footprint(idle, peak, after, served.peak_mib())


class LargeCluster(msgspec.Struct, frozen=True):
    """What `memory.py` has printed, and the highest RSS in it in MiB."""

    text: str
    peak: float


def measure_large_cluster() -> LargeCluster:
    """Run `memory.py`, which takes minutes; its exit code says what the peak says too."""
    run = [sys.executable, "-m", "benchmarks.memory"]
    text = subprocess.run(run, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False).stdout
    peaks = [float(found) for found in re.findall(r"at most +([\d.]+)", text)]
    if not peaks:
        raise RuntimeError(f"benchmarks.memory tells no memory: {text}")
    return LargeCluster(text, max(peaks))


def markdown(footprint: Footprint) -> str:
    """The section of the page."""
    requests = list(footprint.after)
    rows = [
        ["idle", f"{footprint.idle:.1f}"],
        [f"after {requests[0]:,} requests on {CONNECTIONS} connections", f"{footprint.after[requests[0]]:.1f}"],
        [f"after {requests[-1]:,}", f"{footprint.after[requests[-1]]:.1f}"],
        ["at most until then", f"{footprint.peak:.1f}"],
        ["at most with pods of 1.5 MiB, 8 at a time", f"{footprint.large:.1f}"],
    ]
    return f"{table(['', 'RSS, MiB'], rows)}\n"


if __name__ == "__main__":
    print(markdown(measure(long="--long" in sys.argv)))
