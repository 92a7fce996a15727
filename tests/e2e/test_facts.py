"""The real webhook, with the rights that it needs and no more, does not get a pod refused by its namespace's own limits."""

import json
from copy import deepcopy

import pytest
import yaml

from hardener.controls.automount_service_account_token import ACCOUNT_SAYS_TRUE
from hardener.controls.resources import LIMIT_RANGE, QUOTA
from tests.deploy.chart import INSTALL, objects, the
from tests.e2e.accounts import FACTS, RESOURCES, account
from tests.e2e.hardening import is_hardened, lacking
from tests.e2e.installation import Installation
from tests.e2e.neighbours import INJECTED, Neighbours, once
from tests.e2e.registration import LABEL
from tests.e2e.stand_in import pods
from tests.e2e.waiting import eventually
from tests.e2e.webhook import ROOT
from tests.pod_json import spec

CONFIG = """\
apiVersion: hardener.dev/v1
kind: HardenerConfig
namespaces:
- matchLabels: {tier: sandbox}
  policy: none
selectable: [observe, compatible, standard]
"""
MERGE = "application/merge-patch+json"
SKIPPED = "hardener.dev/skipped"
POLICY = "hardener.dev/policy"
DEFAULTS = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "1Gi"}}


def pod(*resources, name="web"):
    """A pod with a container for each of these resources."""
    containers = [{"name": f"c{at}", "image": "web:1", "resources": each} for at, each in enumerate(resources, start=1)]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": containers}}


def limit_range(name="limits", **limit):
    return {"kind": "LimitRange", "metadata": {"name": name}, "spec": {"limits": [limit]}}


def quota(name="quota", **fields):
    return {"kind": "ResourceQuota", "metadata": {"name": name}, "spec": fields}


@pytest.fixture(scope="module")
def installed(control_plane, tmp_path_factory):
    """Hardener with a service account that may do what the chart grants; nothing that it asks for may be refused."""
    folder = tmp_path_factory.mktemp("facts")
    kubeconfig = account(control_plane, "hardener", FACTS, folder)
    with Installation(control_plane, "facts", folder, CONFIG, kubeconfig=kubeconfig) as started:
        yield started
        for resource in RESOURCES:
            assert started.hardener.count("hardener_cluster_watch_failures_total", resource=resource) == 0
        assert [line for line in started.hardener.log() if line["level"] == "error"] == []


@pytest.fixture(scope="module")
def standalone(control_plane, hardener):
    """Makes namespaces with the webhook of the other tests, which knows no cluster."""
    return lambda: control_plane.make_namespace(labels={LABEL: "true"})


def make(cluster, namespace, obj):
    reply = cluster.request("POST", f"/api/v1/namespaces/{namespace}/{obj['kind'].lower()}s", obj)
    assert reply.ok, reply.message


def tried(cluster, namespace, obj):
    """What would become of a pod."""
    return cluster.request("POST", f"/api/v1/namespaces/{namespace}/pods", obj, query={"dryRun": "All"}, user="dev")


def resources(reply):
    return [container.get("resources", {}) for container in reply.body["spec"]["containers"]]


def skipped(reply):
    return reply.body["metadata"]["annotations"].get(SKIPPED, "")


def rights(role):
    rules = [rule for rule in role["rules"] if rule["apiGroups"] == [""]]
    return {(verb, plural) for rule in rules for plural in rule["resources"] for verb in rule["verbs"]}


def test_the_page_and_the_installation_name_these_rights():
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    block = page.partition("<!-- rights -->\n```yaml\n")[2].partition("```\n<!-- end rights -->")[0]

    assert rights(yaml.safe_load(block)) == FACTS
    assert rights(the("ClusterRole", objects(INSTALL.read_text(encoding="utf-8")))) == FACTS


QUOTA_KNOWN = "a quota is in force as soon as its controller has counted"

REFUSED_STANDALONE = {
    "56: a quota for pods that are not BestEffort": (
        quota(scopes=["NotBestEffort"], hard={"pods": "0"}),
        pod({}),
        f"resources(the pod): {QUOTA}",
    ),
    "56: the same by a selector": (
        quota(
            scopeSelector={"matchExpressions": [{"scopeName": "NotBestEffort", "operator": "Exists"}]},
            hard={"pods": "0"},
        ),
        pod({}, {}),
        f"resources(the pod): {QUOTA}",
    ),
    "57: a LimitRange for the sum of the containers": (
        limit_range(type="Pod", max={"memory": "1Gi"}),
        pod({"limits": {"memory": "512Mi"}}, {}),
        f"resources(the pod): {LIMIT_RANGE}",
    ),
    "57: the sum of three": (
        limit_range(type="Pod", max={"memory": "768Mi"}),
        pod({"limits": {"memory": "512Mi"}}, {"limits": {"memory": "256Mi"}}, {}),
        f"resources(the pod): {LIMIT_RANGE}",
    ),
}


@pytest.mark.parametrize(("obj", "asked", "reason"), REFUSED_STANDALONE.values(), ids=REFUSED_STANDALONE)
def test_what_a_namespaces_limits_refuse_standalone_is_accepted_and_the_reason_told(
    control_plane, installed, standalone, obj, asked, reason
):
    alone, known = standalone(), installed.namespace()
    for namespace in (alone, known):
        make(control_plane, namespace, obj)
    in_force = ("exceeded quota", "maximum memory usage per Pod")
    eventually(
        lambda: any(text in tried(control_plane, alone, asked).message for text in in_force), what="it is in force"
    )

    made = eventually(lambda: told(control_plane, known, asked, reason), what="the facts have come")

    assert made.status == 201
    # What nobody refuses is there.
    assert {control for control, _ in lacking(made.body)} == {"resources"}


def told(cluster, namespace, asked, reason):
    reply = tried(cluster, namespace, asked)
    return reply if reply.ok and reason in skipped(reply) else None


def test_a_container_that_comes_after_the_limit_ranger_gets_no_default_below_the_minimum(
    control_plane, hardener, installed
):
    """Trap 58: LimitRanger gives its minimum to what it sees itself, and to this one when it is called again."""
    minimum = limit_range(type="Container", min={"memory": "256Mi"})
    with Neighbours(control_plane) as neighbours:
        neighbours.add("a-agent", once("agent"))
        known = installed.namespace(**{INJECTED: "a-agent"})
        alone = control_plane.make_namespace(labels={LABEL: "true", INJECTED: "a-agent"})
        for namespace in (known, alone):
            make(control_plane, namespace, minimum)

        refused = eventually(
            lambda: None if (reply := tried(control_plane, alone, pod({}))).ok else reply,
            what="the minimum is in force",
        )
        made = eventually(
            lambda: reply if (reply := tried(control_plane, known, pod({}))).ok else None, what="the facts have come"
        )

    assert "minimum memory usage per Container is 256Mi, but request is 64Mi" in refused.message
    assert resources(made) == [{"requests": {"cpu": "50m", "memory": "256Mi"}}] * 2


def test_defaults_come_as_requests_and_limits_so_that_no_pod_becomes_guaranteed(control_plane, installed):
    """Trap 59."""
    made = tried(control_plane, installed.namespace(), pod({}))

    assert resources(made) == [DEFAULTS]
    assert made.body["status"]["qosClass"] == "Burstable"


def test_a_quota_that_demands_amounts_is_met_by_the_defaults(control_plane, installed, plain_namespace):
    known = installed.namespace()
    for namespace in (known, plain_namespace):
        make(control_plane, namespace, quota(hard={"limits.memory": "4Gi", "requests.cpu": "1"}))

    refused = eventually(
        lambda: reply if "must specify" in (reply := tried(control_plane, plain_namespace, pod({}))).message else None,
        what=QUOTA_KNOWN,
    )
    made = eventually(
        lambda: reply if (reply := tried(control_plane, known, pod({}))).ok else None, what="the quota is counted"
    )

    assert refused.status == 403
    assert resources(made) == [DEFAULTS]


AMOUNTS = ({"memory": "2Gi"}, {"memory": "768Mi"}, {"cpu": "20m"}, {"cpu": "100m", "memory": "1Gi"})
GIVEN = {"default": {"memory": "128Mi", "cpu": "100m"}, "defaultRequest": {"memory": "32Mi", "cpu": "10m"}}
LIMITS = [
    {"type": kind, bound: amounts, **defaults}
    for kind, defaults in (("Container", {}), ("Container", GIVEN), ("Pod", {}))
    for bound in ("min", "max", "maxLimitRequestRatio")
    for amounts in (({"memory": "2"}, {"cpu": "4", "memory": "20"}) if bound == "maxLimitRequestRatio" else AMOUNTS)
]
"""min, max and ratio, of containers and of pods, with defaults and without; some are no valid LimitRange."""

PODS = [
    pod({}),
    pod({}, {}),
    pod({"limits": {"memory": "512Mi"}}, {}),
    pod({"requests": {"memory": "256Mi"}, "limits": {"memory": "512Mi"}}, {}),
    pod({"requests": {"cpu": "100m"}}, {"requests": {"memory": "64Mi"}}),
    pod({"requests": {"cpu": "1", "memory": "64Mi"}, "limits": {"cpu": "1", "memory": "64Mi"}}),
]
MARKER = "the-last-one"


@pytest.fixture(scope="module")
def limited(control_plane, installed):
    """Each LimitRange that the API server takes, with a namespace that has the webhook and one that has not.

    Watches keep their order: where the last LimitRange is in force, all are.
    """
    made = []
    for limit in [*LIMITS, {"type": "Pod", "max": {"memory": "1Mi"}}]:
        obj = limit_range(MARKER, **limit)
        plain = control_plane.make_namespace()
        taken = control_plane.request("POST", f"/api/v1/namespaces/{plain}/limitranges", obj)
        if taken.ok:
            known = installed.namespace()
            make(control_plane, known, obj)
            made.append((limit, known, plain))
    _, known, plain = made.pop()
    bound = pod({"limits": {"memory": "2Mi"}})
    eventually(lambda: "per Pod" in tried(control_plane, plain, bound).message, what="the last LimitRange is in force")
    eventually(
        lambda: LIMIT_RANGE in json.dumps(installed.audited(auditID=tried(control_plane, known, pod({})).audit_id)),
        what="the last LimitRange is known",
    )
    return made


def test_what_a_limit_range_accepts_it_still_accepts(control_plane, limited):
    """P1, for every kind of limit; and the defaults are left out only where it would refuse them."""
    accepted, left_out = 0, 0
    for limit, known, plain in limited:
        for asked in PODS:
            before, after = (tried(control_plane, namespace, asked) for namespace in (plain, known))
            if before.ok:
                accepted += 1
                assert after.ok, (limit, asked, after.message)
                left_out += LIMIT_RANGE in skipped(after)
                for was, now in zip(resources(before), resources(after), strict=True):
                    for kind, amounts in was.items():
                        assert amounts.items() <= now[kind].items(), (limit, asked)

    assert len(limited) >= 18
    assert accepted >= 50
    assert left_out >= 3


def test_an_account_that_asks_for_its_token_keeps_it(control_plane, installed, standalone):
    known, alone = installed.namespace(), standalone()
    for namespace in (known, alone):
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/default"
        reply = control_plane.request("PATCH", path, {"automountServiceAccountToken": True}, content_type=MERGE)
        assert reply.ok, reply.message

    made = eventually(lambda: told(control_plane, known, pod({}), ACCOUNT_SAYS_TRUE), what="the facts have come")

    assert lacking(made.body) == {("automountServiceAccountToken", "the pod")}
    assert is_hardened(tried(control_plane, alone, pod({})).body)


AT_ONCE = """
apiVersion: v1
kind: Namespace
metadata: {{name: {name}, labels: {{{label}: facts{more}}}}}
---
apiVersion: v1
kind: LimitRange
metadata: {{name: limits, namespace: {name}}}
spec: {{limits: [{{type: Pod, max: {{memory: 1Gi}}}}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: {name}}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
      - {{name: c1, image: "web:1", resources: {{limits: {{memory: 512Mi}}}}}}
      - {{name: c2, image: "web:1"}}
"""


@pytest.mark.parametrize("more", ["", ", hardener.dev/policy: compatible", ", tier: sandbox"])
def test_everything_of_one_apply_is_known_to_the_pods_in_it(control_plane, installed, more):
    for number in range(3):
        name = f"at-once-{len(more)}-{number}"
        text = AT_ONCE.format(name=name, label=LABEL, more=more)
        control_plane.kubectl("apply", "-f", "-", input=text)
        (made,) = eventually(lambda now=name: pods(control_plane, now), what="the Deployment has its pod")

        events = control_plane.request("GET", f"/api/v1/namespaces/{name}/events").body["items"]
        assert [event["message"] for event in events if "maximum memory" in event["message"]] == []
        c1, c2 = spec(made)["containers"]
        assert c1["resources"]["limits"] == {"memory": "512Mi"}
        assert "memory" not in c2.get("resources", {}).get("limits", {})
        annotations = made["metadata"].get("annotations", {})
        if "tier" in more:
            assert "securityContext" not in c2
            assert annotations == {}
        else:
            assert c2["securityContext"]["allowPrivilegeEscalation"] is False
            policy = "compatible" if more else "standard"
            assert annotations["hardener.dev/applied-policy"].startswith(f"{policy}@")
            assert ("readOnlyRootFilesystem" in c2["securityContext"]) is (policy == "standard")
    assert installed.hardener.count("hardener_doubts_total", cause="unknown-labels") == 0


def test_a_label_of_a_namespace_changes_its_policy_within_moments(control_plane, installed):
    namespace = installed.namespace()
    asked = pod({})
    assert is_hardened(tried(control_plane, namespace, asked).body)

    def label(text):
        control_plane.kubectl("label", "--overwrite", "namespace", namespace, text)

    def policy():
        annotations = tried(control_plane, namespace, asked).body["metadata"].get("annotations", {})
        return annotations.get("hardener.dev/applied-policy", "").partition("@")[0]

    for text, expected in (
        (f"{POLICY}=observe", ""),
        (f"{POLICY}=compatible", "compatible"),
        (f"{POLICY}-", "standard"),
        ("tier=sandbox", ""),
        ("tier-", "standard"),
    ):
        label(text)
        eventually(lambda now=expected: policy() == now, seconds=5, what=f"{text} is in force")

    label(f"{POLICY}=none")
    refused = f"hardener: the namespace's {POLICY}=none is not selectable: policy standard applies"
    eventually(lambda: refused in tried(control_plane, namespace, asked).warnings, seconds=5, what="it is told")


def test_after_a_restart_the_facts_are_there_before_it_is_ready(control_plane, installed):
    known = installed.namespace()
    asked = deepcopy(REFUSED_STANDALONE["57: a LimitRange for the sum of the containers"][1])
    make(control_plane, known, limit_range(type="Pod", max={"memory": "1Gi"}))
    installed.hardener.restart()

    made = tried(control_plane, known, asked)

    assert made.ok, made.message
    assert LIMIT_RANGE in skipped(made)
