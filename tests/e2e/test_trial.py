"""`make cluster`: what a person sees who wants to try hardener."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.documents import ROOT

KUBECONFIG = re.compile(r"export KUBECONFIG=(\S+) PATH=([^:\s]+):")


@pytest.fixture
def trial():
    with subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.trial"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def test_pods_are_hardened_the_log_is_shown_and_ctrl_c_leaves_nothing_behind(trial):
    lines = iter(trial.stdout.readline, "")
    config, programs = next(filter(None, map(KUBECONFIG.search, lines))).groups()
    next(line for line in lines if line.startswith("Below is the webhook's log"))

    command = [f"{programs}/kubectl", f"--kubeconfig={config}", "run", "web", "--image=web:1", "--output=json"]
    pod = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    shown = json.loads(next(line for line in lines if line.startswith("{")))
    trial.send_signal(signal.SIGINT)

    assert pod["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    assert (shown["message"], shown["name"], shown["result"]) == ("reviewed", "web", "patched")
    assert (trial.wait(30), trial.stderr.read()) == (0, "")
    assert not Path(config).parent.exists()
