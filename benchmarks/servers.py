"""The servers that are measured, each as a process of its own with its output in a file (Linux)."""

import base64
import os
import ssl
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from benchmarks.reviews import review
from hardener.controls import CATALOGUE
from hardener.tls import self_signed
from tests.e2e.processes import Process

ROOT = Path(__file__).parents[1]
MIB = 2**20
START_SECONDS = 60
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A pair of files for 127.0.0.1."""

    file: Path
    key: Path

    @property
    def ca_bundle(self) -> str:
        """As a webhook configuration has it."""
        return base64.b64encode(self.file.read_bytes()).decode()


@dataclass(frozen=True, slots=True)
class Served:
    """A server: its port, and its process for the accounting of the operating system."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """User and system time so far, to a hundredth of a second."""
        return cpu_seconds(self.pid)

    def resident_mib(self) -> float:
        """RSS now."""
        return self._memory("VmRSS")

    def peak_mib(self) -> float:
        """The highest RSS so far."""
        return self._memory("VmHWM")

    def answer(self, body: bytes) -> dict[str, Any]:
        """Send one AdmissionReview, and return the `response` of its answer."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        url = f"https://127.0.0.1:{self.port}/mutate"
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10, context=context) as reply:
            response: dict[str, Any] = orjson.loads(reply.read())["response"]
        return response

    def _memory(self, name: str) -> float:
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith(f"{name}:"))
        return int(line.split()[1]) * 1024 / MIB


def cpu_seconds(pid: int) -> float:
    """What a process has used of the processors so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def certificate() -> Iterator[Certificate]:
    """A certificate in a folder that lasts as long as the block."""
    with tempfile.TemporaryDirectory(prefix="hardener-bench-") as folder:
        pair = self_signed(["127.0.0.1"], datetime.now(UTC), days=2)
        files = Certificate(Path(folder, "tls.crt"), Path(folder, "tls.key"))
        files.file.write_bytes(pair.certificate)
        files.key.write_bytes(pair.key)
        yield files


@contextmanager
def handler(name: str, pair: Certificate) -> Iterator[Served]:
    """One of `handlers.py`."""
    with started("-m", "benchmarks.handlers", name, str(pair.file), str(pair.key), port_of=_printed_port) as served:
        yield served


@contextmanager
def hardener(pair: Certificate) -> Iterator[Served]:
    """The product as it is run: metrics on, a log line for each review into a file, all seven controls enforced.

    It knows no cluster.
    """
    with started(*hardener_arguments(pair), port_of=logged_port) as served:
        yield served


def hardener_arguments(pair: Certificate) -> list[str]:
    """For the interpreter."""
    flags = ["--standalone", "--address=127.0.0.1", "--port=0", "--metrics-port=0", "--shutdown-delay=0"]
    return ["-m", "hardener", "serve", *flags, f"--tls-cert-file={pair.file}", f"--tls-private-key-file={pair.key}"]


@contextmanager
def side_by_side(pair: Certificate) -> Iterator[dict[str, Served]]:
    """Both handlers and hardener, by name, each of which has shown that it gives the answer that it is here for."""
    with handler("null", pair) as null, handler("fixed", pair) as fixed, hardener(pair) as ours:
        servers = {"null": null, "fixed": fixed, "hardener": ours}
        for name, served in servers.items():
            response = served.answer(review())
            if not response["allowed"] or ("patch" in response) != (name != "null"):
                raise RuntimeError(f"{name} does not answer as it should: {response}")
            if name == "hardener" and response["auditAnnotations"]["applied"].split(",") != sorted(CATALOGUE):
                raise RuntimeError(f"not all controls are applied: {response}")
        yield servers


@contextmanager
def started(
    *arguments: str, port_of: Callable[[str], int | None], program: str | Path = sys.executable
) -> Iterator[Served]:
    """A program, Python unless told otherwise, whose output says at which port it serves."""
    with tempfile.TemporaryDirectory(prefix="hardener-bench-") as folder:
        output = Path(folder, "output")
        process = Process([program, *arguments], output, {**os.environ, "PYTHONPATH": str(ROOT)})
        try:
            yield Served(_wait_for_port(process, output, port_of), process.pid)
        except RuntimeError as error:
            state = "is alive" if process.alive else "has ended"
            error.add_note(f"{' '.join(arguments[:4])} {state}, and has said at last: {_end(output)}")
            raise
        finally:
            process.end()


def _wait_for_port(process: Process, output: Path, port_of: Callable[[str], int | None]) -> int:
    deadline = time.monotonic() + START_SECONDS
    # A start is measured, so that looks are frequent, and do not become rarer.
    while (port := port_of(output.read_text(errors="replace"))) is None:
        if not process.alive or time.monotonic() > deadline:
            raise RuntimeError(f"{process.name} does not serve: {_end(output)}")
        time.sleep(0.005)
    return port


def _end(output: Path) -> str:
    return output.read_text(errors="replace")[-2000:]


def logged_port(output: str) -> int | None:
    """The port of /mutate that hardener's log tells."""
    for line in output.splitlines():
        if '"message":"serving"' in line:
            return int(orjson.loads(line)["mutate"].rpartition(":")[2].partition("/")[0])
    return None


def _printed_port(output: str) -> int | None:
    return int(output) if output.endswith("\n") else None
