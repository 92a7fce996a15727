"""`/explain`: who is told what about the pods of a workload, and that nothing is ever refused or changed."""

from dataclasses import replace

import pytest

from hardener.admission import Explained, decode_workload, explain
from hardener.model import STANDALONE
from hardener.model.workloads import TEMPLATES
from tests.admission.asking import EMBEDDED, ask_explain, config
from tests.admission.reviews import API_VERSIONS, request, workload, workload_request
from tests.pods import TODAY

EVERY_CHANGE = [
    "hardener: will set allowPrivilegeEscalation, capabilities, readOnlyRootFilesystem, resources, runAsNonRoot on app",
    "hardener: will set seccompProfile on app",
    "hardener: will set automountServiceAccountToken on the pod",
]
CONTROLLER = {"username": "system:serviceaccount:kube-system:deployment-controller"}


def spec(*containers, **fields):
    return {"spec": {**fields, "containers": list(containers)}}


APP = {"name": "app", "image": "web:1"}
AGENT = {"name": "agent", "image": "agent:1", "securityContext": {"privileged": True}}


@pytest.mark.parametrize("kind", API_VERSIONS)
def test_every_kind_with_a_template_is_told_what_its_pods_will_receive(kind):
    assert ask_explain(workload_request(workload(kind=kind))) == (Explained.EXPLAINED, EVERY_CHANGE)


def test_no_kind_with_a_template_is_forgotten():
    assert {(version.rpartition("/")[0], kind) for kind, version in API_VERSIONS.items()} | {("", "Pod")} == set(
        TEMPLATES
    )


def test_what_is_held_back_is_told_with_its_reason():
    template = spec(APP, AGENT, serviceAccountName="operator")

    assert ask_explain(workload_request(workload(template)))[1] == [
        "hardener: will set allowPrivilegeEscalation, capabilities, readOnlyRootFilesystem, runAsNonRoot on app",
        "hardener: will set resources, seccompProfile on app, agent",
        "hardener: held back allowPrivilegeEscalation, capabilities, readOnlyRootFilesystem on agent: "
        "the container is privileged",
        "hardener: held back runAsNonRoot on agent: the container is privileged",
        "hardener: held back automountServiceAccountToken on the pod: the pod names a service account",
    ]


def test_a_kept_explicit_value_is_told_as_such():
    unconfined = {**APP, "securityContext": {"readOnlyRootFilesystem": False}}

    _, told = ask_explain(workload_request(workload(spec(unconfined))))

    assert "hardener: held back readOnlyRootFilesystem on app: readOnlyRootFilesystem is explicitly false" in told


def test_of_a_dry_run_it_says_what_would_be_set():
    assert ask_explain(workload_request(workload()), config("default: observe\n"))[1] == [
        "hardener dry-run: would set allowPrivilegeEscalation, capabilities, readOnlyRootFilesystem, resources on app",
        "hardener dry-run: would set runAsNonRoot, seccompProfile on app",
        "hardener dry-run: would set automountServiceAccountToken on the pod",
    ]


@pytest.mark.parametrize("level", ["problems", "changes"])
def test_who_applies_a_workload_is_told_everything_whatever_the_senders_of_pods_are_told(level):
    text = f"policies:\n  p: {{warnings: {level}}}\ndefault: p\n"

    assert ask_explain(workload_request(workload()), config(text))[1] == EVERY_CHANGE


def test_a_policy_without_warnings_is_silent():
    text = "policies:\n  p: {warnings: none}\ndefault: p\n"
    template = {"metadata": {"annotations": {"hardener.dev/opt-out": "nonsense"}}, **spec(APP)}

    assert ask_explain(workload_request(workload(template)), config(text)) == (Explained.EXPLAINED, [])


def test_a_namespace_on_policy_none_has_nothing_to_be_told():
    assert ask_explain(workload_request(workload(), namespace="kube-system"))[1] == []


def test_the_namespace_of_the_request_decides():
    obj = workload(metadata={"name": "web", "namespace": "kube-system"})

    assert ask_explain(workload_request(obj, namespace="shop"))[1] == EVERY_CHANGE


@pytest.mark.parametrize("username", ["system:kube-controller-manager", CONTROLLER["username"]])
@pytest.mark.parametrize("obj", [workload(kind="ReplicaSet"), workload(template=7), None, [], "text"], ids=str)
def test_controllers_accounts_are_spared_whatever_they_send(username, obj):
    body = workload_request(workload(kind="ReplicaSet"), object=obj, userInfo={"username": username})

    assert ask_explain(body) == (Explained.SPARED, [])


OWNER = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "1"}


@pytest.mark.parametrize(
    ("owners", "result"),
    [
        ([{**OWNER, "controller": True}], Explained.SPARED),
        ([OWNER, {**OWNER, "controller": True}], Explained.SPARED),
        ([OWNER], Explained.EXPLAINED),
        ([{**OWNER, "controller": False}], Explained.EXPLAINED),
        ([{**OWNER, "controller": "true"}], Explained.EXPLAINED),
        ([None, 7, [], "text"], Explained.EXPLAINED),
        ({"controller": True}, Explained.EXPLAINED),
        ([], Explained.EXPLAINED),
        (None, Explained.EXPLAINED),
    ],
    ids=str,
)
def test_what_another_object_controls_is_spared(owners, result):
    obj = workload(kind="ReplicaSet", metadata={"name": "web-5d4f", "ownerReferences": owners})

    assert ask_explain(workload_request(obj)) == (result, EVERY_CHANGE if result is Explained.EXPLAINED else [])


@pytest.mark.parametrize("kind", API_VERSIONS)
def test_of_an_update_only_a_changed_template_is_told(kind):
    old = workload(kind=kind, metadata={"name": "web", "labels": {"rev": "1"}})
    same = workload(kind=kind, metadata={"name": "web", "labels": {"rev": "2"}})
    new = workload(spec({**APP, "image": "web:2"}), kind=kind)

    assert ask_explain(workload_request(same, operation="UPDATE", oldObject=old)) == (Explained.UNCHANGED, [])
    assert ask_explain(workload_request(new, operation="UPDATE", oldObject=old)) == (Explained.EXPLAINED, EVERY_CHANGE)


def test_an_update_that_scales_is_not_told():
    old, new = workload(), workload()
    new["spec"]["replicas"] = 7

    assert ask_explain(workload_request(new, operation="UPDATE", oldObject=old)) == (Explained.UNCHANGED, [])


@pytest.mark.parametrize("old", [None, 7, {"spec": 7}, {}, {"spec": {"template": None}}], ids=str)
def test_an_update_without_an_old_template_to_compare_with_is_told(old):
    body = workload_request(workload(), operation="UPDATE", oldObject=old)

    assert ask_explain(body) == (Explained.EXPLAINED, EVERY_CHANGE)


def test_a_creation_is_told_whatever_old_object_it_claims_to_have():
    assert ask_explain(workload_request(workload(), oldObject=workload())) == (Explained.EXPLAINED, EVERY_CHANGE)


SCALE = {"apiVersion": "autoscaling/v1", "kind": "Scale", "spec": {"replicas": 3}}
OTHERS = {
    "a deletion": workload_request(workload(), operation="DELETE", object=None, oldObject=workload()),
    "a connection": workload_request(workload(), operation="CONNECT"),
    "no operation": workload_request(workload(), operation=None),
    "the status": workload_request(workload(), operation="UPDATE", subResource="status"),
    "the scale": workload_request(SCALE, operation="UPDATE", subResource="scale"),
    "the scale as a Deployment": workload_request(workload(), operation="UPDATE", subResource="scale"),
    "a pod": request(),
    "a service": workload_request({"apiVersion": "v1", "kind": "Service", "spec": {"ports": []}}),
    "a Deployment of another group": workload_request({**workload(), "apiVersion": "example.com/v1"}),
    "a kind that nobody knows": workload_request({**workload(), "kind": "Rollout"}),
    "no kind": workload_request(workload(), kind={}),
    "a deletion of nothing": workload_request(workload(), operation="DELETE", object=None),
}


@pytest.mark.parametrize("body", OTHERS.values(), ids=OTHERS)
def test_about_anything_else_nothing_is_said(body):
    assert ask_explain(body) == (Explained.IGNORED, [])


def test_old_names_of_groups_are_known():
    assert ask_explain(workload_request({**workload(), "apiVersion": "extensions/v1beta1"}))[1] == EVERY_CHANGE


EXEMPT = """
exempt:
  usernames: [alice]
  groups: ["system:authenticated"]
  runtimeClasses: [gvisor]
  priorityClasses: [system-node-critical]
  containers: [{name: istio-proxy, image: "docker.io/istio/proxyv2:*"}]
"""


def test_exempt_users_are_not_applied_since_a_controller_creates_the_pods():
    assert ask_explain(workload_request(workload()), config(EXEMPT)) == (Explained.EXPLAINED, EVERY_CHANGE)


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"runtimeClassName": "gvisor"}, "runtimeClasses[0]"),
        ({"priorityClassName": "system-node-critical"}, "priorityClasses[0]"),
    ],
)
def test_exempt_classes_are_applied_and_told(fields, key):
    assert ask_explain(workload_request(workload(spec(APP, **fields))), config(EXEMPT)) == (
        Explained.EXPLAINED,
        [f"hardener: the pod is exempt by exempt.{key}"],
    )


def test_an_exempt_container_is_told_and_the_others_are_hardened():
    template = spec(APP, {"name": "istio-proxy", "image": "istio/proxyv2:1.27"})

    _, told = ask_explain(workload_request(workload(template)), config(EXEMPT))

    assert told[0] == "hardener: istio-proxy is exempt by exempt.containers[0]"
    assert told[1:] == EVERY_CHANGE


def test_a_server_side_dry_run_is_told_the_same():
    assert ask_explain(workload_request(workload(), dryRun=True))[1] == EVERY_CHANGE


def test_labels_that_are_not_known_yet_are_told_and_nothing_is_promised():
    text = "policies:\n  strict: {}\nselectable: [strict]\ndefault: strict\n"

    _, told = ask_explain(workload_request(workload()), config(text), replace(STANDALONE, known=False))

    assert told[0] == "hardener: the namespace's labels are not known yet: nothing is enforced"
    assert told[1].startswith("hardener dry-run: would set allowPrivilegeEscalation, ")
    assert not any("will set" in warning for warning in told)


def test_the_policy_is_named_for_the_log():
    review = decode_workload(workload_request(workload()))

    assert explain(review, EMBEDDED, STANDALONE, TODAY).policy == EMBEDDED.default.label
