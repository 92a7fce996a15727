"""One look at a cluster: what is asked for, what is counted, and what is said where something cannot be read."""

from datetime import UTC, datetime

import pytest

from hardener.cluster.policy_reports import PolicyReports
from hardener.cluster.survey import Survey
from hardener.cluster.workloads import METADATA
from hardener.errors import StartError
from hardener.policy.reading import parse_config
from hardener.report.report import State
from tests.cluster.listing_double import ListingDouble
from tests.cluster.parts import credentials_for

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SPEC = {"containers": [{"name": "app", "image": "a"}]}
CONFIG = parse_config("apiVersion: hardener.dev/v1\nkind: HardenerConfig\ndefault: standard\n", "test.yaml")
ROLLOUTS = parse_config(
    "apiVersion: hardener.dev/v1\nkind: HardenerConfig\ndefault: standard\n"
    "templates: [{group: argoproj.io, kind: Rollout, path: spec.template}]\n",
    "test.yaml",
)


def named(name, namespace="shop", owner=None, **fields):
    kind, _, called = (owner or "").partition(" ")
    references = {"ownerReferences": [{"kind": kind, "name": called, "controller": True}]} if owner else {}
    metadata = {"name": name, "resourceVersion": "5", **({"namespace": namespace} if namespace else {}), **references}
    return {"metadata": metadata, **fields}


@pytest.fixture
async def api():
    async with ListingDouble() as double:
        for plural in ("limitranges", "resourcequotas", "serviceaccounts", "pods"):
            double.lists[f"/api/v1/{plural}"] = []
        for plural in ("deployments", "statefulsets", "daemonsets", "replicasets"):
            double.lists[f"/apis/apps/v1/{plural}"] = []
        for plural in ("jobs", "cronjobs"):
            double.lists[f"/apis/batch/v1/{plural}"] = []
        double.lists["/api/v1/namespaces"] = [named("shop", ""), named("empty", "")]
        yield double


async def look(api, *namespaces, config=CONFIG, progress=None):
    async with Survey(credentials_for(api.url), namespaces, progress=progress) as survey:
        return await survey.report(config, NOW)


def found(report):
    return {(each.kind, each.name): each.pods for namespace in report.namespaces for each in namespace.findings}


async def test_all_pages_are_read_and_every_namespace_is_told(api):
    api.page_items = 2
    api.lists["/api/v1/pods"] = [named(f"web-{number}", owner="StatefulSet web", spec=SPEC) for number in range(5)]
    told = []
    report = await look(api, progress=lambda what, count: told.append((what, count)))

    assert found(report) == {("StatefulSet", "web"): 5}
    assert [namespace.name for namespace in report.namespaces] == ["empty", "shop"]
    assert (report.cluster, report.config, report.problems) == (api.url, "test.yaml", ())
    assert told == [("pods", number) for number in range(1, 6)]


async def test_nothing_is_counted_twice_where_the_rest_of_a_list_is_no_longer_to_be_had(api):
    api.page_items = 2
    api.lists["/api/v1/pods"] = [named(f"web-{number}", owner="StatefulSet web", spec=SPEC) for number in range(5)]
    api.refusals["/api/v1/pods"].extend([0, 410])
    report = await look(api)

    assert found(report) == {("StatefulSet", "web"): 5}
    assert [path for _, path, _ in api.asked].count("/api/v1/pods") == 2 + 3


async def test_a_list_that_is_never_whole_is_given_up(api):
    api.refusals["/api/v1/pods"].extend([410] * 5)

    with pytest.raises(StartError, match="pods cannot be listed"):
        await look(api)


async def test_only_the_metadata_of_replica_sets_and_jobs_is_asked_for_and_only_where_pods_are_theirs(api):
    await look(api)
    assert not {"/apis/apps/v1/replicasets", "/apis/batch/v1/jobs"} & {path for _, path, _ in api.asked}

    api.lists["/api/v1/pods"] = [
        named("a", owner="ReplicaSet web-1", spec=SPEC),
        named("b", owner="Job n-1", spec=SPEC),
    ]
    api.lists["/apis/apps/v1/replicasets"] = [named("web-1", owner="Deployment web"), named("x", owner="Deployment y")]
    api.lists["/apis/batch/v1/jobs"] = [named("n-1", owner="CronJob n"), named("n-1", "other", owner="CronJob wrong")]
    report = await look(api)

    assert found(report) == {("Deployment", "web"): 1, ("CronJob", "n"): 1}
    accepted = {path: accept for _, path, accept in api.asked}
    assert accepted["/apis/apps/v1/replicasets"] == accepted["/apis/batch/v1/jobs"] == METADATA
    assert accepted["/api/v1/pods"] == "application/json"


async def test_workloads_without_pods_are_judged_and_also_those_of_other_kinds(api):
    template = {"template": {"spec": SPEC}}
    api.lists["/apis/apps/v1/deployments"] = [named("idle", spec=template)]
    api.lists["/apis/batch/v1/cronjobs"] = [named("nightly", spec={"jobTemplate": {"spec": template}})]
    api.objects["/apis/argoproj.io"] = {"preferredVersion": {"groupVersion": "argoproj.io/v1alpha1"}}
    api.objects["/apis/argoproj.io/v1alpha1"] = {
        "resources": [{"name": "rollouts", "kind": "Rollout"}, {"name": "rollouts/scale", "kind": "Rollout"}]
    }
    api.lists["/apis/argoproj.io/v1alpha1/rollouts"] = [named("canary", spec=template)]
    report = await look(api, config=ROLLOUTS)

    assert found(report) == {("Deployment", "idle"): 0, ("CronJob", "nightly"): 0, ("Rollout", "canary"): 0}
    assert report.problems == ()


async def test_a_cluster_that_does_not_have_a_kind_of_the_configuration_has_none_of_it(api):
    assert (await look(api, config=ROLLOUTS)).problems == ()


async def test_what_else_goes_wrong_with_a_kind_of_the_configuration_is_told(api):
    api.refusals["/apis/argoproj.io"].append(500)
    report = await look(api, config=ROLLOUTS)

    assert report.problems == (
        "the kinds of argoproj.io cannot be asked for (/apis/argoproj.io: 500 it is 500): those without pods are left out",
    )


async def test_facts_decide_as_in_admission(api):
    api.lists["/api/v1/pods"] = [named("a", spec=SPEC)]
    api.lists["/api/v1/serviceaccounts"] = [named("default", automountServiceAccountToken=True)]
    (shop,) = [each for each in (await look(api)).namespaces if each.findings]

    assert shop.findings[0].controls["automountServiceAccountToken"] is State.HELD


@pytest.mark.parametrize("plural", ["limitranges", "resourcequotas", "serviceaccounts", "namespaces"])
async def test_facts_that_cannot_be_read_are_named_and_the_pods_are_judged_without(api, plural):
    api.lists["/api/v1/pods"] = [named("a", spec=SPEC)]
    api.refusals[f"/api/v1/{plural}"].append(403)
    report = await look(api)

    (problem,) = report.problems
    assert problem.startswith(f"no right to list {plural}: ")
    assert found(report) == {("Pod", "a"): 1}
    assert report.namespaces[-1].findings[0].controls["resources"] is State.HELD


async def test_named_namespaces_need_no_right_for_the_whole_cluster(api):
    inside = "/api/v1/namespaces/shop"
    api.objects[inside] = {**named("shop", ""), "kind": "Namespace"}
    for plural in ("limitranges", "resourcequotas", "serviceaccounts"):
        api.lists[f"{inside}/{plural}"] = []
    api.lists[f"{inside}/pods"] = [named("a", spec=SPEC)]
    for group, plurals in (("apps", ("deployments", "statefulsets", "daemonsets")), ("batch", ("cronjobs",))):
        for plural in plurals:
            api.lists[f"/apis/{group}/v1/namespaces/shop/{plural}"] = []
    report = await look(api, "shop", "nowhere", "shop")

    assert found(report) == {("Pod", "a"): 1}
    assert report.problems == ("there is no namespace nowhere",)
    assert all("/namespaces/" in path or path == "/version" for _, path, _ in api.asked)
    assert report.namespaces[0].findings[0].controls["resources"] is State.UNHARDENED


async def test_pods_of_one_namespace_that_must_not_be_read_leave_those_of_the_others(api):
    for name in ("shop", "closed"):
        api.lists[f"/api/v1/namespaces/{name}/pods"] = [named("a", name, spec=SPEC)]
    api.refusals["/api/v1/namespaces/closed/pods"].append(403)
    api.refusals["/api/v1/namespaces/shop"].append(403)
    api.refusals["/api/v1/namespaces/closed"].append(403)
    report = await look(api, "shop", "closed")

    assert found(report) == {("Pod", "a"): 1}
    assert "no right to list pods in namespace closed" in report.problems
    assert any(problem.startswith("namespace shop: no right to get it: ") for problem in report.problems)


@pytest.mark.parametrize(("status", "is_told"), [(401, True), (403, False)])
async def test_whoever_is_not_known_there_is_told_at_once(api, status, is_told):
    api.refusals["/version"].extend([status, status])
    survey = Survey(credentials_for(api.url))

    if not is_told:
        async with survey:
            return
    with pytest.raises(StartError, match=r"cannot be reached: .*401"):
        await survey.__aenter__()


@pytest.mark.parametrize("answer", [{"data": {"a": 7}}, None])
async def test_a_config_map_that_cannot_be_read_is_told(api, answer):
    path = "/api/v1/namespaces/n/configmaps/c"
    if answer is not None:
        api.objects[path] = answer
    async with Survey(credentials_for(api.url)) as survey:
        with pytest.raises(StartError, match="the ConfigMap n/c cannot be read"):
            await survey.config_map("n", "c")


REPORTS = "/apis/wgpolicyk8s.io/v1alpha2/namespaces/{}/policyreports/hardener"


async def test_reports_are_applied_by_server_side_apply_and_others_stay(api):
    api.lists["/api/v1/pods"] = [named("a", spec=SPEC)]
    api.lists["/api/v1/namespaces"].append(named("foreign", ""))
    api.objects["/apis/wgpolicyk8s.io/v1alpha2"] = {"resources": [{"name": "policyreports"}]}
    ours = {"metadata": {"labels": {"app.kubernetes.io/managed-by": "hardener"}}}
    api.objects |= {REPORTS.format("empty"): ours, REPORTS.format("foreign"): {"metadata": {}}}
    written, problems = await PolicyReports(credentials_for(api.url)).write(await look(api))

    assert (written, problems) == (1, [])
    applied = f"{REPORTS.format('shop')} application/apply-patch+yaml fieldManager=hardener&force=true"
    assert api.bodies[applied]["summary"]["fail"] == 7
    assert REPORTS.format("empty") not in api.objects
    assert REPORTS.format("foreign") in api.objects


@pytest.mark.parametrize(
    ("status", "words"), [(403, "no right to write policyreports.wgpolicyk8s.io"), (500, "is not written")]
)
async def test_a_report_that_is_not_written_is_told(api, status, words):
    api.lists["/api/v1/pods"] = [named("a", spec=SPEC)]
    api.objects["/apis/wgpolicyk8s.io/v1alpha2"] = {"resources": [{"name": "policyreports"}]}
    api.refusals[REPORTS.format("shop")].append(status)
    written, problems = await PolicyReports(credentials_for(api.url)).write(await look(api))

    assert written == 0
    assert [words in problem for problem in problems] == [True]


async def test_reports_have_nowhere_to_go_in_a_cluster_that_knows_neither_kind(api):
    with pytest.raises(StartError, match="neither policyreports"):
        await PolicyReports(credentials_for(api.url)).write(await look(api))
