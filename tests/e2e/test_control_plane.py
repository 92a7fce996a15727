"""The parts that the other tests stand on do what they are trusted with."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.double import Double, allow
from tests.e2e.processes import Port
from tests.e2e.registration import CONFIGURATIONS, register, unregister, webhook_configuration
from tests.e2e.waiting import eventually
from tests.e2e.webhook import Hardener

POD = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "app", "image": "web:1"}]}}

CRASH = """
import os, signal, sys
from tests.e2e.control_plane import ControlPlane
with ControlPlane(controllers=False) as cluster:
    print(*[process.pid for process in cluster._processes], cluster.folder, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def pods(namespace):
    return f"/api/v1/namespaces/{namespace}/pods"


def test_a_pod_is_hardened_where_the_webhook_is_registered(control_plane, hardened_namespace):
    made = control_plane.request("POST", pods(hardened_namespace), POD, user="dev")

    assert made.status == 201
    assert made.body["spec"]["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_a_pod_stays_as_it_is_elsewhere(control_plane, plain_namespace):
    made = control_plane.kubectl("run", "web", "--image=web:1", "-n", plain_namespace, "-o", "json", user="dev")

    assert "securityContext" not in json.loads(made.stdout)["spec"]["containers"][0]


def test_the_audit_log_tells_what_the_webhook_did(control_plane, hardened_namespace):
    made = control_plane.request("POST", pods(hardened_namespace), POD)
    event = eventually(lambda: next((e for e in control_plane.audit() if e["auditID"] == made.audit_id), None))

    assert event["responseObject"]["spec"] == made.body["spec"]
    assert any(key.startswith("pods.hardener.dev/") for key in event["annotations"])


def test_a_webhook_is_called_from_its_registration_to_the_end_of_it(control_plane):
    labels = {"double": "yes"}
    label_it = {"op": "add", "path": "/metadata/labels", "value": {"double": "was-here"}}
    with Double() as double:
        double.answers["/label"] = lambda review: allow(review, [label_it], warnings=['it says "so"'])
        configuration = webhook_configuration(
            "double", double.url, double.ca_bundle, path="/label", namespace_selector={"matchLabels": labels}
        )
        register(control_plane, configuration)
        path = pods(control_plane.make_namespace(labels=labels))
        made = control_plane.request("POST", path, POD, query={"dryRun": "All"})
        assert (made.status, made.warnings) == (201, ['it says "so"'])
        assert made.body["metadata"]["labels"] == {"double": "was-here"}
        assert double.calls[-1].pod["metadata"]["name"] == "web"

        unregister(control_plane, configuration)
        seen = len(double.calls)
        assert "labels" not in control_plane.request("POST", path, POD).body["metadata"]
        assert len(double.calls) == seen


def test_a_webhook_that_starts_again_is_where_it_was():
    with Hardener() as hardener:
        url = hardener.url
        hardener.restart()

        assert hardener.url == url
        messages = [line["message"] for line in hardener.log()]
        assert messages == ["serving", "draining", "stopped", "serving"]


@pytest.mark.parametrize("user", ["admin", "dev"])
def test_both_users_have_a_kubeconfig(control_plane, user, plain_namespace):
    assert control_plane.kubectl("auth", "can-i", "create", "pods", "-n", plain_namespace, user=user).stdout == "yes\n"


def test_who_runs_software_may_not_change_the_webhook(control_plane, hardener):
    refused = control_plane.request("DELETE", f"{CONFIGURATIONS}/zz-hardener", user="dev")

    assert (refused.status, refused.body["reason"]) == (403, "Forbidden")


def test_a_kept_port_is_given_to_nobody_else():
    kept = Port()
    others = [Port() for _ in range(100)]

    assert kept.number not in [other.number for other in others]
    for port in (kept, *others):
        port.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no process can ask to die with its parent")
def test_nothing_goes_on_when_a_run_is_killed(tmp_path):
    killed = subprocess.run([sys.executable, "-c", CRASH], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    *pids, folder = killed.stdout.split()

    assert len(pids) == 2
    eventually(lambda: not any(is_running(int(pid)) for pid in pids), what="the programs have ended")
    subprocess.run(["rm", "-r", folder], check=True)


def is_running(pid):
    """A process that nobody has waited for yet is none."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
