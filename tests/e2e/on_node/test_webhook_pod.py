"""The webhook as a pod among pods: it obeys its own rules, and hardens those of others."""

from datetime import UTC, datetime

import msgspec

from hardener.controls import CATALOGUE
from hardener.engine import harden
from hardener.model import Facts, Pod, PodManifest
from hardener.model.pod import APPLIED, APPLIED_POLICY
from hardener.policy.builtin import BUILTIN
from tests.e2e.on_node.verdict import verdict_on
from tests.e2e.registration import LABEL
from tests.e2e.webhook_pod import NAMESPACE

PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


def own_pod(node):
    (pod,) = node.request("GET", PODS, query={"labelSelector": "app=hardener"}).body["items"]
    return pod


def test_its_engine_finds_nothing_to_change_in_its_own_pod(node):
    pod = Pod(msgspec.convert(own_pod(node), PodManifest))

    outcome = harden(pod, BUILTIN["standard"], Facts(), datetime.now(UTC).date())

    assert {verdict.control for verdict in outcome.verdicts} == set(CATALOGUE)
    assert [each for each in outcome.verdicts if each.writes or each.skips or each.error] == []


def test_a_pod_like_its_own_comes_through_it_unchanged(node):
    template = node.request("GET", f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/hardener").body["spec"][
        "template"
    ]
    pod = {"metadata": {"name": "like-hardener", "labels": template["metadata"]["labels"]}, "spec": template["spec"]}
    plain, hardened = node.make_namespace(), node.make_namespace(labels={LABEL: "true"})

    sent = [
        node.request("POST", f"/api/v1/namespaces/{each}/pods", pod, query={"dryRun": "All"})
        for each in (plain, hardened)
    ]

    assert [reply.status for reply in sent] == [201, 201]
    assert sent[0].body["spec"] == sent[1].body["spec"]
    assert sent[1].body["metadata"]["annotations"] == {
        APPLIED_POLICY: BUILTIN["standard"].label,
        APPLIED: ",".join(CATALOGUE),
    }


def test_it_hardens_the_pods_of_a_deployment_and_they_run(node):
    namespace = node.make_namespace(labels={LABEL: "true"})
    created = node.kubectl(
        "create", "deployment", "web", "--image=localhost/app:uid1000", "--replicas=2", "-n", namespace, user="dev"
    )
    node.kubectl("rollout", "status", "deployment/web", "--timeout=50s", "-n", namespace, user="dev")
    pods = node.request("GET", f"/api/v1/namespaces/{namespace}/pods").body["items"]

    assert "Warning: hardener: will set " in created.stderr
    assert len(pods) == 2
    for pod in pods:
        report = verdict_on(node, namespace, pod["metadata"]["name"]).reports["app"]
        assert report == {
            "CapEff": "0000000000000000",
            "NoNewPrivs": "1",
            "Seccomp": "2",
            "root": "ro",
            "tmp": "writable",
            "token": "absent",
        }


def test_its_log_holds_no_error(node):
    name = own_pod(node)["metadata"]["name"]
    lines = [msgspec.json.decode(line) for line in node.request("GET", f"{PODS}/{name}/log").text.splitlines()]

    assert lines
    assert [line for line in lines if line["level"] not in ("info", "warning")] == []
