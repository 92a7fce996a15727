"""`explicit: override` on a real API server: what is insecure by intention is replaced, and no pod is refused for it."""

import json
import subprocess
import sys
from copy import deepcopy

import pytest
import yaml

from tests.e2e.documents import ROOT
from tests.e2e.hardening import is_hardened, lacking
from tests.e2e.installation import Installation
from tests.e2e.operations import show_message
from tests.e2e.stand_in import pods
from tests.e2e.waiting import eventually

CONFIG = """\
apiVersion: hardener.dev/v1
kind: HardenerConfig
policies:
  strict: {explicit: override, warnings: changes, optOut: {requireReason: true}}
default: strict
"""
POD = yaml.safe_load("""
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers: [{name: app, image: "web:1"}]
""")
INSECURE = {
    "readOnlyRootFilesystem": {"readOnlyRootFilesystem": False},
    "allowPrivilegeEscalation": {"allowPrivilegeEscalation": True},
    "runAsNonRoot": {"runAsNonRoot": False},
    "seccompProfile": {"seccompProfile": {"type": "Unconfined"}},
}
ALL = {key: value for setting in INSECURE.values() for key, value in setting.items()}


@pytest.fixture(scope="module")
def installed(control_plane, tmp_path_factory):
    with Installation(control_plane, "override", tmp_path_factory.mktemp("override"), CONFIG) as started:
        yield started


def with_security(container, pod=None):
    """The pod with these security contexts."""
    made = deepcopy(POD)
    made["spec"]["containers"][0]["securityContext"] = container
    if pod is not None:
        made["spec"]["securityContext"] = pod
    return made


@pytest.mark.parametrize("control", [*INSECURE, "all"])
def test_a_pod_that_is_insecure_by_intention_is_accepted_hardened(installed, control):
    pod = with_security(INSECURE.get(control, ALL))

    reply = installed.create(installed.namespace(), pod)

    assert reply.status == 201, reply.message
    assert is_hardened(reply.body)
    assert any(line.startswith("hardener: set ") for line in reply.warnings)


def test_what_the_pod_says_for_all_is_overruled_on_the_container_and_stays(installed):
    for_all = {"runAsNonRoot": False, "seccompProfile": {"type": "Unconfined"}}

    reply = installed.create(installed.namespace(), with_security({}, for_all))

    assert reply.status == 201, reply.message
    assert reply.body["spec"]["securityContext"] == for_all
    assert is_hardened(reply.body)


CONTRADICTIONS = {
    "privileged": (
        with_security(ALL | {"privileged": True}),
        {"allowPrivilegeEscalation", "capabilities", "readOnlyRootFilesystem", "runAsNonRoot"},
    ),
    "adds SYS_ADMIN": (
        with_security(ALL | {"capabilities": {"add": ["SYS_ADMIN"]}}),
        {"allowPrivilegeEscalation"},
    ),
    "runs as root": (with_security(ALL | {"runAsUser": 0}), {"runAsNonRoot"}),
    "has a profile by an old annotation": (
        {
            **with_security(ALL),
            "metadata": {
                "name": "web",
                "annotations": {"container.seccomp.security.alpha.kubernetes.io/app": "unconfined"},
            },
        },
        {"seccompProfile"},
    ),
}


@pytest.mark.parametrize("contradiction", CONTRADICTIONS)
def test_no_pod_is_refused_where_another_field_contradicts(installed, plain_namespace, contradiction):
    pod, left_alone = CONTRADICTIONS[contradiction]
    plain = installed.create(plain_namespace, pod, dry_run=True)

    reply = installed.create(installed.namespace(), pod)

    assert (plain.status, reply.status) == (201, 201), reply.message
    assert {control for control, _ in lacking(reply.body)} == left_alone


def test_only_an_opt_out_that_counts_keeps_what_is_explicit(installed):
    pod = with_security(ALL)
    pod["metadata"]["annotations"] = {"hardener.dev/opt-out": "readOnlyRootFilesystem"}
    namespace = installed.namespace()
    refused = installed.create(namespace, pod)
    pod["metadata"] |= {"name": "accepted"}
    pod["metadata"]["annotations"]["hardener.dev/opt-out-reason"] = "writes its cache beside itself"
    accepted = installed.create(namespace, pod)

    assert is_hardened(refused.body)
    assert refused.warnings[0] == (
        "hardener: opt-out readOnlyRootFilesystem(the pod) refused: hardener.dev/opt-out-reason must say why"
    )
    assert lacking(accepted.body) == {("readOnlyRootFilesystem", "app")}


def test_a_workload_keeps_its_template_and_its_file_can_be_applied_again_and_again(installed):
    namespace = installed.namespace()
    template = {"metadata": {"labels": {"app": "web"}}, "spec": with_security(ALL)["spec"]}
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": template}
    text = yaml.safe_dump({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec})

    def kubectl(*arguments):
        return installed.cluster.kubectl(*arguments, "-n", namespace, "-f", "-", input=text, user="dev").stdout

    kubectl("apply")
    (pod,) = eventually(lambda: pods(installed.cluster, namespace), what="the pod is made")

    assert is_hardened(pod)
    assert kubectl("apply") == "deployment.apps/web unchanged\n"
    assert kubectl("diff") == ""


@pytest.fixture
def apply(installed, tmp_path):
    """Apply a pod in a namespace of its own, from a file."""
    namespace, path = installed.namespace(), tmp_path / "web.yaml"

    def applied(pod, *options, command="apply", check=True):
        path.write_text(yaml.safe_dump(pod), encoding="utf-8")
        arguments = [command, "-f", path, "-n", namespace, *options]
        return installed.cluster.kubectl(*arguments, user="dev", check=check)

    return applied


@pytest.mark.parametrize("side", ["client", "server"])
@pytest.mark.parametrize("control", INSECURE)
def test_applying_the_unchanged_file_of_a_bare_pod_again_is_refused_and_preview_says_so_beforehand(
    installed, apply, documents, control, side, tmp_path
):
    options = ["--server-side"] if side == "server" else []
    pod = with_security(INSECURE[control])
    apply(pod, *options)

    refused = apply(pod, *options, check=False)

    assert refused.returncode != 0
    show_message(documents, installed.cluster, "an overridden pod is applied again", refused.stderr)
    note = next(line for line in preview(installed.config, tmp_path / "web.yaml") if "again" in line)
    assert note.strip() == (
        "applying this unchanged file again after the pod was made can be refused: `kubectl apply` would take back what "
        f"was changed in {control}, and a pod's spec cannot change; write it there yourself"
    )


def preview(config, file):
    """What is told about a file, line by line."""
    command = [sys.executable, "-m", "hardener", "preview", f"--config={config}", str(file)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.splitlines()


def test_the_way_out_is_to_write_what_preview_shows_or_to_make_the_pod_anew(installed, apply):
    pod = with_security(ALL)
    apply(pod)
    apply(pod, "--force", "--grace-period=0", command="replace")
    made = json.loads(
        installed.cluster.kubectl(
            "create", "--dry-run=client", "-o", "json", "-f", "-", input=yaml.safe_dump(pod)
        ).stdout
    )
    security = {
        "readOnlyRootFilesystem": True,
        "allowPrivilegeEscalation": False,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert made["spec"]["containers"][0]["securityContext"] == ALL
    written = with_security(security)

    assert apply(written).stdout == "pod/web configured\n"
    assert apply(written).stdout == "pod/web unchanged\n"
