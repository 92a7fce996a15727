"""The image in pods that the strictest level of Pod Security accepts, without a folder that they can write."""

import base64
import json
import subprocess
import sys
from pathlib import Path

import jsonpatch
import pytest
import yaml

from hardener import __version__
from tests.e2e.node_files import SOCKET
from tests.e2e.on_node.image.build import REFERENCE
from tests.e2e.registration import LABEL
from tests.e2e.waiting import eventually
from tests.e2e.webhook_pod import MANIFEST
from tests.server.serving import POD, review

SECONDS = 60
SAMPLES = Path(__file__).parents[4] / "hardener" / "cli" / "pods"
SAMPLE = "1-web-server.yaml"

SEND = """
import ssl, sys, urllib.request

body, headers = sys.stdin.buffer.read(), {"Content-Type": "application/json"}
request = urllib.request.Request("https://127.0.0.1:8443/mutate", body, headers)
with urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=5) as response:
    print(response.read().decode())
"""

LOOK = """
import json, pathlib

status = dict(line.split(":", 1) for line in pathlib.Path("/proc/1/status").read_text().splitlines())
try:
    pathlib.Path("/x").touch()
    root = "writable"
except OSError as error:
    root = error.strerror
rights = [status[name].split()[0] for name in ("Uid", "CapBnd", "NoNewPrivs", "Seccomp")]
print(json.dumps([*rights, root, pathlib.Path("/tmp").exists()]))
"""


@pytest.fixture(scope="module")
def namespace(node, image):
    """A namespace with the webhook, on a node that has the image."""
    node.namespaces.run("ctr", f"--address={SOCKET}", "--namespace=k8s.io", "images", "import", image.path, seconds=120)
    labels = {LABEL: "true", "pod-security.kubernetes.io/enforce": "restricted"}
    name = node.make_namespace(labels=labels)
    node.kubectl("create", "configmap", "manifests", f"--from-file={SAMPLES}", "-n", name)
    return name


def pod(name, *arguments):
    """A pod as that of the webhook itself, with these arguments for the image."""
    deployment = next(each for each in yaml.safe_load_all(MANIFEST.read_text()) if each["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    kept = {key: container[key] for key in ("name", "resources", "securityContext")}
    mounts = [{"name": "manifests", "mountPath": "/manifests", "readOnly": True}]
    return {
        "metadata": {"name": name},
        "spec": {
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "restartPolicy": "Never",
            "containers": [{**kept, "image": REFERENCE, "args": list(arguments), "volumeMounts": mounts}],
            "volumes": [{"name": "manifests", "configMap": {"name": "manifests"}}],
        },
    }


def path_of(namespace, name):
    return f"/api/v1/namespaces/{namespace}/pods/{name}"


def start(node, namespace, name, *arguments):
    created = node.request("POST", f"/api/v1/namespaces/{namespace}/pods", pod(name, *arguments))
    assert (created.status, created.warnings) == (201, [])


def result(node, namespace, name):
    """The exit code of a pod's program, and what it said."""

    def ended():
        statuses = node.request("GET", path_of(namespace, name)).body["status"].get("containerStatuses", [])
        return next((status["state"].get("terminated") for status in statuses), None)

    code = eventually(ended, SECONDS, f"{name} ends")["exitCode"]
    return code, node.request("GET", f"{path_of(namespace, name)}/log").text


def test_it_tells_its_version(node, namespace):
    start(node, namespace, "version", "--version")

    assert result(node, namespace, "version") == (0, f"hardener {__version__}\n")


def test_it_previews_manifests_as_the_checkout_does(node, namespace):
    preview = ["preview", "--output=patch"]
    start(node, namespace, "preview", *preview, f"/manifests/{SAMPLE}")
    command = [sys.executable, "-m", "hardener", *preview, SAMPLES / SAMPLE]
    here = subprocess.run(command, capture_output=True, text=True, check=False)

    assert result(node, namespace, "preview") == (here.returncode, here.stdout)
    assert here.returncode == 1


@pytest.fixture(scope="module")
def serving(node, namespace):
    """The name of a pod that serves, and answers."""
    start(node, namespace, "serving", "serve", "--dev")
    eventually(lambda: send(node, namespace, "serving"), SECONDS, "the pod answers")
    return "serving"


def send(node, namespace, name):
    """The answer to a review that is sent from within the pod; None where there is none."""
    command = ("exec", name, "--stdin", "--namespace", namespace, "--", "python", "-c", SEND)
    done = node.kubectl(*command, input=json.dumps(review()), check=False)
    return json.loads(done.stdout)["response"] if not done.returncode else None


def test_it_answers_reviews(node, namespace, serving):
    answer = send(node, namespace, serving)
    hardened = jsonpatch.apply_patch(POD, json.loads(base64.b64decode(answer["patch"])))

    assert (answer["uid"], answer["allowed"]) == ("uid-1", True)
    assert hardened["spec"]["containers"][0]["securityContext"]["runAsNonRoot"] is True


def test_it_does_so_with_no_rights_and_nothing_to_write(node, namespace, serving):
    done = node.kubectl("exec", serving, "--namespace", namespace, "--", "python", "-c", LOOK)

    assert json.loads(done.stdout) == ["65532", "0000000000000000", "1", "2", "Read-only file system", False]


def test_its_pod_is_left_as_it_is_by_its_own_rules(node, namespace, serving):
    sent, found = pod(serving)["spec"], node.request("GET", path_of(namespace, serving)).body

    assert "hardener.dev/applied" in found["metadata"]["annotations"]
    assert found["spec"]["containers"][0]["securityContext"] == sent["containers"][0]["securityContext"]
    assert [volume["name"] for volume in found["spec"]["volumes"]] == ["manifests"]


def test_there_is_no_shell_to_enter_it_with(node, namespace, serving):
    for shell in ("sh", "bash", "/bin/sh", "/busybox/sh"):
        done = node.kubectl("exec", serving, "--namespace", namespace, "--", shell, check=False)

        assert done.returncode != 0
        assert "no such file or directory" in done.stderr or "executable file not found" in done.stderr


def test_it_ends_well_when_it_is_told_to(node, namespace):
    start(node, namespace, "ending", "serve", "--dev", "--shutdown-delay=0")
    eventually(lambda: send(node, namespace, "ending"), SECONDS, "the pod answers")

    node.kubectl("exec", "ending", "--namespace", namespace, "--", "python", "-c", "import os; os.kill(1, 15)")

    assert result(node, namespace, "ending")[0] == 0
