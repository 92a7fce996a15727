"""`hardener scan` as a process, and what it printed and took."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.cluster import Cluster, Json
from tests.e2e.scanned import CONFIG
from tests.e2e.webhook import ROOT


@dataclass(frozen=True)
class Done:
    """One scan; `peak` is in MiB."""

    code: int
    out: str
    err: str
    peak: float
    seconds: float

    @property
    def json(self) -> Json:
        return json.loads(self.out)

    @property
    def namespaces(self) -> dict[str, Json]:
        return {each["name"]: each for each in self.json["namespaces"]}


class Scans:
    """Runs the program, with the configuration of the tests unless told otherwise."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._cluster = cluster
        self._folder = folder
        self._config = folder / "config.yaml"
        self._config.write_text(CONFIG, encoding="utf-8")

    def __call__(self, *arguments: str, kubeconfig: Path | None = None, config: Path | str | None = "") -> Done:
        """With a `config` of None, no configuration is named."""
        command = [sys.executable, "-m", "tests.e2e.peak", str(self._folder / "peak"), "scan"]
        command += [f"--kubeconfig={kubeconfig or self._cluster.kubeconfig}"]
        command += [] if config is None else [f"--config={config or self._config}"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        began = time.monotonic()
        done = subprocess.run([*command, *arguments], env=environment, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - began
        peak = float((self._folder / "peak").read_text(encoding="ascii"))
        return Done(done.returncode, done.stdout, done.stderr, peak, seconds)
