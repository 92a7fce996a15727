"""What the API server calls the webhooks of the chart for, and what it spares them."""

import json

import pytest

from tests.deploy.chart import INSTALL, NAMESPACE, objects, the
from tests.e2e.conftest import kubernetes_version
from tests.e2e.control_plane import ControlPlane
from tests.e2e.double import Double
from tests.e2e.waiting import eventually

KINDS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
CONTAINERS = [{"name": "app", "image": "web:1"}]
POD = {"metadata": {"generateName": "web-"}, "spec": {"containers": CONTAINERS}}
TEMPLATE = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": CONTAINERS}}
ONCE = {**TEMPLATE, "spec": {"containers": CONTAINERS, "restartPolicy": "Never"}}
SELECTOR = {"matchLabels": {"app": "web"}}

WORKLOADS = {
    "apis/apps/v1/deployments": {"replicas": 0, "selector": SELECTOR, "template": TEMPLATE},
    "apis/apps/v1/statefulsets": {"replicas": 0, "selector": SELECTOR, "template": TEMPLATE},
    "apis/apps/v1/daemonsets": {"selector": SELECTOR, "template": TEMPLATE},
    "apis/apps/v1/replicasets": {"replicas": 0, "selector": SELECTOR, "template": TEMPLATE},
    "apis/batch/v1/jobs": {"suspend": True, "template": ONCE},
    "apis/batch/v1/cronjobs": {"suspend": True, "schedule": "@daily", "jobTemplate": {"spec": {"template": ONCE}}},
    "api/v1/replicationcontrollers": {"replicas": 0, "selector": {"app": "web"}, "template": TEMPLATE},
}


@pytest.fixture(scope="module")
def cluster(request):
    """One of its own: both webhooks have the same name as those of the other tests."""
    with ControlPlane(version=kubernetes_version(request.config)) as started:
        yield started


@pytest.fixture(scope="module")
def watched(cluster):
    """A webhook of the tests' own is called where install.yaml has hardener called."""
    made = objects(INSTALL.read_text(encoding="utf-8"))
    with Double() as double:
        for kind in KINDS:
            configuration = the(kind, made)
            for webhook in configuration["webhooks"]:
                path = webhook["clientConfig"]["service"]["path"]
                webhook["clientConfig"] = {"url": f"{double.url}{path}", "caBundle": double.ca_bundle}
            cluster.kubectl("create", "--filename=-", input=json.dumps(configuration))
        namespace = cluster.make_namespace()
        eventually(lambda: calls_of(double, cluster, namespace), what="the API server calls the webhooks")
        yield double


def calls_of(double, cluster, namespace):
    """Whether a pod and a workload, both only tried, are sent."""
    seen = len(double.calls)
    cluster.request("POST", pods(namespace), POD, query={"dryRun": "All"})
    cluster.request(
        "POST", f"/apis/apps/v1/namespaces/{namespace}/deployments", workload("deployments"), query={"dryRun": "All"}
    )
    return {call.path for call in double.calls[seen:]} == {"/mutate", "/explain"}


def pods(namespace):
    return f"/api/v1/namespaces/{namespace}/pods"


def workload(plural):
    spec = next(spec for path, spec in WORKLOADS.items() if path.endswith(f"/{plural}"))
    return {"metadata": {"name": "web"}, "spec": spec}


def sent(double, namespace, path):
    """What came to a path from a namespace: operation, kind and name."""
    requests = [call.review["request"] for call in double.calls if call.path == path]
    return [
        (request["operation"], request["kind"]["kind"], request["object"]["metadata"].get("name"))
        for request in requests
        if request["namespace"] == namespace and not request.get("dryRun")
    ]


def test_a_new_pod_is_sent_once_and_a_changed_one_never(cluster, watched):
    namespace = cluster.make_namespace()
    made = cluster.request("POST", pods(namespace), POD, user="dev")
    name = made.body["metadata"]["name"]
    changed = cluster.kubectl("label", "pod", name, "changed=yes", "--namespace", namespace, user="dev")

    assert (made.status, changed.returncode) == (201, 0)
    assert [(operation, kind) for operation, kind, _ in sent(watched, namespace, "/mutate")] == [("CREATE", "Pod")]


def test_a_mirror_pod_is_not_sent(cluster, watched):
    namespace = cluster.make_namespace()
    mirror = {
        "metadata": {"name": "mirror", "annotations": {"kubernetes.io/config.mirror": "0"}},
        "spec": {"containers": CONTAINERS, "nodeName": "node"},
    }
    annotated = {"metadata": {"name": "other", "annotations": {"note": "1"}}, "spec": {"containers": CONTAINERS}}
    for pod in (mirror, annotated):
        assert cluster.request("POST", pods(namespace), pod).status == 201

    assert sent(watched, namespace, "/mutate") == [("CREATE", "Pod", "other")]


@pytest.mark.parametrize("namespace", ["kube-system", "kube-node-lease", NAMESPACE])
def test_namespaces_that_hardener_needs_are_not_sent(cluster, watched, namespace):
    if not cluster.request("GET", f"/api/v1/namespaces/{namespace}").ok:
        cluster.make_namespace(namespace)
    cluster.make_service_account(namespace, "default")

    def is_made():
        return cluster.request("POST", pods(namespace), POD).status == 201

    eventually(is_made, what=f"a pod can be made in {namespace}")
    assert sent(watched, namespace, "/mutate") == []


@pytest.mark.parametrize("path", [*WORKLOADS, "api/v1/podtemplates"])
def test_every_workload_is_explained_when_it_is_made_and_changed(cluster, watched, path):
    namespace = cluster.make_namespace()
    group, _, plural = path.rpartition("/")
    obj = {"metadata": {"name": "web"}, "template": TEMPLATE} if plural == "podtemplates" else workload(plural)
    address = f"/{group}/namespaces/{namespace}/{plural}"
    made = cluster.request("POST", address, obj, user="dev")
    patch = {"metadata": {"labels": {"changed": "yes"}}}
    merge = "application/merge-patch+json"
    changed = cluster.request("PATCH", f"{address}/web", patch, user="dev", content_type=merge)

    assert (made.status, changed.status) == (201, 200), made.body
    operations = [operation for operation, _, name in sent(watched, namespace, "/explain") if name == "web"]
    assert operations == ["CREATE", "UPDATE"]


@pytest.mark.parametrize("controller", [True, False])
def test_what_another_object_controls_is_not_explained_whoever_makes_it(cluster, watched, controller):
    namespace = cluster.make_namespace()
    owner = {"apiVersion": "example.com/v1", "kind": "App", "name": "web", "uid": "0", "controller": controller}
    obj = workload("jobs")
    obj["metadata"] = {**obj["metadata"], "ownerReferences": [owner]}
    made = cluster.request("POST", f"/apis/batch/v1/namespaces/{namespace}/jobs", obj, user="dev")

    assert made.status == 201, made.body
    assert bool(sent(watched, namespace, "/explain")) is not controller


def test_what_controllers_make_is_not_explained_and_their_pods_are_sent(cluster, watched):
    namespace = cluster.make_namespace()
    deployment = {"metadata": {"name": "web"}, "spec": {**workload("deployments")["spec"], "replicas": 1}}
    made = cluster.request("POST", f"/apis/apps/v1/namespaces/{namespace}/deployments", deployment, user="dev")
    assert made.status == 201
    eventually(lambda: sent(watched, namespace, "/mutate"), what="the pod of the Deployment is sent")

    assert {kind for _, kind, _ in sent(watched, namespace, "/explain")} == {"Deployment"}


@pytest.mark.parametrize(
    ("user", "explained"),
    [
        ("system:kube-controller-manager", False),
        ("system:serviceaccount:kube-system:job-controller", False),
        ("system:serviceaccount:argocd:argocd-application-controller", True),
    ],
)
def test_a_controller_s_account_is_told_nothing_and_a_tool_s_is(cluster, watched, user, explained):
    namespace = cluster.make_namespace()
    job = {"apiVersion": "batch/v1", "kind": "Job", **workload("jobs")}
    cluster.kubectl(
        *("create", "--namespace", namespace, "--filename=-", f"--as={user}", "--as-group=system:masters"),
        input=json.dumps(job),
    )

    assert bool(sent(watched, namespace, "/explain")) is explained


def test_a_status_that_is_written_is_not_sent(cluster, watched):
    namespace = cluster.make_namespace()
    address = f"/apis/apps/v1/namespaces/{namespace}/statefulsets"
    cluster.request("POST", address, workload("statefulsets"))
    before = len(sent(watched, namespace, "/explain"))
    patch = {"status": {"replicas": 0, "observedGeneration": 7}}
    merge = "application/merge-patch+json"
    assert cluster.request("PATCH", f"{address}/web/status", patch, content_type=merge).ok

    assert len(sent(watched, namespace, "/explain")) == before
