"""Exemptions on a real API server: by who creates a pod, by its classes, and by an injected container's name and image."""

import json
from copy import deepcopy

import pytest
import yaml

from tests.e2e.hardening import TOKEN_PREFIX, is_hardened, lacking
from tests.e2e.installation import Installation
from tests.e2e.neighbours import INJECTED, Neighbours, once
from tests.e2e.stand_in import pods
from tests.e2e.waiting import eventually
from tests.e2e.workloads import manifest

CONFIG = """\
apiVersion: hardener.dev/v1
kind: HardenerConfig
exempt:
  usernames:
  - ci-robot
  - system:serviceaccount:kube-system:job-controller
  groups: [break-glass]
  runtimeClasses: [sandboxed]
  priorityClasses: [night-shift, system-node-critical, ordinary]
  containers:
  - {name: istio-proxy, image: "docker.io/istio/proxyv2:*"}
"""
PRIORITY_CLASSES = "/apis/scheduling.k8s.io/v1/priorityclasses"
RUNTIME_CLASSES = "/apis/node.k8s.io/v1/runtimeclasses"

POD = yaml.safe_load("""
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers: [{name: app, image: "web:1"}]
""")


@pytest.fixture(scope="module")
def installed(control_plane, tmp_path_factory):
    with Installation(control_plane, "exempt", tmp_path_factory.mktemp("exempt"), CONFIG, explains=True) as started:
        yield started


def pod_with(**spec):
    pod = deepcopy(POD)
    pod["spec"] |= spec
    return pod


def comparable(pod):
    """The pod as it was made, with the random name of the token volume made the same for all."""
    spec = pod["spec"]
    token = next((each["name"] for each in spec["volumes"] if each["name"].startswith(TOKEN_PREFIX)), TOKEN_PREFIX)
    return json.loads(json.dumps([spec, pod["metadata"].get("annotations")]).replace(token, TOKEN_PREFIX))


def line_of(text):
    """The line of the configuration that holds a text, from 1."""
    return next(number for number, line in enumerate(CONFIG.splitlines(), start=1) if text in line)


def place(installed, key, text):
    """What audit log and log call a line of the configuration."""
    return f"by {key} ({installed.config}:{line_of(text)})"


def assert_exempt(installed, reply, plain, by):
    """The pod is as without the webhook, and the audit log says by which line; `by` is a key and a text of it."""
    assert (reply.status, plain.status) == (201, 201), reply.message
    assert comparable(reply.body) == comparable(plain.body)
    audited = installed.audited(auditID=reply.audit_id)
    assert audited["exempt"] == f"the pod {place(installed, *by)}"
    assert {"applied", "skipped", "would-apply"}.isdisjoint(audited)


def test_the_pods_of_an_exempt_user_are_left_alone_and_those_of_others_are_not(installed, plain_namespace):
    namespace = installed.namespace()
    plain = installed.create(plain_namespace, POD, impersonate="ci-robot")

    theirs = installed.create(namespace, POD, impersonate="ci-robot")
    others = [
        installed.create(namespace, {**POD, "metadata": {"name": name}}, impersonate=name)
        for name in ("jane", "ci-robot-2")
    ]

    assert_exempt(installed, theirs, plain, ("exempt.usernames[0]", "- ci-robot"))
    assert all(is_hardened(reply.body) for reply in others)


def test_the_pods_of_an_exempt_group_are_left_alone(installed, plain_namespace):
    namespace = installed.namespace()
    run = ["run", "web", "--image=web:1", "-o", "json", "--as=jane", "--as-group=developers"]

    made = installed.cluster.kubectl(*run, "--as-group=break-glass", "-n", namespace)
    plain = installed.cluster.kubectl(*run, "-n", plain_namespace)

    assert comparable(json.loads(made.stdout)) == comparable(json.loads(plain.stdout))
    audited = installed.audited(namespace=namespace, name="web")
    assert audited["exempt"] == f"the pod {place(installed, 'exempt.groups[0]', 'break-glass')}"


def test_an_exempt_user_s_workload_is_explained_and_its_pods_are_hardened_since_a_controller_makes_them(installed):
    namespace = installed.namespace()

    done = installed.cluster.kubectl(
        *["create", "deployment", "web", "--image=web:1", "-n", namespace],
        *["--as=ci-robot", "--as-group=developers"],
    )
    (pod,) = eventually(lambda: pods(installed.cluster, namespace), what="the pod is made")

    assert "hardener: will set " in done.stderr
    assert is_hardened(pod)


def test_an_exempt_controller_s_pods_are_left_alone_and_those_of_others_are_not(installed):
    namespace = installed.namespace()
    for kind in ("Job", "Deployment"):
        text = yaml.safe_dump(manifest(kind))
        installed.cluster.kubectl("apply", "-f", "-", "-n", namespace, input=text, user="dev")
    made = eventually(lambda: found if len(found := pods(installed.cluster, namespace)) == 4 else None)

    by_kind = {
        kind: [pod for pod in made if pod["metadata"]["ownerReferences"][0]["kind"] == kind]
        for kind in ("Job", "ReplicaSet")
    }
    assert all(is_hardened(pod) for pod in by_kind["ReplicaSet"])
    assert all(("runAsNonRoot", "app") in lacking(pod) for pod in by_kind["Job"])
    audited = installed.audited(namespace=namespace, username="system:serviceaccount:kube-system:job-controller")
    assert audited["exempt"] == f"the pod {place(installed, 'exempt.usernames[1]', 'job-controller')}"


@pytest.fixture
def cluster_object(control_plane):
    """Make an object of the cluster, until the test is over."""
    made = []

    def make(path, obj):
        reply = control_plane.request("POST", path, obj)
        assert reply.status == 201, reply.message
        made.append(f"{path}/{obj['metadata']['name']}")

    yield make
    for path in made:
        control_plane.request("DELETE", path)


def accepted(installed, namespace, pod):
    """Wait until the API server accepts a pod: what it names takes a moment to be known."""
    reply = eventually(
        lambda: made if (made := installed.create(namespace, pod, dry_run=True)).ok else None, what="it is accepted"
    )
    assert reply.status == 201


@pytest.mark.parametrize("name", ["sandboxed", "other"])
def test_a_runtime_class_is_exempt_by_its_name(installed, plain_namespace, cluster_object, name):
    cluster_object(RUNTIME_CLASSES, {"metadata": {"name": name}, "handler": "runsc"})
    pod = pod_with(runtimeClassName=name)
    accepted(installed, plain_namespace, pod)

    reply = installed.create(installed.namespace(), pod)

    if name == "sandboxed":
        plain = installed.create(plain_namespace, pod)
        assert_exempt(installed, reply, plain, ("exempt.runtimeClasses[0]", "sandboxed"))
    else:
        assert is_hardened(reply.body)


@pytest.mark.parametrize("name", ["night-shift", "day-shift"])
def test_a_priority_class_is_exempt_by_its_name(installed, plain_namespace, cluster_object, name):
    cluster_object(PRIORITY_CLASSES, {"metadata": {"name": name}, "value": 10})
    pod = pod_with(priorityClassName=name)
    accepted(installed, plain_namespace, pod)

    reply = installed.create(installed.namespace(), pod)

    assert reply.body["spec"]["priority"] == 10
    if name == "night-shift":
        plain = installed.create(plain_namespace, pod)
        assert_exempt(installed, reply, plain, ("exempt.priorityClasses[0]", "night-shift"))
    else:
        assert is_hardened(reply.body)


def test_a_name_that_is_no_class_exempts_nobody_since_the_api_server_refuses_it_first(installed, plain_namespace):
    for pod in (pod_with(priorityClassName="night-shift"), pod_with(runtimeClassName="sandboxed")):
        replies = [installed.create(namespace, pod) for namespace in (plain_namespace, installed.namespace())]

        assert [reply.status for reply in replies] == [403, 403]
        assert replies[0].message == replies[1].message


def test_the_class_that_pods_get_who_name_none_exempts_them_all(installed, plain_namespace, cluster_object):
    """The Priority plugin writes it into the pod before any webhook sees it, so that nobody has to name it."""
    namespace = installed.namespace()
    assert is_hardened(installed.create(namespace, POD, dry_run=True).body)

    cluster_object(PRIORITY_CLASSES, {"metadata": {"name": "ordinary"}, "value": 1, "globalDefault": True})
    eventually(
        lambda: (
            installed.create(plain_namespace, POD, dry_run=True).body["spec"].get("priorityClassName") == "ordinary"
        ),
        what="it is the default",
    )
    reply = installed.create(namespace, POD)

    assert_exempt(installed, reply, installed.create(plain_namespace, POD), ("exempt.priorityClasses[2]", "ordinary"))
    installed.cluster.request("DELETE", f"{PRIORITY_CLASSES}/ordinary")
    later = {**POD, "metadata": {"name": "later"}}
    eventually(
        lambda: is_hardened(installed.create(namespace, later, dry_run=True).body), what="it is the default no more"
    )


def test_whoever_may_make_pods_may_name_a_class_of_the_system_and_a_quota_can_forbid_it(installed):
    """Kubernetes lets any namespace use them, so that exempting one lets anybody out of the hardening."""
    namespace, pod = installed.namespace(), pod_with(priorityClassName="system-node-critical")
    free = installed.create(namespace, pod, dry_run=True)
    quota = {
        "metadata": {"name": "no-system-classes"},
        "spec": {
            "hard": {"pods": "0"},
            "scopeSelector": {
                "matchExpressions": [
                    {"scopeName": "PriorityClass", "operator": "In", "values": ["system-node-critical"]}
                ]
            },
        },
    }
    made = installed.cluster.request("POST", f"/api/v1/namespaces/{namespace}/resourcequotas", quota)
    assert made.status == 201, made.message

    refused = eventually(
        lambda: (
            reply if "exceeded quota" in (reply := installed.create(namespace, pod, dry_run=True)).message else None
        ),
        what="the quota is in force",
    )

    assert (free.status, refused.status) == (201, 403)
    assert "securityContext" not in free.body["spec"]["containers"][0]
    assert is_hardened(installed.create(namespace, POD, dry_run=True).body)


IMAGES = {
    "istio/proxyv2:1.29": True,
    "docker.io/istio/proxyv2:1.29": True,
    "registry.example/istio/proxyv2:1.29": False,
    "istio/proxyv2/other:1.29": False,
    "proxyv2:1.29": False,
}


@pytest.mark.parametrize("image", IMAGES)
def test_an_injected_sidecar_is_exempt_by_name_and_image_and_by_no_name_alone(installed, image):
    sidecar = {"name": "istio-proxy", "image": image}
    with Neighbours(installed.cluster) as neighbours:
        neighbours.add("zzz-mesh", once("istio-proxy", image=image))
        namespace = installed.namespace(**{INJECTED: "zzz-mesh"})
        reply = installed.create(namespace, POD)

    app, proxy = reply.body["spec"]["containers"]
    assert {container for _, container in lacking(reply.body)} == ({"istio-proxy"} if IMAGES[image] else set())
    assert "securityContext" in app
    audited = installed.audited(auditID=reply.audit_id)
    if IMAGES[image]:
        assert {key: proxy[key] for key in sidecar} == sidecar
        assert {"securityContext", "volumeMounts"}.isdisjoint(proxy)
        assert proxy["resources"] == {}
        assert audited["exempt"] == f"istio-proxy {place(installed, 'exempt.containers[0]', 'istio-proxy')}"
        assert (
            "capabilities(istio-proxy): exempt by exempt.containers[0]"
            in (reply.body["metadata"]["annotations"]["hardener.dev/skipped"])
        )
    else:
        assert "exempt" not in audited
