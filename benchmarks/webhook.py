"""The whole webhook over TLS, beside a handler that answers a constant patch.

Both servers run as processes of their own; rounds of load alternate between them (A B A B ...), and each figure is the
median of the ratios within a pair of rounds.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson
import uvloop

from benchmarks.load import Round, run
from benchmarks.reviews import review
from hardener.tls import self_signed

CONNECTIONS = 8
REQUESTS = 4_000
PAIRS = 9
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Served:
    """A server under load: its port, and its process for the accounting of the operating system."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def resident_mib(self) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024


@contextmanager
def process(*arguments: str, error: int | None = None) -> Iterator[subprocess.Popen[str]]:
    """A child that ends with the block, by its own id."""
    child = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=error, text=True, env={**os.environ}
    )
    try:
        yield child
    finally:
        child.terminate()
        child.wait(timeout=30)


@contextmanager
def fixed(certificate: Path, key: Path) -> Iterator[Served]:
    with process("-m", "benchmarks.fixed", str(certificate), str(key)) as child:
        assert child.stdout is not None
        yield Served(int(child.stdout.readline()), child.pid)


@contextmanager
def webhook(certificate: Path, key: Path, log: Path) -> Iterator[Served]:
    """The product as it is run, with its metrics, and its log line for each review written to a file."""
    options = ["--standalone", "--address", "127.0.0.1", "--port", "0", "--metrics-port", "0", "--shutdown-delay", "0"]
    certificates = ["--tls-cert-file", str(certificate), "--tls-private-key-file", str(key)]
    with (
        log.open("w") as sink,
        process("-m", "hardener", "serve", *options, *certificates, error=sink.fileno()) as child,
    ):
        yield Served(_port_in(log, child), child.pid)


def _port_in(log: Path, child: subprocess.Popen[str]) -> int:
    while child.poll() is None:
        for line in log.read_bytes().splitlines():
            record = orjson.loads(line)
            if record.get("message") == "serving":
                return int(record["mutate"].rpartition(":")[2].split("/")[0])
    raise RuntimeError(log.read_text())


def measure(ours: Served, floor: Served, body: bytes) -> list[dict[str, float]]:
    """One row of figures for each pair of rounds."""

    def load(served: Served) -> tuple[Round, float]:
        before = served.cpu_seconds()
        done = uvloop.run(run(served.port, "/mutate", body, CONNECTIONS, REQUESTS))
        return done, (served.cpu_seconds() - before) / REQUESTS * 1000

    load(ours), load(floor)
    rows = []
    for _ in range(PAIRS):
        (ours_round, ours_cpu), (floor_round, floor_cpu) = load(ours), load(floor)
        rows.append(
            {
                "requests/s": ours_round.requests_per_second,
                "requests/s, fixed": floor_round.requests_per_second,
                "CPU s per 1,000": ours_cpu,
                "CPU s per 1,000, fixed": floor_cpu,
                "throughput ratio": ours_round.requests_per_second / floor_round.requests_per_second,
                "CPU ratio": ours_cpu / floor_cpu,
                "p50 ratio": ours_round.percentile(50) / floor_round.percentile(50),
                "p99 ratio": ours_round.percentile(99) / floor_round.percentile(99),
            }
        )
    return rows


def main() -> None:
    body = review(2)
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = Path(folder, "tls.crt"), Path(folder, "tls.key")
        pair = self_signed(["127.0.0.1"], datetime.now(UTC), 1)
        certificate.write_bytes(pair[0])
        key.write_bytes(pair[1])
        with webhook(certificate, key, Path(folder, "log")) as ours, fixed(certificate, key) as floor:
            idle = ours.resident_mib(), floor.resident_mib()
            rows = measure(ours, floor, body)
            loaded = ours.resident_mib(), floor.resident_mib()
    print(f"{len(body)} bytes, {CONNECTIONS} connections, {PAIRS} pairs of {REQUESTS} requests; medians (min to max)")
    for name in rows[0]:
        values = [row[name] for row in rows]
        print(f"{name:>24}  {statistics.median(values):10.3f}  ({min(values):.3f} to {max(values):.3f})")
    print(f"{'RSS MiB, idle':>24}  {idle[0]:10.1f}  (fixed: {idle[1]:.1f})")
    print(f"{'RSS MiB, after load':>24}  {loaded[0]:10.1f}  (fixed: {loaded[1]:.1f})")


if __name__ == "__main__":
    main()
