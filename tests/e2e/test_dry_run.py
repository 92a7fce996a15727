"""Dry-run on a real API server: people, audit log and log are told what would be done, and the pod stays as it is."""

import json
from copy import deepcopy

import pytest
import yaml
from jsonpatch import apply_patch

from tests.e2e.hardening import TOKEN_PREFIX, lacking
from tests.e2e.installation import Installation
from tests.e2e.operations import show_message
from tests.e2e.stand_in import pods
from tests.e2e.waiting import eventually

CONFIG = """\
apiVersion: hardener.dev/v1
kind: HardenerConfig
policies:
  ratchet:
    warnings: changes
    controls: {readOnlyRootFilesystem: {mode: dry-run}, resources: {mode: dry-run}}
namespaces:
- {names: ["observed-*"], policy: observe}
- {names: ["ratchet-*"], policy: ratchet}
"""
IN_DRY_RUN = {"readOnlyRootFilesystem", "resources"}

POD = yaml.safe_load("""
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - {name: app, image: "web:1"}
  - {name: agent, image: "agent:1", securityContext: {privileged: true}}
""")
ANNOUNCED = [
    "hardener dry-run: would set allowPrivilegeEscalation, capabilities, readOnlyRootFilesystem, runAsNonRoot on app",
    "hardener dry-run: would set automountServiceAccountToken on the pod",
    "hardener dry-run: would set resources, seccompProfile on app, agent",
]


@pytest.fixture(scope="module")
def installed(control_plane, tmp_path_factory):
    with Installation(control_plane, "dry-run", tmp_path_factory.mktemp("dry-run"), CONFIG) as started:
        yield started


def stored(cluster, namespace):
    """The pod `web` as it is, with the random name of the token volume made the same for all."""
    pod = cluster.request("GET", f"/api/v1/namespaces/{namespace}/pods/web").body
    names = [volume["name"] for volume in pod["spec"].get("volumes", [])]
    token = next((name for name in names if name.startswith(TOKEN_PREFIX)), TOKEN_PREFIX)
    return json.loads(json.dumps(pod).replace(token, TOKEN_PREFIX))


def patched(cluster, namespace, pod, patch):
    """What a namespace without the webhook makes of a pod to which the patch was applied."""
    spec = apply_patch(pod, patch)["spec"]
    path = f"/api/v1/namespaces/{namespace}/pods"
    reply = cluster.request("POST", path, {"metadata": {"name": "web"}, "spec": spec})
    assert reply.status == 201, reply.message
    return stored(cluster, namespace)


def test_kubectl_apply_of_a_pod_shows_what_would_be_done_and_the_pod_is_stored_as_it_was_written(
    control_plane, installed, documents, plain_namespace
):
    namespace = installed.namespace("observed-")

    apply = ["apply", "-f", "-", "-n"]
    done = control_plane.kubectl(*apply, namespace, input=yaml.safe_dump(POD), user="dev")
    control_plane.kubectl(*apply, plain_namespace, input=yaml.safe_dump(POD), user="dev")

    told = done.stderr.splitlines()
    assert told[:3] == [f"Warning: {line}" for line in ANNOUNCED]
    assert told[3].startswith("Warning: hardener: held back allowPrivilegeEscalation, capabilities")
    show_message(documents, control_plane, "a dry run announces", done.stderr)
    pod, plain = stored(control_plane, namespace), stored(control_plane, plain_namespace)
    assert pod["spec"] == plain["spec"]
    assert list(pod["metadata"]["annotations"]) == ["kubectl.kubernetes.io/last-applied-configuration"]


def test_audit_log_and_log_hold_the_patch_that_enforcing_would_have_sent(control_plane, installed, plain_namespace):
    observed, enforced = installed.namespace("observed-"), installed.namespace()
    reply = installed.create(observed, POD)
    assert installed.create(enforced, POD).status == 201

    audited = installed.audited(auditID=reply.audit_id)
    (line,) = installed.reviewed(observed)

    patch = json.loads(audited["would-apply"])
    assert audited["mode"] == "dry-run"
    assert "applied" not in audited
    assert (line["result"], line["would-apply"]) == ("announced", patch)
    assert "hardener.dev/" not in audited["would-apply"]
    made = patched(control_plane, plain_namespace, stored(control_plane, observed), patch)
    assert made["spec"] == stored(control_plane, enforced)["spec"]


def test_a_long_patch_loses_whole_operations_in_the_audit_log_and_nothing_in_the_log(
    control_plane, installed, plain_namespace
):
    namespace = installed.namespace("observed-")
    pod = deepcopy(POD)
    pod["spec"]["containers"] += [{"name": f"app-{number}", "image": "web:1"} for number in range(60)]
    reply = installed.create(namespace, pod)

    kept, _, rest = installed.audited(auditID=reply.audit_id)["would-apply"].partition(" and ")
    (line,) = installed.reviewed(namespace)

    assert rest == f"{len(line['would-apply']) - len(json.loads(kept))} more operations"
    assert json.loads(kept) == line["would-apply"][: len(json.loads(kept))]
    made = patched(control_plane, plain_namespace, stored(control_plane, namespace), line["would-apply"])
    assert {container for _, container in lacking(made)} == {"agent"}


def test_a_pod_with_controls_of_both_modes_is_hardened_by_some_and_told_of_the_others(control_plane, installed):
    namespace = installed.namespace("ratchet-")
    pod = {**POD, "spec": {"containers": POD["spec"]["containers"][:1]}}
    reply = installed.create(namespace, pod)

    audited = installed.audited(auditID=reply.audit_id)

    made = stored(control_plane, namespace)
    assert {control for control, _ in lacking(made)} == IN_DRY_RUN
    assert reply.warnings == [
        "hardener: set allowPrivilegeEscalation, capabilities, runAsNonRoot, seccompProfile on app",
        "hardener: set automountServiceAccountToken on the pod",
        "hardener dry-run: would set readOnlyRootFilesystem, resources on app",
    ]
    assert set(audited["applied"].split(",")).isdisjoint(IN_DRY_RUN)
    assert set(made["metadata"]["annotations"]["hardener.dev/applied"].split(",")).isdisjoint(IN_DRY_RUN)
    assert "emptyDir" in audited["would-apply"]


def test_a_server_side_dry_run_is_answered_in_the_same_words_and_leaves_nothing_behind(control_plane, installed):
    namespace = installed.namespace("observed-")
    apply = ["apply", "-f", "-", "-n", namespace]

    dry = control_plane.kubectl(*apply, "--dry-run=server", input=yaml.safe_dump(POD), user="dev")
    assert pods(control_plane, namespace) == []
    real = control_plane.kubectl(*apply, input=yaml.safe_dump(POD), user="dev")

    assert dry.stderr == real.stderr != ""
    first, second = installed.reviewed(namespace, calls=2)
    assert (first.pop("dryRun"), first["would-apply"]) == (True, second["would-apply"])


def test_a_controller_gets_no_warnings_and_its_pods_are_in_audit_log_and_log_with_their_owner(control_plane, installed):
    namespace = installed.namespace("observed-")
    before = installed.hardener.count("hardener_warnings_total", endpoint="mutate")

    control_plane.kubectl("create", "deployment", "web", "--image=web:1", "-n", namespace, user="dev")
    (pod,) = eventually(lambda: pods(control_plane, namespace), what="the pod is there")

    event = control_plane.audited(
        namespace=namespace, resource="pods", username="system:serviceaccount:kube-system:replicaset-controller"
    )
    owner = pod["metadata"]["ownerReferences"][0]["name"]
    assert "runAsNonRoot" in event["annotations"][f"{installed.webhook_name}/would-apply"]
    assert installed.hardener.count("hardener_warnings_total", endpoint="mutate") == before
    (logged,) = installed.reviewed(namespace, owner=f"ReplicaSet/{owner}")
    assert logged["generateName"] == f"{owner}-"
    assert ("runAsNonRoot", "web") in lacking(pod)
