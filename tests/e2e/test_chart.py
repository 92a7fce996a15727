"""The chart on a real API server: what it makes is accepted, and its account may do what it must."""

import itertools
import json
import re

import pytest

from tests.deploy.chart import INSTALL, NAMESPACE, RELEASE, objects, template, the
from tests.deploy.series import API_SERVER
from tests.deploy.tools import custom_resource_definitions
from tests.deploy.value_sets import VALUE_SETS
from tests.e2e.conftest import kubernetes_version
from tests.e2e.control_plane import ControlPlane
from tests.e2e.waiting import eventually

# Helm and the definitions of custom resources are built once, in minutes.
pytestmark = pytest.mark.timeout(1200)

ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"
MUTATING, VALIDATING = "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"
POD = {"metadata": {"generateName": "web-"}, "spec": {"containers": [{"name": "app", "image": "web:1"}]}}


@pytest.fixture(scope="module")
def cluster(request):
    """One of its own: both webhooks have the same name as those of the other tests."""
    with ControlPlane(version=kubernetes_version(request.config)) as started:
        for file in custom_resource_definitions().iterdir():
            started.kubectl("create", "--filename", file)
        started.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
        yield started


@pytest.fixture(scope="module")
def installed(cluster):
    """`kubectl apply -f install.yaml`, and its objects."""
    cluster.kubectl("apply", "--filename", INSTALL)
    return objects(INSTALL.read_text(encoding="utf-8"))


def pods(namespace):
    return f"/api/v1/namespaces/{namespace}/pods"


@pytest.mark.parametrize("name", VALUE_SETS)
def test_the_api_server_accepts_every_object(cluster, name):
    """As `kubectl apply --dry-run=server --validate=strict` asks it."""
    namespace = cluster.make_namespace()
    for obj in objects(template(VALUE_SETS[name], namespace=namespace)):
        if obj["kind"] == "Namespace":
            obj["metadata"]["name"] = "not-there-yet"
        path = collection(obj)
        tried = cluster.request("POST", path, obj, query={"dryRun": "All", "fieldValidation": "Strict"})
        assert (tried.status, tried.warnings) == (201, []), f"{path}: {tried.message}"


def collection(obj):
    """Where objects of a kind are made."""
    plural = re.sub("y$", "ie", obj["kind"].lower()) + "s"
    version = obj["apiVersion"]
    namespace = obj["metadata"].get("namespace")
    places = [
        f"/apis/{version}" if "/" in version else f"/api/{version}",
        f"namespaces/{namespace}" if namespace else "",
    ]
    return "/".join(filter(None, [*places, plural]))


def test_what_belongs_to_other_operators_can_be_applied(cluster):
    values = {**VALUE_SETS["monitored"], **VALUE_SETS["scaled"], **VALUE_SETS["cert-manager"]}
    namespace = cluster.make_namespace()
    manifests = template(values, namespace=namespace, release="other")
    cluster.kubectl("apply", "--validate=strict", "--filename=-", input=manifests)

    assert cluster.kubectl("diff", "--filename=-", input=manifests).stdout == ""
    for kind in (MUTATING, VALIDATING):
        cluster.kubectl("delete", kind.lower(), "zz-other-hardener")


def test_install_yaml_applied_again_changes_nothing(cluster, installed):
    again = cluster.kubectl("apply", "--filename", INSTALL).stdout.splitlines()

    # kubectl writes the selector of a budget each time, changed or not.
    assert [line for line in again if not line.endswith(" unchanged")] == [
        "poddisruptionbudget.policy/hardener configured"
    ]
    assert cluster.kubectl("diff", "--filename", INSTALL).stdout == ""


def test_its_pods_are_admitted_in_a_restricted_namespace_with_their_priority(cluster, installed):
    def made():
        return cluster.request("GET", pods(NAMESPACE)).body["items"]

    eventually(lambda: len(made()) == 2, what="both replicas are made")
    for pod in made():
        assert pod["spec"]["priority"] == 2_000_000_000
        assert pod["spec"]["serviceAccountName"] == "hardener"
    assert (
        cluster.request("GET", f"/api/v1/namespaces/{NAMESPACE}").body["metadata"]["labels"][
            "pod-security.kubernetes.io/enforce"
        ]
        == "restricted"
    )


VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
RESOURCES = {
    "": (
        *("namespaces", "limitranges", "resourcequotas", "serviceaccounts", "serviceaccounts/token", "secrets", "pods"),
        *("configmaps", "nodes", "events"),
    ),
    "apps": ("deployments",),
    "admissionregistration.k8s.io": ("mutatingwebhookconfigurations", "validatingwebhookconfigurations"),
    "rbac.authorization.k8s.io": ("roles", "rolebindings", "clusterroles", "clusterrolebindings"),
    "coordination.k8s.io": ("leases",),
}
EVERYWHERE = ("", NAMESPACE, "kube-system")
ANY_NAME = ("", "hardener-tls", "zz-hardener", "another")
"""Places and names that are asked for: an empty one is the whole cluster, or no name, as in a list."""


def allowed_and_meant():
    """What hardener does, as in its ClusterRole and Role: verb, resource, namespace, name."""
    for namespace, name in itertools.product(EVERYWHERE, ANY_NAME):
        yield from ((verb, "namespaces", namespace, name) for verb in ("get", "list", "watch"))
        for resource in ("limitranges", "resourcequotas", "serviceaccounts"):
            yield from ((verb, resource, namespace, name) for verb in ("list", "watch"))
        yield from (
            (verb, resource, namespace, "zz-hardener")
            for verb in ("get", "watch", "patch")
            for resource in RESOURCES["admissionregistration.k8s.io"]
        )
        yield from ((verb, "secrets", NAMESPACE, "hardener-tls") for verb in ("get", "watch", "patch"))
        yield ("create", "secrets", NAMESPACE, name)


def test_its_account_may_do_what_it_does_and_nothing_else(cluster, installed):
    allowed = set()
    for group, resources in RESOURCES.items():
        for resource, verb, namespace, name in itertools.product(resources, VERBS, EVERYWHERE, ANY_NAME):
            plural, _, subresource = resource.partition("/")
            attributes = {"group": group, "resource": plural, "subresource": subresource, "verb": verb}
            review = {"user": ACCOUNT, "resourceAttributes": {**attributes, "namespace": namespace, "name": name}}
            path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
            asked = cluster.request("POST", path, {"spec": review})
            assert asked.status == 201, asked.body
            if asked.body["status"]["allowed"]:
                allowed.add((verb, resource, namespace, name))

    assert allowed == set(allowed_and_meant())


def test_while_nothing_answers_pods_pass_and_the_api_server_counts_them(cluster):
    """The queries of alerts and dashboard: the series and labels are the API server's own."""
    namespace = cluster.make_namespace()
    values = {"webhook": {"timeoutSeconds": 1, "name": "zz-nobody"}}
    made = objects(template(values, namespace=namespace, release="nobody"))
    for kind in (MUTATING, VALIDATING):
        cluster.kubectl("apply", "--filename=-", input=json.dumps(the(kind, made)))
    cluster.kubectl("apply", "--filename=-", input=json.dumps(the("Service", made)))
    elsewhere = cluster.make_namespace()

    def counted():
        assert cluster.request("POST", pods(elsewhere), POD).status == 201
        return series(cluster, "apiserver_admission_webhook_fail_open_count", name="pods.hardener.dev")

    eventually(counted, what="a pod that passed is counted")
    for kind in (MUTATING, VALIDATING):
        cluster.kubectl("delete", kind.lower(), "zz-nobody")
    for metric, labels in API_SERVER.items():
        assert {frozenset(each) for each in series(cluster, metric)} == {frozenset(labels)}, metric
    assert series(cluster, "apiserver_request_total", verb="POST", resource="pods", subresource="", code="201")


def series(cluster, metric, /, **labels):
    """The labels of each series of a metric that has these labels."""
    lines = re.findall(rf"^{metric}\{{(.*)\}} \S+$", cluster.metrics(), re.MULTILINE)
    found = [dict(re.findall(r'(\w+)="([^"]*)"', line)) for line in lines]
    return [each for each in found if labels.items() <= each.items()]
