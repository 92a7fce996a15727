"""What one server carries, and two behind one Service.

kube-proxy sends each connection to one of the replicas, in the kernel; here the client does so, since a balancer in user
space would take more of the processors than the servers do.
"""

import sys
from contextlib import ExitStack
from functools import partial

import msgspec

from benchmarks.figures import Figure, figure, interleaved, table
from benchmarks.load import Round, Target, closed_loop, open_loop, percentile, reviews_as_requests
from benchmarks.reviews import Size, reviews
from benchmarks.servers import Served, certificate, hardener

CONNECTIONS = 16
SECONDS = 0.7
ROUNDS, LONG_ROUNDS = 7, 25
COUNTS = (1, 2)
SIZES = (2, 10, 50)
"""Containers of the pods of the sizing table."""

BOUND = 10.0
"""Milliseconds that 99 of 100 reviews take at most, where a replica carries its load."""

FRACTIONS = (0.15, 0.3, 0.45, 0.6, 0.7, 0.8, 0.9)
"""Rates that are tried, of what a closed loop reaches, whose clients wait where those of an open one do not."""

SECONDS_OF_A_RATE, LONG_SECONDS_OF_A_RATE = 1.5, 9.0
PARTS = 3
"""The p99 of a rate is the median of those of so many parts, so that one hitch of the machine does not decide."""


class Together(msgspec.Struct, frozen=True):
    """So many servers under as much load as they take: p99 in ms, CPU of all of them in seconds for 1,000 requests."""

    requests_per_second: Figure
    cpu: Figure
    p99: Figure


class Carried(msgspec.Struct, frozen=True):
    """The highest rate of pods a second that one server answers within the bound, its p99 in ms, and the CPU of a pod."""

    rate: float
    p99: float
    cpu_ms: float


class Replicas(msgspec.Struct, frozen=True):
    """By the number of servers, and by the containers of a pod."""

    together: dict[int, Together]
    carried: dict[int, Carried | None]


def measure(long: bool) -> Replicas:
    """Take all figures."""
    with certificate() as pair, ExitStack() as stack:
        servers = [stack.enter_context(hardener(pair)) for _ in range(max(COUNTS))]
        requests = reviews_as_requests(reviews())
        taken = interleaved(
            {count: partial(_load, servers[:count], requests) for count in COUNTS},
            LONG_ROUNDS if long else ROUNDS,
        )
        together = {
            count: Together(
                figure([done.requests_per_second for done, _ in rounds]),
                figure([cpu for _, cpu in rounds]),
                figure([done.percentile(99) for done, _ in rounds]),
            )
            for count, rounds in taken.items()
        }
        seconds = LONG_SECONDS_OF_A_RATE if long else SECONDS_OF_A_RATE
        carried = {count: _carried(servers[0], Size(containers=count), seconds) for count in SIZES}
    return Replicas(together, carried)


def _load(servers: list[Served], requests: tuple[bytes, ...]) -> tuple[Round, float]:
    before = sum(served.cpu_seconds() for served in servers)
    done = closed_loop(Target(tuple(served.port for served in servers), requests), CONNECTIONS, SECONDS)
    after = sum(served.cpu_seconds() for served in servers)
    return done, (after - before) / len(done.latencies) * 1000


def _carried(served: Served, size: Size, seconds: float) -> Carried | None:
    """The highest of the rates that it carries."""
    target = Target((served.port,), reviews_as_requests(reviews(size)))
    most = figure([closed_loop(target, CONNECTIONS, SECONDS).requests_per_second for _ in range(PARTS)]).median
    tried = (_tried(served, target, fraction * most, seconds) for fraction in FRACTIONS)
    return max((each for each in tried if each.p99 < BOUND), key=lambda each: each.rate, default=None)


def _tried(served: Served, target: Target, rate: float, seconds: float) -> Carried:
    before = served.cpu_seconds()
    latencies = open_loop(target, rate, seconds).latencies
    cpu = served.cpu_seconds() - before
    size = len(latencies) // PARTS
    p99 = figure([percentile(latencies[part * size :][:size], 99) for part in range(PARTS)]).median
    return Carried(rate, p99, cpu / len(latencies) * 1e3)


def markdown(replicas: Replicas) -> str:
    """The section of the page."""
    rows = [
        [f"{count}", each.requests_per_second.whole(0), each.cpu.whole(3), each.p99.text(1)]
        for count, each in replicas.together.items()
    ]
    return f"""\
{table(["servers", "requests/s", "CPU s per 1,000, all servers", "p99, ms"], rows)}

What one server carries with a p99 below {BOUND:.0f} ms, where pods come at random moments:

{sizing(replicas)}"""


def sizing(replicas: Replicas) -> str:
    """The table for whoever decides on requests and replicas."""
    head = ["containers of a pod", "pods/s", "CPU of a pod, ms", "pods/s for each 100m of CPU"]
    rows = [
        [f"{count}", f"{each.rate:,.0f}", f"{each.cpu_ms:.2f}", f"{100 / each.cpu_ms:,.0f}"]
        if each
        else [f"{count}", "none of those tried", "", ""]
        for count, each in replicas.carried.items()
    ]
    return f"{table(head, rows)}\n"


if __name__ == "__main__":
    print(markdown(measure(long="--long" in sys.argv)))
