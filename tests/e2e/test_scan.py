"""`hardener scan`, the program, on a real API server with 2,000 pods in 40 namespaces."""

from collections import Counter

import pytest

from hardener.cli.scan import BUILT_IN
from hardener.controls import CATALOGUE
from tests.e2e.conftest import kubernetes_version
from tests.e2e.control_plane import ControlPlane
from tests.e2e.registration import register_hardener
from tests.e2e.report_definitions import ROLLOUTS
from tests.e2e.scanned import APP, CONFIG, GROUPS, PODS, fill, namespaces, owned_replica_set, post
from tests.e2e.scanning import Scans
from tests.e2e.waiting import eventually
from tests.e2e.webhook import Hardener

MEBIBYTES = 150
"""What a scan may take."""

OTHERS = {"default", "kube-system", "kube-public", "kube-node-lease", "probe-zz-hardener"}
"""Namespaces without pods that are there as well."""


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
    """One scan of everything, before any other test adds to it."""
    with Hardener() as webhook:
        register_hardener(cluster, webhook)
        fill(cluster)
    return run("--output=json")


def test_2000_pods_in_40_namespaces_fit_into_150_mib(whole, record_property):
    record_property("summary", f"a scan of 2,000 pods: {whole.seconds:.1f} s, {whole.peak:.0f} MiB")

    assert (whole.code, whole.err) == (1, "")
    assert (whole.json["pods"], namespaces() * PODS) == (2000, 2000)
    assert set(whole.namespaces) == {name for group in GROUPS for name in group.names()} | OTHERS
    assert 30 < whole.peak < MEBIBYTES


STATES = {
    "safe": {"in place": PODS},
    "bare": {"unhardened": PODS},
    "trial": {"would change": PODS},
    "opted": {"opted out": PODS},
    "late": {"unhardened": PODS},
    "excused": {"unhardened": PODS},
    "critical": {"exempt": PODS},
    "agents": {"held back": PODS},
    "explicit": {"in place": PODS},
    "none": {"off": PODS},
}
"""What becomes of each pod of a group."""

LEVELS = {
    "safe": ("restricted", "restricted"),
    "bare": ("baseline", "restricted"),
    "trial": ("baseline", "restricted"),
    "opted": ("restricted", "restricted"),
    "late": ("baseline", "restricted"),
    "excused": ("baseline", "restricted"),
    "critical": ("baseline", "baseline"),
    "agents": ("privileged", "privileged"),
    "explicit": ("restricted", "restricted"),
    "none": ("baseline", "baseline"),
}
"""The level that each group meets now, and hardened."""


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_every_namespace_has_its_numbers(whole, group):
    for name in group.names():
        found = whole.namespaces[name]
        assert (found["pods"], found["states"]) == (PODS, STATES[group.name])
        assert (found["now"], found["hardened"]) == LEVELS[group.name]
        owners = Counter()
        for finding in found["findings"]:
            owners[finding["kind"]] += finding["pods"]
        assert owners == {"Deployment": 40, "StatefulSet": 5, "Pod": 5}


def test_the_totals_are_the_sums_of_all(whole):
    report = whole.json
    states = Counter()
    for group in GROUPS:
        for state, number in STATES[group.name].items():
            states[state] += number * group.namespaces
    able = Counter()
    for group in GROUPS:
        able[LEVELS[group.name]] += group.namespaces
    restricted = sum(number for (_, hardened), number in able.items() if hardened == "restricted")
    as_they_are = sum(number for (now, _), number in able.items() if now == "restricted")
    unprivileged = sum(number for (_, hardened), number in able.items() if hardened != "privileged")

    assert report["states"] == states
    assert report["podSecurity"] == {
        "namespaces": 40,
        "now": {"baseline": unprivileged, "restricted": as_they_are},
        "hardened": {"baseline": unprivileged, "restricted": restricted},
    }
    assert set(report["controls"]) == set(CATALOGUE)
    assert all(sum(counts.values()) == 2000 for counts in report["controls"].values())
    assert report["controls"]["readOnlyRootFilesystem"]["opted out"] == 5 * PODS
    assert report["problems"] == []


def test_what_became_of_opt_outs_is_told(whole):
    def words(name):
        return {
            (word["control"], word["cause"], word["accepted"])
            for finding in whole.namespaces[name]["findings"]
            for word in finding["optOuts"]
        }

    assert words("opted-00") == {("readOnlyRootFilesystem", "accepted", True)}
    assert words("late-00") == {("resources", "expired", False)}
    assert words("excused-00") == {(control, "no-reason", False) for control in CATALOGUE}


def test_the_overview_begins_with_the_totals(whole, run):
    done = run("--output=table")
    lines = done.out.splitlines()

    assert done.code == 1
    assert lines[0].endswith("config.yaml")
    aside = f"{len(OTHERS)} without workloads not counted"
    assert lines[1] == f"after hardening, 34 of 40 namespaces can enforce restricted (16 as they are; {aside})"
    assert lines[3] == "700 of 2000 pods lack what the policy enforces: make them anew, as with kubectl rollout restart"


def test_an_overview_is_shown_on_the_page_about_operations(whole, run, documents):
    done = run("--namespace=bare-00", "--namespace=late-00", "--namespace=agents-00", "--namespace=trial-00")
    head, _, rest = done.out.partition("\n")
    assert head.startswith("https://")

    head = "https://10.0.0.1:6443, 2027-01-15 03:17 UTC, configuration: hardener-system/hardener:config.yaml"
    text = "\n".join(line.rstrip() for line in (head, *rest.splitlines()))
    documents.show("docs/operations.md", f"```text\n{text}\n```", part="a scan")


@pytest.mark.parametrize(("output", "words"), [("sarif", '"ruleId": "runAsNonRoot"'), ("html", "<!DOCTYPE html>")])
def test_it_is_told_in_other_formats_too(whole, run, output, words):
    done = run(f"--output={output}")

    assert (done.code, done.err) == (1, "")
    assert words in done.out
    assert done.peak < MEBIBYTES


def test_without_a_configuration_it_says_that_the_built_in_one_is_meant(whole, run):
    done = run("--namespace=trial-00", "--output=json", config=None)

    assert done.json["config"] == BUILT_IN
    assert done.namespaces["trial-00"]["states"] == {"unhardened": PODS}


def test_under_a_dry_run_nothing_is_lacking(whole, run):
    done = run("--namespace=bare-00", "--output=json", "--dry-run")

    assert (done.code, done.namespaces["bare-00"]["states"]) == (0, {"would change": PODS})


def test_the_configuration_may_be_that_of_the_cluster(cluster, whole, run):
    namespace = cluster.make_namespace("account-config")
    texts = {"readme": "nothing", "config.yaml": CONFIG.replace("policy: observe", "policy: none")}
    post(cluster, f"/api/v1/namespaces/{namespace}/configmaps", {"metadata": {"name": "hardener"}, "data": texts})
    done = run("--namespace=trial-00", "--output=json", f"--config-from={namespace}/hardener", config=None)

    assert (done.code, done.json["config"]) == (0, f"{namespace}/hardener:config.yaml")
    assert done.namespaces["trial-00"]["states"] == {"off": PODS}
    missing = run(f"--config-from={namespace}/other", config=None)
    assert (missing.code, missing.out) == (2, "")
    assert f"the ConfigMap {namespace}/other cannot be read" in missing.err


@pytest.fixture(scope="module")
def mixed(cluster, whole):
    """A namespace with one of each: owners of all kinds, workloads without pods, and pods that are left out."""
    name = cluster.make_namespace("account-mixed", {"policy": "reasons"})
    post(cluster, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", ROLLOUTS)
    rollouts = f"/apis/argoproj.io/v1alpha1/namespaces/{name}/rollouts"
    eventually(lambda: cluster.request("GET", rollouts).ok, what="rollouts are served")
    pods = f"/api/v1/namespaces/{name}/pods"

    def pod(called, owner=None, **spec):
        references = {"ownerReferences": [owner]} if owner else {}
        return post(cluster, pods, {"metadata": {"name": called, **references}, "spec": {"containers": [APP], **spec}})

    canary = owned_replica_set(cluster, name, "canary", "Rollout", "argoproj.io/v1alpha1")
    pod("canary-0", canary)
    job = post(
        cluster,
        f"/apis/batch/v1/namespaces/{name}/jobs",
        {
            "metadata": {
                "name": "nightly-1",
                "ownerReferences": [
                    {"apiVersion": "batch/v1", "kind": "CronJob", "name": "nightly", "uid": "n", "controller": True}
                ],
            },
            "spec": {"template": {"spec": {"containers": [APP], "restartPolicy": "Never"}}},
        },
    )
    uid = job["metadata"]["uid"]
    pod("nightly-1-x", {"apiVersion": "batch/v1", "kind": "Job", "name": "nightly-1", "uid": uid, "controller": True})
    pod("done")
    status = {"status": {"phase": "Succeeded"}}
    done = cluster.request("PATCH", f"{pods}/done/status", status, content_type="application/merge-patch+json")
    assert done.ok, done.body
    workload = {"spec": {"template": {"metadata": {"labels": {"app": "idle"}}, "spec": {"containers": [APP]}}}}
    deployment = {"spec": {**workload["spec"], "replicas": 0, "selector": {"matchLabels": {"app": "idle"}}}}
    post(cluster, f"/apis/apps/v1/namespaces/{name}/deployments", {"metadata": {"name": "idle"}, **deployment})
    rollout = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}
    post(cluster, rollouts, {**rollout, "metadata": {"name": "paused"}, **workload})
    return name


def test_pods_are_counted_under_their_uppermost_owners_and_workloads_without_pods_are_judged(mixed, run, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(
        f"{CONFIG.replace('account-*', 'other-*')}templates: [{{group: argoproj.io, kind: Rollout, path: spec.template}}]\n",
        encoding="utf-8",
    )
    done = run(f"--namespace={mixed}", "--output=json", config=config)

    found = {(each["kind"], each["name"]): (each["pods"], each["state"]) for each in done.namespaces[mixed]["findings"]}
    assert found == {
        ("Rollout", "canary"): (1, "unhardened"),
        ("CronJob", "nightly"): (1, "unhardened"),
        ("Deployment", "idle"): (0, "would change"),
        ("Rollout", "paused"): (0, "would change"),
    }
    assert (done.json["finishedPods"], done.json["problems"], done.code) == (1, [], 1)
