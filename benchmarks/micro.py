"""What the hot path costs, as ratios to `orjson.loads` of the same review, and how it grows with the pod.

The stages are timed in turn, round after round in one process, and the ratio is taken within each round.
"""

import math
import sys
import timeit
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import msgspec
import orjson

from benchmarks.figures import Figure, figure, interleaved, ratio, table
from benchmarks.reviews import LARGEST, TWO, Size, review
from hardener.admission import decode, encode, respond
from hardener.engine import harden
from hardener.model import STANDALONE, Mode, Pod
from hardener.patch import render
from hardener.policy.reading import embedded_config

CONTAINERS = (1, 2, 10, 50, 200)
GROWTH = (0, 10, 100, 400)
"""Volumes beside the token's, and annotations beside the first two, of a pod with two containers."""

LOADS, ENGINE_AND_RENDER, WHOLE = "orjson.loads", "engine + render", "bytes to bytes"
ROUNDS, LONG_ROUNDS = 21, 101
ROUND_SECONDS = 0.015
TODAY = date(2026, 11, 22)


class Row(msgspec.Struct, frozen=True):
    """One pod. `microseconds` of each stage, and the ratios of the others to the first."""

    count: int
    size: int
    operations: int
    microseconds: dict[str, Figure]
    ratios: dict[str, Figure]


class Micro(msgspec.Struct, frozen=True):
    """The rows of `CONTAINERS`, of a pod as large as can be, and of `GROWTH` in volumes and annotations."""

    containers: list[Row]
    largest: Row
    volumes: list[Row]
    annotations: list[Row]

    def of_containers(self, count: int) -> Row:
        return next(row for row in self.containers if row.count == count)


def measure(long: bool) -> Micro:
    """Take all figures."""
    rounds = LONG_ROUNDS if long else ROUNDS
    return Micro(
        containers=_rows({count: replace(TWO, containers=count) for count in CONTAINERS}, rounds),
        largest=_rows({LARGEST.containers: LARGEST}, rounds)[0],
        volumes=_rows({count: replace(TWO, volumes=count) for count in GROWTH}, rounds),
        annotations=_rows({count: replace(TWO, annotations=count) for count in GROWTH}, rounds),
    )


def exponent(rows: list[Row]) -> float:
    """How the time from bytes to bytes grows beyond the first row, from the last row but one to the last: 1 is linear.

    It is that of the quickest rounds, since nothing makes a round quicker than it should be.
    """
    first, middle, last = ((row.count, row.microseconds[WHOLE].least) for row in (rows[0], *rows[-2:]))
    added = (last[1] - first[1]) / (middle[1] - first[1])
    return math.log(added) / math.log((last[0] - first[0]) / (middle[0] - first[0]))


def _rows(sizes: dict[int, Size], rounds: int) -> list[Row]:
    """All sizes in turn as well, so that their times can be compared with one another."""
    bodies = {count: review(size) for count, size in sizes.items()}
    timed = {(count, name): _timed(stage) for count, body in bodies.items() for name, stage in _stages(body).items()}
    seconds = interleaved(timed, rounds)
    return [
        _row(count, body, {name: taken for (of, name), taken in seconds.items() if of == count})
        for count, body in bodies.items()
    ]


def _row(count: int, body: bytes, seconds: dict[str, list[float]]) -> Row:
    return Row(
        count,
        len(body),
        len(respond(decode(body), embedded_config(), STANDALONE, TODAY).operations),
        {name: figure([each * 1e6 for each in taken]) for name, taken in seconds.items()},
        {name: ratio(taken, seconds[LOADS]) for name, taken in seconds.items() if name != LOADS},
    )


def _stages(body: bytes) -> dict[str, Callable[[], object]]:
    config = embedded_config()
    policy = config.default
    pod = decode(body).pod
    assert pod is not None
    manifest = pod.manifest
    writes = harden(pod, policy, STANDALONE, TODAY).writes(Mode.ENFORCE)

    def engine_and_render() -> object:
        return render(harden(Pod(manifest), policy, STANDALONE, TODAY).writes(Mode.ENFORCE))

    return {
        LOADS: lambda: orjson.loads(body),
        "decode": lambda: decode(body),
        "engine": lambda: harden(Pod(manifest), policy, STANDALONE, TODAY),
        "render": lambda: render(writes),
        ENGINE_AND_RENDER: engine_and_render,
        WHOLE: lambda: encode(respond(decode(body), config, STANDALONE, TODAY)),
    }


def _timed(stage: Callable[[], object]) -> Callable[[], float]:
    """Measure the seconds of one call, as the mean of a round."""
    once = timeit.timeit(stage, number=3) / 3
    number = max(1, int(ROUND_SECONDS / once))
    return lambda: timeit.timeit(stage, number=number) / number


def markdown(micro: Micro) -> str:
    """The section of the page."""
    row = micro.of_containers(2)
    names = list(row.ratios)
    head = ["containers", "bytes", "operations", "`orjson.loads`, µs", *names]
    body = [_cells(f"{row.count}", row) for row in micro.containers]
    body.append(_cells(f"{micro.largest.count}, with long environments", micro.largest))
    growth = [
        [
            f"{row.count}",
            *(f"{each.microseconds[WHOLE].text(1)} ({each.ratios[WHOLE].text()})" for each in (row, other)),
        ]
        for row, other in zip(micro.volumes, micro.annotations, strict=True)
    ]
    exponents = ", ".join(
        f"{exponent(rows):.2f} for {name}"
        for name, rows in (
            ("containers", micro.containers),
            ("volumes", micro.volumes),
            ("annotations", micro.annotations),
        )
    )
    return f"""\
Times of stages as ratios to `orjson.loads` of the same review:

{table(head, body)}

Bytes to bytes for two containers with so many volumes or annotations more, in µs, and to its own `orjson.loads`:

{table(["", "volumes", "annotations"], growth)}

What a larger pod adds grows with the exponent {exponents}; 1 is linear.
"""


def _cells(name: str, row: Row) -> list[str]:
    loads = row.microseconds[LOADS].text(1)
    return [name, f"{row.size:,}", f"{row.operations:,}", loads, *(each.text() for each in row.ratios.values())]


if __name__ == "__main__":
    print(markdown(measure(long="--long" in sys.argv)))
