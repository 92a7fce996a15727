"""What hardening makes different for users, with what they see and the way out: "Known limits" in docs/operations.md."""

import json
from copy import deepcopy

import pytest
import yaml

from tests.e2e.hardening import is_hardened, lacking
from tests.e2e.operations import show_message
from tests.e2e.registration import LABEL
from tests.e2e.stand_in import paper_node, play_kubelet, pods
from tests.e2e.waiting import eventually

OPT_OUT = "hardener.dev/opt-out"
POD = yaml.safe_load("""
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers: [{name: app, image: "web:1"}]
""")
DROPS_ONE = deepcopy(POD)
DROPS_ONE["spec"]["containers"][0]["securityContext"] = {"capabilities": {"drop": ["NET_RAW"]}}
DEPLOYMENT = yaml.safe_load("""
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: "web:1"}]}
""")


class User:
    """A person with kubectl, in one namespace with the webhook."""

    def __init__(self, control_plane, namespace, folder):
        self.control_plane, self.namespace, self._folder = control_plane, namespace, folder

    def kubectl(self, *arguments, check=True, user="dev"):
        return self.control_plane.kubectl("-n", self.namespace, *arguments, check=check, user=user)

    def file(self, obj, name="web.yaml"):
        path = self._folder / name
        path.write_text(json.dumps(obj) if name.endswith(".json") else yaml.safe_dump(obj), encoding="utf-8")
        return path

    def apply(self, obj, *options, check=True):
        return self.kubectl("apply", "-f", self.file(obj), *options, check=check)

    def refused(self, *arguments, user="dev"):
        """What a command complains about that has to fail."""
        done = self.kubectl(*arguments, check=False, user=user)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def pods(self):
        return {pod["metadata"]["name"]: pod for pod in pods(self.control_plane, self.namespace)}


@pytest.fixture
def user(control_plane, hardened_namespace, tmp_path):
    return User(control_plane, hardened_namespace, tmp_path)


@pytest.mark.parametrize("side", ["client", "server"])
def test_applying_an_unchanged_pod_again_is_refused_where_its_drop_list_has_grown(user, documents, side):
    options = ["--server-side"] if side == "server" else []
    user.apply(DROPS_ONE, *options)

    message = user.refused("apply", "-f", user.file(DROPS_ONE), *options)

    show_message(documents, user.control_plane, "a pod is applied again", message)


def all_is_dropped_in_the_file(pod):
    pod["spec"]["containers"][0]["securityContext"]["capabilities"]["drop"] = ["ALL"]


def capabilities_are_opted_out_of(pod):
    pod["metadata"]["annotations"] = {OPT_OUT: "capabilities"}


@pytest.mark.parametrize("change", [all_is_dropped_in_the_file, capabilities_are_opted_out_of])
def test_the_pod_can_be_applied_again_where(user, change):
    pod = deepcopy(DROPS_ONE)
    change(pod)
    user.apply(pod)

    assert user.apply(pod).stdout == "pod/web unchanged\n"


def test_replace_force_makes_the_pod_anew(user):
    user.apply(DROPS_ONE)

    user.kubectl("replace", "--force", "--grace-period=0", "-f", user.file(DROPS_ONE))

    assert is_hardened(user.pods()["web"])


def test_a_pod_of_client_side_apply_cannot_move_to_server_side_apply_since_it_would_lose_its_resources(user, documents):
    """The empty `resources` that every pod has belongs to its first manager, and what was filled in goes with it."""
    user.apply(POD)
    before = user.pods()["web"]["spec"]

    first = user.apply(POD, "--server-side")
    second = user.refused("apply", "--server-side", "-f", user.file(POD))

    assert first.stdout == "pod/web serverside-applied\n"
    show_message(documents, user.control_plane, "a pod moves to server-side apply", first.stderr)
    show_message(documents, user.control_plane, "a pod has moved to server-side apply", second)
    assert user.pods()["web"]["spec"] == before


def resources_are_named_in_the_file(pod):
    amounts = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "1Gi"}}
    pod["spec"]["containers"][0]["resources"] = amounts


def resources_are_opted_out_of(pod):
    pod["metadata"]["annotations"] = {OPT_OUT: "resources"}


@pytest.mark.parametrize("change", [resources_are_named_in_the_file, resources_are_opted_out_of])
def test_the_pod_can_move_to_server_side_apply_where(user, change):
    pod = deepcopy(POD)
    change(pod)
    user.apply(pod)

    for _ in range(2):
        done = user.apply(pod, "--server-side")
        assert (done.stdout, done.stderr) == ("pod/web serverside-applied\n", "")


def test_a_pod_that_server_side_apply_has_made_can_be_applied_again(user):
    for _ in range(3):
        done = user.apply(POD, "--server-side")
        assert (done.stdout, done.stderr) == ("pod/web serverside-applied\n", "")


DEBUG_COPY = ("debug", "web", "--copy-to=copy", "--container=app", "--image=tools:1", "--profile=sysadmin")


def test_a_copy_for_debugging_cannot_make_a_hardened_container_privileged(user, documents):
    user.apply(POD)

    message = user.refused(*DEBUG_COPY, "--", "sh")

    show_message(documents, user.control_plane, "a privileged copy", message)


def test_a_copy_with_a_custom_profile_can(user):
    user.apply(POD)
    custom = user.file({"securityContext": {"allowPrivilegeEscalation": True}}, "custom.json")

    user.kubectl(*DEBUG_COPY, f"--custom={custom}", "--", "sh")

    security = user.pods()["copy"]["spec"]["containers"][0]["securityContext"]
    assert (security["privileged"], security["allowPrivilegeEscalation"]) == (True, True)


@pytest.mark.parametrize("options", [["--copy-to=copy"], []], ids=["in a copy", "in the pod itself"])
def test_a_privileged_debug_container_of_its_own_is_left_alone(user, options):
    user.apply(POD)

    user.kubectl("debug", "web", "--container=tools", "--image=tools:1", "--profile=sysadmin", *options)

    pod = user.pods()["copy" if options else "web"]["spec"]
    (tools,) = [each for each in pod["containers"] + pod.get("ephemeralContainers", []) if each["name"] == "tools"]
    assert tools["securityContext"]["privileged"] is True
    assert not {"allowPrivilegeEscalation", "runAsNonRoot", "readOnlyRootFilesystem"} & set(tools["securityContext"])


def test_a_debug_container_in_a_copy_is_hardened_like_any_other_unless_its_profile_says_otherwise(user):
    user.apply(POD)
    custom = user.file({"securityContext": {"runAsNonRoot": False, "readOnlyRootFilesystem": False}}, "custom.json")
    debug = ["debug", "web", "--container=tools", "--image=tools:1", "--profile=general"]

    user.kubectl(*debug, "--copy-to=hardened")
    user.kubectl(*debug, "--copy-to=free", f"--custom={custom}")

    security = {name: user.pods()[name]["spec"]["containers"][1]["securityContext"] for name in ("hardened", "free")}
    seen = {name: (each["runAsNonRoot"], each["readOnlyRootFilesystem"]) for name, each in security.items()}
    assert seen == {"hardened": (True, True), "free": (False, False)}


def test_a_debug_container_in_the_pod_itself_is_not_hardened(user):
    user.apply(POD)

    user.kubectl("debug", "web", "--container=tools", "--image=tools:1", "--profile=general")

    (tools,) = user.pods()["web"]["spec"]["ephemeralContainers"]
    assert tools["securityContext"] == {"capabilities": {"add": ["SYS_PTRACE"]}}


def test_a_debug_pod_on_a_node_works_on_the_host_and_so_keeps_its_root(user):
    with paper_node(user.control_plane) as node:
        user.kubectl("debug", f"node/{node}", "--image=tools:1", "--profile=sysadmin")

    (pod,) = user.pods().values()
    assert pod["spec"]["containers"][0]["securityContext"]["privileged"] is True


@pytest.fixture
def bound(user):
    """Bring a Deployment's pod to a node of its own, and give the node's name."""
    with paper_node(user.control_plane) as node:

        def bind(**annotations):
            deployment = deepcopy(DEPLOYMENT)
            template = deployment["spec"]["template"]
            template["metadata"]["annotations"] = {
                OPT_OUT.replace("opt-out", name): text for name, text in annotations.items()
            }
            template["spec"] |= {"nodeName": node, "terminationGracePeriodSeconds": 0}
            user.apply(deployment)
            eventually(lambda: play_kubelet(user.control_plane, user.namespace), what="the pod is there")
            return node

        yield bind
        user.kubectl("delete", "deployment", "web", "--cascade=foreground", "--wait=false")


def anonymous(message, user, node):
    """The message with names as in an example."""
    (pod,) = user.pods()
    return message.replace(node, "node-1").replace(user.namespace, "shop").replace(pod, "web-5c99c6cd9c-hw2jl")


def test_drain_wants_to_be_told_that_temporary_files_may_go(user, documents, bound):
    node = bound()

    message = user.refused("drain", node, user="admin")

    show_message(documents, user.control_plane, "a node is drained", anonymous(message, user, node))
    user.control_plane.kubectl("drain", node, "--delete-emptydir-data")


def test_drain_needs_not_be_told_where_the_pod_opts_out_of_the_read_only_root(user, bound):
    node = bound(**{"opt-out": "readOnlyRootFilesystem"})

    assert f"node/{node} drained" in user.control_plane.kubectl("drain", node).stdout


def test_pod_security_warns_about_the_template_although_the_pods_will_comply(
    control_plane, hardener, documents, tmp_path
):
    level = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    user = User(control_plane, control_plane.make_namespace(labels={LABEL: "true", **level}), tmp_path)

    done = user.apply(DEPLOYMENT)

    show_message(documents, control_plane, "PodSecurity warns", done.stderr)
    (pod,) = eventually(lambda: pods(control_plane, user.namespace), what="the pod is made")
    assert is_hardened(pod)


LIMITS = {
    "a LimitRange refuses the default": (
        {"kind": "LimitRange", "spec": {"limits": [{"type": "Pod", "max": {"memory": "1Gi"}}]}},
        {"limits": {"memory": "512Mi"}},
    ),
    "a ResourceQuota refuses the default": (
        {"kind": "ResourceQuota", "spec": {"scopes": ["NotBestEffort"], "hard": {"pods": "0"}}},
        {},
    ),
}


@pytest.mark.parametrize("limit", LIMITS)
def test_standalone_a_namespaces_own_limits_can_refuse_the_default_resources(user, documents, plain_namespace, limit):
    """Nobody tells the webhook of them there; the pods get through without it, and with the opt-out."""
    obj, resources = LIMITS[limit]
    obj = {"apiVersion": "v1", **obj, "metadata": {"name": "limits"}}
    for namespace in (user.namespace, plain_namespace):
        user.control_plane.kubectl("apply", "-n", namespace, "-f", user.file(obj))
    pod = deepcopy(POD)
    pod["spec"]["containers"] = [
        {"name": "app", "image": "web:1", "resources": resources},
        {"name": "logs", "image": "logs:1"},
    ]

    def refusal():
        done = user.apply(pod, "--dry-run=server", check=False)
        return done.stderr if "forbidden" in done.stderr and "unable" not in done.stderr else ""

    message = eventually(refusal, what="the limit is in force")

    show_message(documents, user.control_plane, limit, message)
    user.control_plane.kubectl("apply", "-n", plain_namespace, "-f", user.file(pod))
    pod["metadata"]["annotations"] = {OPT_OUT: "resources"}
    user.apply(pod)
    assert {control for control, _ in lacking(user.pods()["web"])} == {"resources"}
