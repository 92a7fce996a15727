"""How a namespace's labels choose its policy, and what is said where they cannot."""

from dataclasses import replace

import pytest

from hardener.admission import Result, decode, respond
from hardener.model import STANDALONE, UNKNOWN, Facts
from hardener.policy.config import POLICY_LABEL
from hardener.server.counting import Metrics
from tests.admission.asking import annotated, ask, ask_explain, config, hardened
from tests.admission.reviews import POD, patch, request, workload, workload_request
from tests.pods import TODAY

RULES = """\
policies:
  strict: {warnings: changes}
  gentle: {extends: compatible}
  trial: {mode: dry-run, warnings: problems}
namespaces:
- {names: [kube-system], policy: none}
- {matchLabels: {environment: production}, policy: strict}
- {names: ["team-*"], policy: gentle}
default: trial
"""
LABELLED = config(f"{RULES}selectable: [strict, gentle]\n")
UNLABELLED = config(RULES)

REFUSED = "the namespace's hardener.dev/policy={label} is not selectable: policy {policy} applies"
NOT_KNOWN = "the namespace's labels are not known yet: nothing is enforced"


def facts(**labels):
    return Facts(labels={POLICY_LABEL if key == "policy" else key: value for key, value in labels.items()})


def chosen(with_config, with_facts, namespace="shop"):
    """The name of the policy that decides about a pod."""
    _, answer = ask(request(namespace=namespace), with_config, with_facts)
    return answer["auditAnnotations"]["policy"].partition("@")[0]


def counted(with_config, with_facts):
    """What is counted of a pod's doubt, by cause."""
    metrics = Metrics()
    metrics.observe(respond(decode(request()), with_config, with_facts, TODAY), "shop", 0.001)
    return {
        sample.labels["cause"]: sample.value
        for family in metrics.registry.collect()
        for sample in family.samples
        if sample.name == "hardener_doubts_total"
    }


@pytest.mark.parametrize("label", ["strict", "gentle"])
def test_the_label_chooses_a_selectable_policy_before_any_rule(label):
    assert chosen(LABELLED, facts(policy=label, environment="production")) == label
    assert chosen(LABELLED, facts(policy=label), "team-a") == label
    assert counted(LABELLED, facts(policy=label)) == {}
    assert "doubt" not in ask(request(), LABELLED, facts(policy=label))[1]["auditAnnotations"]


@pytest.mark.parametrize("label", ["trial", "none", "standard", "Strict", "strict ", "", "nonsense"])
def test_another_value_falls_to_the_rules_and_is_warned_about_and_counted(label):
    refused = facts(policy=label, environment="production")

    _, answer = ask(request(), LABELLED, refused)

    sentence = REFUSED.format(label=label, policy="strict")
    assert answer["warnings"][0] == f"hardener: {sentence}"
    assert answer["auditAnnotations"]["doubt"] == sentence
    assert answer["auditAnnotations"]["policy"].startswith("strict@")
    assert hardened(POD, answer)["spec"]["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert counted(LABELLED, refused) == {"refused-label": 1}


def test_without_selectable_policies_the_label_does_nothing_and_that_is_told():
    assert chosen(UNLABELLED, facts(policy="strict")) == "trial"
    assert counted(UNLABELLED, facts(policy="strict")) == {"refused-label": 1}


def test_a_refused_label_is_told_where_nothing_else_is_done():
    _, answer = ask(request(namespace="kube-system"), LABELLED, facts(policy="observe"))

    sentence = REFUSED.format(label="observe", policy="none")
    assert answer["warnings"] == [f"hardener: {sentence}"]
    assert answer["auditAnnotations"]["doubt"] == sentence
    assert "patch" not in answer


def test_a_long_or_odd_label_makes_one_short_line():
    _, answer = ask(request(), LABELLED, facts(policy="x\n" * 200))

    assert len(answer["warnings"][0]) <= 120
    assert answer["warnings"][0].isprintable()


def test_controllers_and_quiet_policies_hear_nothing_of_a_refused_label_and_the_audit_log_does():
    quiet = config("policies:\n  quiet: {warnings: none}\ndefault: quiet\nselectable: [standard]\n")
    sender = {"username": "system:kube-controller-manager"}

    for body, with_config in ((request(), quiet), (request(userInfo=sender), LABELLED)):
        _, answer = ask(body, with_config, facts(policy="nonsense"))
        assert "warnings" not in answer
        assert "hardener.dev/policy=nonsense" in answer["auditAnnotations"]["doubt"]


def test_who_applies_a_workload_is_told_of_a_refused_label():
    _, told = ask_explain(workload_request(workload()), LABELLED, facts(policy="nonsense"))

    assert told[0] == "hardener: " + REFUSED.format(label="nonsense", policy="trial")


@pytest.mark.parametrize(
    ("namespace", "with_facts", "policy"),
    [
        ("shop", facts(environment="production"), "strict"),
        ("team-a", facts(environment="production"), "strict"),
        ("team-a", facts(environment="staging"), "gentle"),
        ("team-a", facts(), "gentle"),
        ("shop", facts(), "trial"),
        ("shop", STANDALONE, "trial"),
        ("team-a", STANDALONE, "gentle"),
    ],
)
def test_without_the_label_the_first_rule_that_matches_decides(namespace, with_facts, policy):
    assert chosen(LABELLED, with_facts, namespace) == policy
    assert chosen(UNLABELLED, with_facts, namespace) == policy


@pytest.mark.parametrize("with_config", [LABELLED, UNLABELLED], ids=["selectable", "rules alone"])
@pytest.mark.parametrize("namespace", ["shop", "team-a"])
def test_where_labels_are_not_known_yet_and_might_decide_nothing_is_enforced_and_that_is_said(with_config, namespace):
    pod = annotated({"hardener.dev/opt-out": "resources"})

    result, answer = ask(request(pod, namespace=namespace), with_config, UNKNOWN)

    assert result is Result.ANNOUNCED
    assert "patch" not in answer
    assert answer["warnings"][0] == f"hardener: {NOT_KNOWN}"
    assert answer["warnings"][1].startswith("hardener dry-run: would set ")
    assert answer["auditAnnotations"]["doubt"] == NOT_KNOWN
    assert answer["auditAnnotations"]["mode"] == "dry-run"
    assert "would-apply" in answer["auditAnnotations"]
    assert counted(with_config, UNKNOWN) == {"unknown-labels": 1}


def test_a_rule_by_name_that_stands_first_needs_no_labels():
    _, answer = ask(request(namespace="kube-system"), UNLABELLED, UNKNOWN)

    assert answer == {"uid": answer["uid"], "allowed": True}


def test_a_rule_by_labels_that_cannot_fit_the_name_casts_no_doubt():
    text = (
        "namespaces:\n- {names: [bank], matchLabels: {a: b}, policy: none}\n- {names: [shop], policy: standard}\n"
        "default: observe\n"
    )

    result, answer = ask(request(), config(text), replace(UNKNOWN))

    assert result is Result.PATCHED
    assert "doubt" not in answer["auditAnnotations"]


def test_a_policy_in_doubt_is_another_content_than_the_same_in_earnest():
    certain = ask(request(namespace="team-a"), UNLABELLED, STANDALONE)[1]["auditAnnotations"]["policy"]
    doubtful = ask(request(namespace="team-a"), UNLABELLED, UNKNOWN)[1]["auditAnnotations"]["policy"]

    assert certain.partition("@")[0] == doubtful.partition("@")[0] == "gentle"
    assert certain != doubtful


def test_standing_alone_rules_that_need_labels_match_nothing_and_nothing_is_in_doubt():
    _, answer = ask(request(), LABELLED, STANDALONE)

    assert "doubt" not in answer["auditAnnotations"]
    assert patch(answer) == []
