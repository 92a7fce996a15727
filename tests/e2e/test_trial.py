"""`make cluster`: what a person sees who wants to try hardener."""

import json
import os
import re
import signal
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pytest
import yaml

from tests.e2e.documents import ROOT
from tests.e2e.hardening import is_hardened
from tests.e2e.waiting import eventually

KUBECONFIG = re.compile(r"export KUBECONFIG=(\S+) PATH=([^:\s]+):")


@pytest.fixture
def trial():
    with subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.trial"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


def test_what_it_suggests_can_be_done_the_log_is_shown_and_ctrl_c_leaves_nothing_behind(trial):
    lines = iter(trial.stdout.readline, "")
    config, programs = next(filter(None, map(KUBECONFIG.search, lines))).groups()
    told = list(takewhile(lambda line: not line.startswith("Below is the webhook's log"), lines))
    suggested = [line.partition("#")[0].strip() for line in told if line.startswith("  kubectl ")]

    def run(command):
        environment = {**os.environ, "KUBECONFIG": config, "PATH": f"{programs}:{os.environ['PATH']}"}
        return subprocess.run(command.split(), env=environment, capture_output=True, text=True, check=True)

    create, get, run_bare = suggested
    created = run(create)
    shown = json.loads(next(line for line in lines if line.startswith("{") and '"reviewed"' in line))
    pods = eventually(lambda: yaml.safe_load(run(get).stdout)["items"], what="the pod is there")
    bare = yaml.safe_load(run(run_bare).stdout)
    trial.send_signal(signal.SIGINT)

    assert "Warning: hardener: will set " in created.stderr
    assert shown["owner"].startswith("ReplicaSet/web-")
    assert shown["result"] == "patched"
    assert len(pods) == 1
    assert all(is_hardened(pod) for pod in (*pods, bare))
    assert (trial.wait(30), trial.stderr.read()) == (0, "")
    assert not Path(config).parent.exists()
