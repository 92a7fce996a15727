"""What the answers to whole reviews count in the metrics."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from hardener.admission import Answer, Explained, Explanation, Result, decode, decode_workload, explain, respond
from hardener.controls import CATALOGUE
from hardener.metrics import MOST_NAMESPACES, OTHER_NAMESPACES
from hardener.model import STANDALONE, UNKNOWN, Facts
from hardener.policy.config import POLICY_LABEL, Config
from hardener.policy.opt_out import SOON_DAYS, UNTIL
from tests.admission.reviews import POD, request
from tests.counted import Counted
from tests.pods import TODAY, opted_out
from tests.policy.configs import read

DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {"template": {"spec": {"containers": [{"name": "app", "image": "web:1"}]}}},
}


def reviewed(obj=POD, config="", facts: Facts = STANDALONE, **changes) -> Answer:
    """The answer to a review of a pod, under a configuration that is given as text or ready."""
    return respond(decode(request(obj, **changes)), ready(config), facts, TODAY)


def explained(obj=DEPLOYMENT, config="", **changes) -> Explanation:
    """The explanation of a workload, in the same way."""
    kind = {"group": "apps", "version": "v1", "kind": "Deployment"}
    review = decode_workload(request(obj, **{"kind": kind, **changes}))
    return explain(review, ready(config), STANDALONE, TODAY)


def ready(config: str | Config) -> Config:
    return config if isinstance(config, Config) else read(config)


def failing(config: str) -> Config:
    """A configuration under which one control fails."""
    made = read(config)
    broken = tuple(
        replace(each, control=replace(each.control, apply=fail)) if each.control.name == "capabilities" else each
        for each in made.default.controls
    )
    return replace(made, default=replace(made.default, controls=broken))


def fail(*_):
    raise RuntimeError


@pytest.mark.parametrize(
    ("review", "labels"),
    [
        (reviewed, ("standard", "patched")),
        (lambda: reviewed(config="default: observe"), ("observe", "announced")),
        (lambda: reviewed(config="default: none"), ("none", "unchanged")),
        (lambda: reviewed(config="exempt: {usernames: [alice]}"), ("standard", "exempt")),
        (lambda: reviewed(operation="UPDATE"), ("", "ignored")),
        (lambda: reviewed({"spec": 7}), ("", "misfit")),
        (lambda: reviewed(config=failing("")), ("standard", "failed")),
        (lambda: reviewed(config=failing("onError: deny")), ("standard", "denied")),
    ],
)
def test_every_result_of_a_review_is_counted_under_its_policy(review, labels):
    assert Counted(review())["hardener_reviews_total"] == {labels: 1}


def test_a_pod_that_only_gets_the_annotations_is_unchanged():
    right = {**POD, "spec": {"containers": [{"name": "a", "securityContext": {"capabilities": {"drop": ["ALL"]}}}]}}

    answer = reviewed(right, "policies: {p: {extends: none, controls: {capabilities: {}}}}\ndefault: p")

    assert answer.operations
    assert Counted(answer)["hardener_reviews_total"] == {("p", "unchanged"): 1}
    assert Counted(answer)["hardener_controls_total"] == {("capabilities", "unchanged", "p"): 1}


def test_without_the_flag_no_namespace_is_counted():
    assert Counted(reviewed())["hardener_namespace_reviews_total"] == {}


def test_with_the_flag_reviews_are_counted_by_namespace():
    counted = Counted(reviewed(), by_namespace=True)
    counted.metrics.observe(reviewed(config="default: observe"), "team-a", 0.0003)
    counted.metrics.observe(reviewed(), "team-a", 0.0003)

    assert counted["hardener_namespace_reviews_total"] == {
        ("shop", "patched"): 1,
        ("team-a", "announced"): 1,
        ("team-a", "patched"): 1,
    }


def test_namespaces_beyond_a_bound_are_counted_together():
    counted = Counted(by_namespace=True)
    answer = Answer("uid", Result.IGNORED)
    for number in range(MOST_NAMESPACES + 5):
        counted.metrics.observe(answer, f"n{number}", 0.0003)
    counted.metrics.observe(answer, "n0", 0.0003)

    values = counted["hardener_namespace_reviews_total"]
    assert len(values) == MOST_NAMESPACES + 1
    assert values[OTHER_NAMESPACES, "ignored"] == 5
    assert values["n0", "ignored"] == 2
    assert not any((f"n{MOST_NAMESPACES}", result) in values for result in Result)


def test_no_namespace_can_be_called_as_all_others_are():
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", OTHER_NAMESPACES) is None


def test_exempt_pods_and_containers_are_counted_by_the_line_that_exempts_them():
    config = """
        exempt:
          groups: [ops]
          priorityClasses: [a, system-node-critical]
          containers:
          - {name: istio-proxy, image: "docker.io/istio/proxyv2:*"}
        """
    sidecars = [{"name": "app"}, {"name": "istio-proxy", "image": "istio/proxyv2:1"}]
    counted = Counted(
        reviewed(config=config, userInfo={"username": "bob", "groups": ["people", "ops"]}),
        reviewed({**POD, "spec": {**POD["spec"], "priorityClassName": "system-node-critical"}}, config),
        reviewed({**POD, "spec": {"containers": sidecars}}, config),
        reviewed({**POD, "spec": {"containers": sidecars}}, config),
        reviewed(config=config),
    )

    assert counted["hardener_exemptions_total"] == {
        ("exempt.groups[0]",): 1,
        ("exempt.priorityClasses[1]",): 1,
        ("exempt.containers[0]",): 2,
    }


def test_doubts_are_counted_by_their_cause():
    label = Facts(labels={POLICY_LABEL: "whatever"})
    rules = "namespaces: [{matchLabels: {a: b}, policy: none}]"
    counted = Counted(
        reviewed(facts=label),
        reviewed(facts=Facts(labels={POLICY_LABEL: "something else"})),
        reviewed(config=rules, facts=UNKNOWN),
        reviewed(config=rules, facts=Facts(labels={"a": "c"})),
    )

    assert counted["hardener_doubts_total"] == {("refused-label",): 2, ("unknown-labels",): 1}
    assert counted["hardener_reviews_total"] == {("standard", "patched"): 3, ("standard", "announced"): 1}


def ending_in(days: int, words: str = "capabilities"):
    obj = opted_out({**POD}, words)
    obj["metadata"]["annotations"][UNTIL] = (TODAY + timedelta(days=days)).isoformat()
    return reviewed(obj)


def test_opt_outs_that_end_soon_are_counted_by_control_at_each_pod():
    counted = Counted(
        ending_in(SOON_DAYS, "capabilities, resources"), ending_in(0), ending_in(SOON_DAYS + 1), ending_in(-1)
    )

    assert counted["hardener_opt_outs_ending_total"] == {("capabilities",): 2, ("resources",): 1}
    assert counted["hardener_opt_outs_total"] == {
        ("accepted", "capabilities"): 3,
        ("accepted", "resources"): 1,
        ("expired", "capabilities"): 1,
    }


def test_the_controls_of_opt_outs_are_the_known_ones_whatever_people_write():
    words = ["*", "**", "capabilities", "x" * 100, " ".join(f"w{number}" for number in range(300)), "resources,", "\n"]
    configs = ["", "policies: {p: {optOut: {controls: none}}}\ndefault: p"]
    counted = Counted(*(reviewed(opted_out({**POD}, word), config) for word in words for config in configs))

    controls = {control for _, control in counted["hardener_opt_outs_total"]}
    assert controls == {*CATALOGUE, "unknown", "*"}


def test_warnings_are_counted_by_the_endpoint_that_sends_them():
    counted = Counted(reviewed(opted_out({**POD}, "nonsense")), reviewed())
    told = explained()
    counted.metrics.observe_explanation(told, 0.0003)

    assert counted["hardener_warnings_total"] == {("mutate",): 1, ("explain",): len(told.warnings)}
    assert told.warnings


@pytest.mark.parametrize(
    ("review", "result"),
    [
        ({}, Explained.EXPLAINED),
        ({"operation": "UPDATE", "oldObject": DEPLOYMENT}, Explained.UNCHANGED),
        ({"userInfo": {"username": "system:kube-controller-manager"}}, Explained.SPARED),
        ({"operation": "DELETE"}, Explained.IGNORED),
        ({"obj": {**DEPLOYMENT, "spec": 7}}, Explained.MISFIT),
    ],
)
def test_every_result_of_an_explanation_is_counted(review, result):
    counted = Counted()
    counted.metrics.observe_explanation(explained(**review), 0.0003)

    assert counted["hardener_explanations_total"] == {(result.value,): 1}
    assert counted["hardener_reviews_total"] == {}
    assert counted["hardener_explanation_duration_seconds_count"] == {(): 1}
    assert counted["hardener_review_duration_seconds_count"] == {(): 0}


def test_a_control_that_fails_in_an_explanation_is_an_internal_error():
    counted = Counted()
    counted.metrics.observe_explanation(explained(config=failing("")), 0.0003)

    assert counted["hardener_explanations_total"] == {("failed",): 1}
    assert counted["hardener_internal_errors_total"] == {("capabilities",): 1}


def test_an_explanation_that_fails_is_an_internal_error(monkeypatch):
    monkeypatch.setattr("hardener.admission.workload.harden", fail)
    counted = Counted()
    counted.metrics.observe_explanation(explained(), 0.0003)

    assert counted["hardener_explanations_total"] == {("failed",): 1}
    assert counted["hardener_internal_errors_total"] == {("engine",): 1}
