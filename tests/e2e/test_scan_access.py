"""What `hardener scan` may read, what it says where it may not, and the reports that it writes into a cluster."""

import json
import time

import pytest

from hardener.controls import CATALOGUE
from tests.deploy.chart import NAMESPACE, objects, template, the
from tests.deploy.value_sets import VALUE_SETS
from tests.e2e.conftest import kubernetes_version
from tests.e2e.control_plane import ControlPlane
from tests.e2e.report_definitions import DEFINITIONS
from tests.e2e.scanned import APP, NOTHING_TO_DO, PODS, Group, fill, post
from tests.e2e.scanning import Scans
from tests.e2e.waiting import eventually

# Helm, which renders the rights of the CronJob, is built once, in minutes.
pytestmark = pytest.mark.timeout(1200)

ALL = len(CATALOGUE)
GROUPS = (Group("bare", 2, {"containers": [APP]}), Group("trial", 1, {"containers": [APP]}))


@pytest.fixture(scope="module")
def cluster(request):
    """Without controllers: pods stay as they were made, and owners are what the test says."""
    with ControlPlane(version=kubernetes_version(request.config), controllers=False) as started:
        yield started


@pytest.fixture(scope="module")
def run(cluster, tmp_path_factory):
    return Scans(cluster, tmp_path_factory.mktemp("scan"))


@pytest.fixture(scope="module")
def whole(cluster, run):
    """One scan of everything by somebody who may do all."""
    fill(cluster, GROUPS)
    return run("--output=json")


@pytest.fixture
def account(cluster, whole, tmp_path):
    """Makes a service account with the rules of a ClusterRole, or within a namespace only, and returns its kubeconfig."""

    def make(rules, namespace=""):
        where = cluster.make_namespace(prefix="account-")
        name = f"scan-{where}"
        cluster.make_service_account(where, name)
        subject = {"kind": "ServiceAccount", "name": name, "namespace": where}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role" if namespace else "ClusterRole", "name": name}
        root = "/apis/rbac.authorization.k8s.io/v1"
        root, prefix = (f"{root}/namespaces/{namespace}", "") if namespace else (root, "cluster")
        post(cluster, f"{root}/{prefix}roles", {"metadata": {"name": name}, "rules": rules})
        binding = {"metadata": {"name": name}, "roleRef": role, "subjects": [subject]}
        post(cluster, f"{root}/{prefix}rolebindings", binding)
        token = post(cluster, f"/api/v1/namespaces/{where}/serviceaccounts/{name}/token", {"spec": {}})
        config = json.loads(cluster.kubeconfig.read_text(encoding="utf-8"))
        config["users"][0]["user"] = {"token": token["status"]["token"]}
        path = tmp_path / f"{name}.kubeconfig"
        path.write_text(json.dumps(config), encoding="utf-8")
        return path

    return make


@pytest.fixture(scope="module")
def rules():
    """The rights of the CronJob that the chart makes."""
    return the("ClusterRole", objects(template(VALUE_SETS["scanned"], namespace=NAMESPACE)), "hardener-scan")["rules"]


def test_the_account_of_the_cron_job_has_all_rights_that_a_scan_needs(whole, run, account, rules):
    done = run("--output=json", kubeconfig=account(rules))

    assert (done.code, done.err) == (1, "")
    assert done.namespaces["bare-00"] == whole.namespaces["bare-00"]
    assert done.json["problems"] == []


def without(rules, *plurals):
    return [
        {**rule, "resources": left}
        for rule in rules
        if (left := [each for each in rule["resources"] if each not in plurals])
    ]


def test_a_right_that_is_missing_is_named_and_the_rest_is_told(whole, run, account, rules):
    done = run("--output=json", kubeconfig=account(without(rules, "replicasets", "limitranges", "cronjobs")))

    assert done.code == 2
    assert done.json["problems"] == [
        "no right to list limitranges: default resources are taken for held back",
        "no right to list replicasets.apps: pods of Deployments stand under their ReplicaSets",
        "no right to list cronjobs.batch: those without pods are left out",
    ]
    assert [line.removeprefix("hardener: ") for line in done.err.splitlines()] == done.json["problems"]
    found = {(each["kind"], each["name"]): each["pods"] for each in done.namespaces["bare-00"]["findings"]}
    assert found["ReplicaSet", "web-6d5f"] == 40
    assert done.json["pods"] == 3 * PODS


def test_without_the_right_to_list_pods_there_is_nothing_to_tell(whole, run, account, rules):
    done = run(kubeconfig=account(without(rules, "pods")))

    assert (done.code, done.out, done.err) == (2, "", "hardener: no right to list pods\n")


def test_the_rights_of_one_namespace_are_enough_for_it(whole, run, account, rules):
    inside = [
        *without(rules, "namespaces", "policyreports", "reports"),
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]},
    ]
    kubeconfig = account(inside, "bare-00")
    done = run("--namespace=bare-00", "--output=json", kubeconfig=kubeconfig)

    assert (done.code, done.err) == (1, "")
    assert done.json["namespaces"] == [whole.namespaces["bare-00"]]
    other = run("--namespace=bare-01", "--namespace=nowhere", kubeconfig=kubeconfig)
    assert other.code == 2
    assert "hardener: no right to list pods in namespace bare-01" in other.err


def test_reports_are_not_written_where_their_kinds_are_not_known(whole, run):
    done = run("--namespace=bare-00", "--write-reports")

    assert done.code == 2
    assert done.err == (
        "hardener: the cluster has neither policyreports.wgpolicyk8s.io/v1alpha2 nor reports.openreports.io/v1alpha1: "
        "install the definitions of one of them, or leave out --write-reports\n"
    )


@pytest.fixture(scope="module")
def definitions(cluster, whole):
    for each in DEFINITIONS:
        post(cluster, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", each)
    for kind, namespace in (("policyreports", "wgpolicyk8s.io/v1alpha2"), ("reports", "openreports.io/v1alpha1")):
        eventually(lambda path=f"/apis/{namespace}/{kind}": cluster.request("GET", path).ok, what=f"{kind} are served")


def reports(cluster, namespace):
    paths = (
        f"/apis/wgpolicyk8s.io/v1alpha2/namespaces/{namespace}/policyreports/hardener",
        f"/apis/openreports.io/v1alpha1/namespaces/{namespace}/reports/hardener",
    )
    return [cluster.request("GET", path) for path in paths]


def test_reports_are_stored_whole_in_both_kinds_by_the_account_of_the_cron_job(
    cluster, definitions, run, account, rules
):
    """The API server drops what a definition does not know, and refuses what it does not allow."""
    done = run("--output=json", "--write-reports", kubeconfig=account(rules))

    with_findings = [each for each in done.namespaces.values() if each["findings"]]
    assert (done.code, done.err) == (1, f"{len(DEFINITIONS) * len(with_findings)} reports written\n")
    assert len(with_findings) == 3
    for reply in reports(cluster, "bare-00"):
        stored = reply.body
        assert stored["summary"] == {"pass": 0, "fail": 7 * ALL, "warn": 0, "error": 0, "skip": 0}
        assert len(stored["results"]) == 7 * ALL
        assert stored["scope"] == {"apiVersion": "v1", "kind": "Namespace", "name": "bare-00"}
        (result,) = [
            each
            for each in stored["results"]
            if each["rule"] == "runAsNonRoot" and each["resources"][0]["kind"] == "Deployment"
        ]
        seconds = result.pop("timestamp")["seconds"]
        assert abs(seconds - time.time()) < 600
        assert result == {
            "source": "hardener",
            "policy": "standard",
            "rule": "runAsNonRoot",
            "category": "Pod hardening",
            "severity": "high",
            "result": "fail",
            "scored": True,
            "message": "unhardened: securityContext.runAsNonRoot on app",
            "resources": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "namespace": "bare-00"}],
            "properties": {"state": "unhardened", "pods": "40"},
        }
        (fields,) = stored["metadata"]["managedFields"]
        assert (fields["manager"], fields["operation"]) == ("hardener", "Apply")
    assert [reply.status for reply in reports(cluster, "kube-public")] == [404, 404]


def test_the_report_of_a_namespace_without_pods_goes_and_that_of_others_stays(cluster, definitions, run):
    name = cluster.make_namespace("account-empty")
    other = cluster.make_namespace("account-other")
    post(
        cluster, f"/api/v1/namespaces/{name}/pods", {"metadata": {"name": "a"}, "spec": {"containers": [NOTHING_TO_DO]}}
    )
    foreign = {"apiVersion": "wgpolicyk8s.io/v1alpha2", "kind": "PolicyReport", "metadata": {"name": "hardener"}}
    post(cluster, f"/apis/wgpolicyk8s.io/v1alpha2/namespaces/{other}/policyreports", foreign)

    def write():
        return run(f"--namespace={name}", f"--namespace={other}", "--write-reports")

    assert (write().code, [reply.status for reply in reports(cluster, name)]) == (0, [200, 200])
    gone = cluster.request("DELETE", f"/api/v1/namespaces/{name}/pods/a", query={"gracePeriodSeconds": "0"})
    assert gone.ok, gone.body
    assert (write().code, [reply.status for reply in reports(cluster, name)]) == (0, [404, 404])
    assert [reply.status for reply in reports(cluster, other)] == [200, 404]


def test_an_api_server_that_is_not_there_is_told_in_one_line(cluster, run, tmp_path):
    text = cluster.kubeconfig.read_text(encoding="utf-8").replace(cluster.url, "https://127.0.0.1:1")
    path = tmp_path / "kubeconfig"
    path.write_text(text, encoding="utf-8")
    done = run(kubeconfig=path)

    assert (done.code, done.out) == (2, "")
    assert len(done.err.splitlines()) == 1
    assert "the API server https://127.0.0.1:1 cannot be reached" in done.err
