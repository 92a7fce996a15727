"""Hardener: the real program as a process of its own."""

import base64
import json
import shutil
import signal
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Self

from prometheus_client.parser import text_string_to_metric_families

from hardener.tls import self_signed
from tests.e2e.cluster import Json
from tests.e2e.processes import Process

ROOT = Path(__file__).parents[2]
LOOPBACK = "127.0.0.1"


class Hardener:
    """`hardener serve` on the loopback address; a context manager.

    It keeps its port and its certificate through `stop()`, `start()` and `restart()`. Without `config` (a file), the
    embedded configuration is in force; without `kubeconfig` it stands alone.
    """

    def __init__(
        self, config: Path | None = None, *, kubeconfig: Path | None = None, arguments: Sequence[str] = ()
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hardener-e2e-webhook-"))
        pair = self_signed((LOOPBACK, "localhost"), datetime.now(UTC), days=2)
        self.certificate_file, self.key_file = self.folder / "tls.crt", self.folder / "tls.key"
        self.certificate_file.write_bytes(pair.certificate)
        self.key_file.write_bytes(pair.key)
        self.ca_bundle = base64.b64encode(pair.certificate).decode()
        self._config = config
        self._kubeconfig = kubeconfig
        self._arguments = arguments
        self._process: Process | None = None
        self._port = 0
        self.metrics_url = ""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """Without a path."""
        return f"https://{LOOPBACK}:{self._port}"

    @property
    def pid(self) -> int:
        """Of the process that runs now; raises RuntimeError where none does."""
        if self._process is None:
            raise RuntimeError("hardener has not been started; call start() first")
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it knows the cluster, if it does; at the second time, on the same port."""
        started = len(self._servings())
        self._process = Process(
            [sys.executable, "-m", "hardener", "serve", *self._flags(), *self._arguments],
            self.folder / "log",
            {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        self._process.wait_until(lambda: len(self._servings()) > started)
        serving = self._servings()[-1]
        self._port = int(str(serving["mutate"]).rpartition(":")[2].partition("/")[0])
        self.metrics_url = str(serving["metrics"])
        if self._kubeconfig is not None:
            self._process.wait_until(self._is_ready)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.end(number)

    def restart(self) -> None:
        self.stop()
        self.start()

    def log(self) -> list[Json]:
        """The lines of its log so far."""
        path = self.folder / "log"
        if not path.exists():
            return []
        whole = path.read_bytes().rpartition(b"\n")[0]
        return [json.loads(line) for line in whole.splitlines() if line.startswith(b"{")]

    def count(self, metric: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels."""
        with urllib.request.urlopen(f"{self.metrics_url}/metrics", timeout=10) as reply:
            families = list(text_string_to_metric_families(reply.read().decode()))
        samples = (sample for family in families for sample in family.samples if sample.name == metric)
        return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())

    def _flags(self) -> list[str]:
        flags = [f"--address={LOOPBACK}", f"--port={self._port}", "--metrics-port=0", "--shutdown-delay=0"]
        flags += [f"--tls-cert-file={self.certificate_file}", f"--tls-private-key-file={self.key_file}"]
        flags += ["--standalone" if self._kubeconfig is None else f"--kubeconfig={self._kubeconfig}"]
        return flags if self._config is None else [*flags, f"--config={self._config}"]

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.metrics_url}/readyz", timeout=10) as reply:
                return bool(reply.status == HTTPStatus.OK)
        except urllib.error.HTTPError as error:
            error.close()
            return False

    def _servings(self) -> list[Json]:
        return [line for line in self.log() if line.get("message") == "serving"]
