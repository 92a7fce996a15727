"""Traps of what a namespace asks of its pods: PodSecurity, quotas, LimitRanges (semantics.md 3.5, 5.2)."""

from datetime import UTC, datetime
from decimal import Decimal

import orjson

from hardener.admission import decode, respond
from hardener.model import Facts, LimitRange, Quota
from hardener.policy.reading import embedded_config
from tests.e2e.double import allow, patching
from tests.e2e.traps.bench import pod
from tests.e2e.waiting import eventually
from tests.traps.rows import rows

MEBIBYTE = Decimal(1024) ** 2
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


def informed(facts):
    """The answer that hardener gives where it knows these facts of the namespace."""

    def answer(review):
        made = respond(decode(orjson.dumps(review)), embedded_config(), facts, datetime.now(UTC).date())
        return allow(review, made.operations)

    return answer


def test_trap_05_the_literal_all_is_what_podsecurity_asks_for(bench, answers):
    row = next(row for row in rows() if row.trap == 5)
    others = {
        "allowPrivilegeEscalation": False,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    # Something is dropped already, it seems, and so that is left as it is.
    answers["/once"] = patching(
        *[
            {"op": "add", "path": f"/spec/containers/{index}/securityContext/{field}", "value": value}
            for index, _ in enumerate(row.pod["spec"]["containers"])
            for field, value in others.items()
        ]
    )
    ours = bench.send(row, bench.namespace(ours="pods", labels=RESTRICTED))
    naive = bench.send(row, bench.namespace(naive="once", labels=RESTRICTED))

    assert (ours.status, ours.message) == (201, "")
    assert (naive.status, naive.message) == (
        403,
        'pods "web" is forbidden: violates PodSecurity "restricted:latest": unrestricted capabilities '
        '(containers "app", "prefixed", "one" must set securityContext.capabilities.drop=["ALL"])',
    )


def with_object(bench, plural, obj):
    """A plain, a naive and a hardened namespace that have the object."""
    found = [bench.namespace(), bench.namespace(naive="once"), bench.namespace(ours="pods")]
    for namespace in found:
        made = bench.cluster.request("POST", f"/api/v1/namespaces/{namespace}/{plural}", obj)
        assert made.status == 201, made.body
    return found


def add(container, **amounts):
    path = f"/spec/containers/{container}/resources"
    return [{"op": "add", "path": f"{path}/{half}", "value": values} for half, values in amounts.items()]


def two(first, second):
    """A pod with two containers that name these resources."""
    named = [{"name": "c1", "image": "web", "resources": first}, {"name": "c2", "image": "web", "resources": second}]
    return {"metadata": {"name": "web"}, "spec": {"containers": named}}


def judge(bench, answers, asked, places, patch, facts):
    """Send a pod plainly, naively, to a webhook without facts, and to one that knows them."""
    plain, naive, ours = places
    answers["/once"] = patching(*patch)
    replies = [bench.create(asked, plain), bench.create(asked, naive), bench.create(asked, ours)]
    answers["/once"] = informed(facts)
    return [*replies, bench.create(asked, naive)]


def test_trap_56_a_best_effort_pod_is_not_moved_under_a_quota(bench, answers):
    spec = {"hard": {"pods": "0"}, "scopes": ["NotBestEffort"]}
    places = with_object(bench, "resourcequotas", {"metadata": {"name": "burst"}, "spec": spec})
    burstable = two({"requests": {"cpu": "1"}}, {})
    for namespace in places:
        # Until the controller has counted, the quota refuses nothing, or all.
        eventually(lambda ns=namespace: "exceeded quota" in bench.create(burstable, ns).message)

    facts = Facts(quotas=(Quota(frozenset({"NotBestEffort"}), frozenset({"pods"})),))
    plain, naive, blind, knowing = judge(
        bench, answers, pod(), places, add(0, requests={"cpu": "50m", "memory": "64Mi"}), facts
    )

    message = 'pods "web" is forbidden: exceeded quota: burst, requested: pods=1, used: pods=0, limited: pods=0'
    assert (plain.status, plain.body.get("status", {}).get("qosClass")) == (201, "BestEffort")
    assert (naive.status, naive.message) == (403, message)
    # Standalone, hardener knows of no quota: `resources` is then a matter of the policy.
    assert (blind.status, blind.message) == (403, message)
    assert knowing.status == 201
    assert knowing.body["spec"]["containers"][0]["resources"] == {}
    assert knowing.body["spec"]["containers"][0]["securityContext"]["runAsNonRoot"] is True


def test_trap_57_no_default_takes_the_pod_above_what_a_limit_range_allows_it(bench, answers):
    spec = {"limits": [{"type": "Pod", "max": {"memory": "1Gi"}}]}
    places = with_object(bench, "limitranges", {"metadata": {"name": "pods"}, "spec": spec})
    c1 = {"requests": {"memory": "512Mi"}, "limits": {"memory": "512Mi"}}
    asked = two(c1, {})
    refused = two({"requests": {"memory": "2Gi"}, "limits": {"memory": "2Gi"}}, {})
    for namespace in places:
        eventually(lambda ns=namespace: bench.create(refused, ns).status == 403)

    facts = Facts(limit_ranges=(LimitRange("Pod", max={"memory": 1024 * MEBIBYTE}),))
    patch = add(1, requests={"memory": "64Mi"}, limits={"memory": "1Gi"})
    plain, naive, blind, knowing = judge(bench, answers, asked, places, patch, facts)

    message = 'pods "web" is forbidden: maximum memory usage per Pod is 1Gi, but limit is 1536Mi'
    assert plain.status == 201
    assert (naive.status, naive.message) == (403, message)
    assert (blind.status, blind.message) == (403, message)
    assert knowing.status == 201
    assert knowing.body["spec"]["containers"][0]["resources"]["limits"] == c1["limits"]
    assert knowing.body["spec"]["containers"][1]["resources"] == {"requests": {"cpu": "50m"}}


def test_trap_58_no_default_below_a_limit_range_s_minimum(bench, answers):
    spec = {"limits": [{"type": "Container", "min": {"memory": "256Mi"}}]}
    places = with_object(bench, "limitranges", {"metadata": {"name": "least"}, "spec": spec})
    small = two({"requests": {"memory": "1Mi"}}, {})
    for namespace in places:
        eventually(lambda ns=namespace: bench.create(small, ns).status == 403)

    facts = Facts(limit_ranges=(LimitRange("Container", min={"memory": 256 * MEBIBYTE}),))
    patch = add(0, requests={"memory": "64Mi"}, limits={"memory": "128Mi"})
    plain, naive, blind, knowing = judge(bench, answers, pod(), places, patch, facts)
    answers["/once"] = patching(*add(0, limits={"memory": "128Mi"}))
    limited = bench.create(pod(), places[1])

    # LimitRanger has written the minimum as a request before any webhook, and nothing is missing (semantics.md 9.7).
    assert plain.body["spec"]["containers"][0]["resources"] == {"requests": {"memory": "256Mi"}}
    assert (naive.status, naive.message) == (
        403,
        'pods "web" is forbidden: minimum memory usage per Container is 256Mi, but request is 64Mi',
    )
    assert (limited.status, limited.message) == (
        422,
        'Pod "web" is invalid: spec.containers[0].resources.requests: Invalid value: "256Mi": '
        "must be less than or equal to memory limit of 128Mi",
    )
    for reply in (blind, knowing):
        assert reply.status == 201
        assert reply.body["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "50m", "memory": "256Mi"}}
