"""One run of all benchmarks, and the file that it is kept in."""

import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from benchmarks import api_server, footprint, micro, preview, replicas, start, webhook
from benchmarks.footprint import Footprint, LargeCluster
from benchmarks.machine import Machine, machine
from benchmarks.servers import ROOT

T = TypeVar("T")

FOLDER = ROOT / "benchmarks" / "results"


class Run(msgspec.Struct, frozen=True):
    """Everything that was measured, from `taken` (UTC) on, in so many seconds."""

    taken: datetime
    seconds: float
    long: bool
    machine: Machine
    micro: micro.Micro
    webhook: dict[str, webhook.Load]
    api_server: api_server.ThroughApiServer
    start: start.Start
    preview: preview.PreviewTimes
    footprint: Footprint
    replicas: replicas.Replicas
    large_cluster: LargeCluster | None
    """In the long version only."""


def measure(long: bool) -> Run:
    """Measure all, part after part, and keep it. Raises MissingError where there are no programs of Kubernetes."""
    taken, of, began = datetime.now(UTC), machine(), time.monotonic()
    parts = (
        _told("micro", micro.measure, long),
        _told("webhook", webhook.measure, long),
        _told("api_server", api_server.measure, long),
        _told("start", start.measure, long),
        _told("preview", preview.measure, long),
        _told("footprint", footprint.measure, long),
        _told("replicas", replicas.measure, long),
        _told("memory", lambda _: footprint.measure_large_cluster(), long) if long else None,
    )
    run = Run(taken, time.monotonic() - began, long, of, *parts)
    path = FOLDER / f"{taken:%Y%m%dT%H%M%SZ}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(run)))
    return run


def kept() -> Iterator[Run]:
    """All runs that are kept, oldest first; one of another version of this code is passed over."""
    for path in sorted(FOLDER.glob("*.json")):
        try:
            yield msgspec.json.decode(path.read_bytes(), type=Run)
        except msgspec.ValidationError as error:
            print(f"{path.name} is of another version of the benchmarks: {error}", file=sys.stderr)


def last() -> Run:
    """The newest of them; SystemExit where there is none."""
    runs = list(kept())
    if not runs:
        sys.exit("no run is kept in benchmarks/results: measure first, with make bench")
    return runs[-1]


def _told(name: str, measure_part: Callable[[bool], T], long: bool) -> T:
    began = time.monotonic()
    print(f"{name} ...", end=" ", file=sys.stderr, flush=True)
    part = measure_part(long)
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    return part
