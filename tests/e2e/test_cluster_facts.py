"""What hardener knows of a real cluster: as its API server lists, watches, answers and forgets."""

import asyncio
import json
import urllib.request
from datetime import UTC, datetime

import pytest
import yaml

from hardener.cluster import Bounds, Cluster, credentials
from hardener.engine import harden
from hardener.model import UNKNOWN, Facts, LimitRange, Mode, Quota, parse_quantity
from hardener.patch import render
from tests.cluster.parts import Lines
from tests.e2e.accounts import FACTS, account
from tests.e2e.conftest import kubernetes_version
from tests.e2e.control_plane import ControlPlane
from tests.e2e.double import allow
from tests.e2e.registration import register, webhook_configuration
from tests.pods import STANDARD, view
from tests.server.serving import until

LABEL = "e2e.hardener.dev/facts"
PATH = "/facts"

POD_LIMIT = {"limits": [{"type": "Pod", "max": {"memory": "1Gi"}}]}

AT_ONCE = """
apiVersion: v1
kind: Namespace
metadata: {{name: {name}, labels: {{{label}: "true", team: a}}}}
---
apiVersion: v1
kind: LimitRange
metadata: {{name: limits, namespace: {name}}}
spec: {{limits: [{{type: Pod, max: {{memory: 1Gi}}}}]}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {{name: quota, namespace: {name}}}
spec: {{hard: {{configmaps: "10"}}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {{name: robot, namespace: {name}}}
automountServiceAccountToken: true
---
apiVersion: v1
kind: Pod
metadata: {{name: web, namespace: {name}}}
spec:
  serviceAccountName: robot
  containers:
  - {{name: c1, image: web, resources: {{requests: {{memory: 512Mi}}, limits: {{memory: 512Mi}}}}}}
  - {{name: c2, image: web}}
"""


@pytest.fixture
async def watch(control_plane):
    """Starts clusters with the admin's kubeconfig, or another, and these bounds."""
    started = []

    async def begin(kubeconfig=None, log=None, wait=True, **bounds):
        cluster = Cluster(
            credentials(kubeconfig or control_plane.kubeconfig),
            log=log,
            bounds=Bounds(**{"ask_seconds": 5.0, **bounds}),
        )
        await cluster.start()
        started.append(cluster)
        assert not wait or await cluster.wait_until_synced(30), cluster.status()
        return cluster

    yield begin
    for cluster in started:
        await cluster.close()


@pytest.fixture
def make(control_plane):
    """Makes objects, in a thread, so that watches go on meanwhile."""

    async def send(path, body=None, method="POST", **query):
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        reply = await asyncio.to_thread(
            control_plane.request, method, path, body, content_type=kind, query=query or None
        )
        assert reply.ok, reply.body
        return reply.body

    return send


async def test_facts_follow_the_api_server(watch, make, control_plane):
    before = await asyncio.to_thread(control_plane.make_namespace, labels={"team": "a"})
    # Pages of two make the API server hand out tokens.
    cluster = await watch(page_items=2)
    assert cluster.facts(before).known
    assert cluster.facts(before).labels == {"kubernetes.io/metadata.name": before, "team": "a"}
    inside = f"/api/v1/namespaces/{before}"
    await make(
        f"{inside}/limitranges",
        {
            "metadata": {"name": "limits"},
            "spec": {
                "limits": [
                    {
                        "type": "Container",
                        "min": {"cpu": "0.1"},
                        "max": {"memory": "1Gi"},
                        "maxLimitRequestRatio": {"memory": "1.5"},
                    },
                    {"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}},
                ]
            },
        },
    )
    selector = {"matchExpressions": [{"scopeName": "NotBestEffort", "operator": "Exists"}]}
    await make(
        f"{inside}/resourcequotas",
        {"metadata": {"name": "a"}, "spec": {"hard": {"pods": "3"}, "scopeSelector": selector}},
    )
    await make(
        f"{inside}/resourcequotas",
        {"metadata": {"name": "b"}, "spec": {"hard": {"pods": "9"}, "scopes": ["BestEffort"]}},
    )
    await make(f"{inside}/serviceaccounts", {"metadata": {"name": "robot"}, "automountServiceAccountToken": True})
    expected = Facts(
        labels={"kubernetes.io/metadata.name": before, "team": "a"},
        limit_ranges=(
            LimitRange(
                "Container", {"cpu": parse_quantity("100m")}, {"memory": 1024**3}, {"memory": parse_quantity("1500m")}
            ),
        ),
        quotas=(
            Quota(frozenset({"NotBestEffort"}), frozenset({"pods"})),
            Quota(frozenset({"BestEffort"}), frozenset({"pods"})),
        ),
        token_accounts=frozenset({"robot"}),
    )
    await until(lambda: cluster.facts(before) == expected)
    await make(inside, {"metadata": {"labels": {"team": "b"}}}, "PATCH")
    await make(f"{inside}/serviceaccounts/robot", {"automountServiceAccountToken": False}, "PATCH")
    await make(f"{inside}/limitranges/limits", method="DELETE")
    await until(lambda: cluster.facts(before).labels["team"] == "b")
    await until(lambda: not cluster.facts(before).token_accounts and not cluster.facts(before).limit_ranges)
    await make(inside, method="DELETE")
    await until(lambda: cluster.facts(before) is UNKNOWN, seconds=30)
    assert {(each.lists, each.failures) for each in cluster.status().watches} == {(1, 0)}


async def test_everything_of_a_file_is_known_to_the_pod_in_it(watch, control_plane, double):
    """`kubectl apply` of a namespace, its LimitRange and a pod: no default may take the pod above the limit."""
    cluster = await watch()
    loop, seen = asyncio.get_running_loop(), []

    async def learn(namespace):
        facts = cluster.facts(namespace)
        return facts if facts.known else await cluster.ask(namespace)

    def answer(review):
        namespace = review["request"]["namespace"]
        facts = asyncio.run_coroutine_threadsafe(learn(namespace), loop).result(30)
        seen.append(facts)
        outcome = harden(view(review["request"]["object"]), STANDARD, facts, datetime.now(UTC).date())
        return allow(review, render(outcome.writes(Mode.ENFORCE)))

    double.answers[PATH] = answer
    selector = {"matchLabels": {LABEL: "true"}}
    configuration = webhook_configuration(
        "facts", double.url, double.ca_bundle, path=PATH, namespace_selector=selector, timeout=10
    )
    await asyncio.to_thread(register, control_plane, configuration)
    seen.clear()
    asked = cluster.status().asked
    for number in range(8):
        name = f"at-once-{number}"
        text = AT_ONCE.format(name=name, label=LABEL)
        await asyncio.to_thread(control_plane.kubectl, "apply", "-f", "-", input=text)
        made = json.loads(
            (await asyncio.to_thread(control_plane.kubectl, "get", "pod", "web", "-n", name, "-o", "json")).stdout
        )
        c1, c2 = made["spec"]["containers"]
        assert c1["resources"]["limits"] == {"memory": "512Mi"}
        assert c2["resources"] == {"requests": {"cpu": "50m"}}
        assert c2["securityContext"]["allowPrivilegeEscalation"] is False
    assert len(seen) == 8
    assert {facts.known for facts in seen} == {True}
    assert {len(facts.limit_ranges) for facts in seen} == {1}
    assert {facts.quotas for facts in seen} == {(Quota(hard=frozenset({"configmaps"})),)}
    assert {facts.token_accounts for facts in seen} == {frozenset({"robot"})}
    assert {facts.labels["team"] for facts in seen} == {"a"}
    # Each of them was too young to be known from the watches.
    assert cluster.status().asked - asked == 8
    assert cluster.status().unanswered == 0


async def test_without_facts_such_a_pod_is_refused(make, control_plane):
    """What the test before this one would look like if the LimitRange were not known."""
    namespace = await asyncio.to_thread(control_plane.make_namespace)
    await make(f"/api/v1/namespaces/{namespace}/limitranges", {"metadata": {"name": "limits"}, "spec": POD_LIMIT})
    pod = list(yaml.safe_load_all(AT_ONCE.format(name=namespace, label=LABEL)))[-1]
    del pod["spec"]["serviceAccountName"]
    pod["spec"]["containers"][1]["resources"] = {"requests": {"memory": "64Mi"}, "limits": {"memory": "1Gi"}}
    reply = await asyncio.to_thread(control_plane.request, "POST", f"/api/v1/namespaces/{namespace}/pods", pod)
    assert (reply.status, "maximum memory usage per Pod is 1Gi" in reply.message) == (403, True)


async def test_a_namespace_that_is_not_there_is_unknown(watch):
    cluster = await watch()
    assert await cluster.ask("nowhere") is UNKNOWN
    assert (cluster.status().missing, cluster.status().unanswered) == (1, 0)


@pytest.fixture
def uncached(request):
    """A control plane without the watch cache: no bookmarks, and what etcd has compacted is gone at once."""
    flags = ["--watch-cache=false"]
    with ControlPlane(controllers=False, api_flags=flags, version=kubernetes_version(request.config)) as started:
        yield started


def compact(control_plane):
    """Have etcd forget everything but what is there now."""
    revision = control_plane.request("GET", "/api/v1/limitranges").body["metadata"]["resourceVersion"]
    body = json.dumps({"revision": revision, "physical": True}).encode()
    etcd = f"http://127.0.0.1:{control_plane._ports[1].number}/v3/kv/compaction"
    with urllib.request.urlopen(urllib.request.Request(etcd, body), timeout=30) as answer:
        assert answer.status == 200


async def test_a_position_that_is_too_old_has_everything_listed_anew(uncached, watch):
    lines = Lines()
    cluster = await watch(uncached.kubeconfig, log=lines, watch_seconds=1.0)
    for name in ("early", "late"):
        await asyncio.to_thread(uncached.request, "POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    await asyncio.to_thread(compact, uncached)
    await until(lambda: cluster.status().watches[1].lists > 1, seconds=30)
    spec = {"metadata": {"name": "limits"}, "spec": POD_LIMIT}
    await asyncio.to_thread(uncached.request, "POST", "/api/v1/namespaces/late/limitranges", spec)
    await until(lambda: cluster.facts("late").limit_ranges)
    assert [each.failures for each in cluster.status().watches] == [0, 0, 0, 0]
    assert lines.written == []


async def test_bookmarks_move_a_watch_on_which_nothing_happens(watch, make):
    cluster = await watch(watch_seconds=3.0)
    table = cluster._tables.quotas
    made = await make("/api/v1/namespaces", {"metadata": {"generateName": "test-"}})
    version = int(made["metadata"]["resourceVersion"])
    assert version > table.position
    # The API server looks how far it is when it is asked, and about once a minute.
    await make("/api/v1/resourcequotas", method="GET")
    await until(lambda: table.position >= version, seconds=60)
    assert cluster.status().watches[2].lists == 1


@pytest.fixture
def allowed(control_plane, tmp_path):
    """Makes a service account that may do just this, and returns its kubeconfig."""

    async def grant(name, rights):
        return await asyncio.to_thread(account, control_plane, name, rights, tmp_path)

    return grant


async def test_these_rights_are_enough(watch, allowed, make):
    cluster = await watch(await allowed("enough", FACTS))
    name = (await make("/api/v1/namespaces", {"metadata": {"generateName": "test-"}}))["metadata"]["name"]
    assert (await cluster.ask(name)).known
    assert await cluster.ask("nowhere") is UNKNOWN
    inside = f"/api/v1/namespaces/{name}"
    await make(inside, {"metadata": {"labels": {"team": "a"}}}, "PATCH")
    await make(f"{inside}/limitranges", {"metadata": {"name": "limits"}, "spec": POD_LIMIT})
    await make(f"{inside}/resourcequotas", {"metadata": {"name": "quota"}, "spec": {"hard": {"pods": "3"}}})
    await make(f"{inside}/serviceaccounts", {"metadata": {"name": "robot"}, "automountServiceAccountToken": True})
    await until(lambda: cluster.facts(name).limit_ranges and cluster.facts(name).quotas)
    await until(lambda: cluster.facts(name).token_accounts and "team" in cluster.facts(name).labels)
    status = cluster.status()
    assert {(each.synced, each.lists, each.failures, each.reason) for each in status.watches} == {(True, 1, 0, "")}
    assert (status.asked, status.missing, status.unanswered) == (2, 1, 0)


@pytest.mark.parametrize(("verb", "plural"), sorted(FACTS - {("get", "namespaces")}))
async def test_without_one_of_them_the_status_says_which(watch, allowed, verb, plural):
    cluster = await watch(await allowed(f"no-{verb}-{plural}", FACTS - {(verb, plural)}), wait=False)
    await until(lambda: any(each.reason for each in cluster.status().watches), seconds=30)
    reasons = {each.resource: each.reason for each in cluster.status().watches if each.reason}
    assert list(reasons) == [plural]
    assert f'cannot {verb} resource "{plural}"' in reasons[plural]


async def test_without_the_right_to_get_namespaces_none_can_be_asked_for(watch, allowed, control_plane):
    lines = Lines()
    cluster = await watch(await allowed("no-get", FACTS - {("get", "namespaces")}), log=lines)
    assert not (await cluster.ask("nowhere")).known
    assert cluster.status().unanswered == 1
    assert 'cannot get resource "namespaces"' in lines.written[0][2]["reason"]
