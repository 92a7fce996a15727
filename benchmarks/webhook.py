"""The webhook alone, over TLS, beside a handler that does nothing and one that answers a constant patch.

All three are processes of their own; rounds of load alternate between them, and a ratio is taken within each round.
"""

import sys
from functools import partial

import msgspec

from benchmarks.figures import Figure, figure, interleaved, ratio, table
from benchmarks.load import Round, Target, closed_loop, reviews_as_requests
from benchmarks.reviews import reviews
from benchmarks.servers import Served, certificate, side_by_side

CONNECTIONS = 8
SECONDS = 0.7
ROUNDS, LONG_ROUNDS = 11, 41
PERCENTILES = (50, 95, 99)


class Load(msgspec.Struct, frozen=True):
    """One server under load: percentiles in ms, CPU in seconds for 1,000 requests; and the same as ratios to `fixed`."""

    requests_per_second: Figure
    cpu: Figure
    percentiles: dict[int, Figure]
    throughput_ratio: Figure
    cpu_ratio: Figure
    percentile_ratios: dict[int, Figure]


def measure(long: bool) -> dict[str, Load]:
    """The servers by name."""
    with certificate() as pair, side_by_side(pair) as servers:
        requests = reviews_as_requests(reviews())

        def load(served: Served) -> tuple[Round, float]:
            before = served.cpu_seconds()
            done = closed_loop(Target((served.port,), requests), CONNECTIONS, SECONDS)
            return done, (served.cpu_seconds() - before) / len(done.latencies) * 1000

        rounds = interleaved(
            {name: partial(load, served) for name, served in servers.items()},
            LONG_ROUNDS if long else ROUNDS,
        )
    return {name: _load(taken, rounds["fixed"]) for name, taken in rounds.items()}


def _load(rounds: list[tuple[Round, float]], floor: list[tuple[Round, float]]) -> Load:
    def throughput(side: list[tuple[Round, float]]) -> list[float]:
        return [done.requests_per_second for done, _ in side]

    def cpu(side: list[tuple[Round, float]]) -> list[float]:
        return [seconds for _, seconds in side]

    def latency(side: list[tuple[Round, float]], percent: int) -> list[float]:
        return [done.percentile(percent) for done, _ in side]

    return Load(
        figure(throughput(rounds)),
        figure(cpu(rounds)),
        {percent: figure(latency(rounds, percent)) for percent in PERCENTILES},
        ratio(throughput(rounds), throughput(floor)),
        ratio(cpu(rounds), cpu(floor)),
        {percent: ratio(latency(rounds, percent), latency(floor, percent)) for percent in PERCENTILES},
    )


def markdown(loads: dict[str, Load]) -> str:
    """The section of the page."""
    head = ["", "requests/s", "CPU s per 1,000", *(f"p{percent}, ms" for percent in PERCENTILES)]
    rows = [
        [
            name,
            load.requests_per_second.text(0),
            load.cpu.text(3),
            *(load.percentiles[percent].text() for percent in PERCENTILES),
        ]
        for name, load in loads.items()
    ]
    ours = loads["hardener"]
    ratios = [ours.throughput_ratio, ours.cpu_ratio, *(ours.percentile_ratios[percent] for percent in PERCENTILES)]
    rows.append(["hardener to fixed", *(each.whole() for each in ratios)])
    return f"{table(head, rows)}\n"


if __name__ == "__main__":
    print(markdown(measure(long="--long" in sys.argv)))
