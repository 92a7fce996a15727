"""The policy of a namespace, as its label, the rules and what is known of its labels decide."""

import json
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardener.model import Mode
from hardener.policy.builtin import BUILTIN
from hardener.policy.config import POLICY_LABEL, Doubt, OnError
from hardener.policy.policy import Warnings
from tests.policy.configs import EVERY_KEY, read

RULES = """
policies:
  strict: {optOut: {controls: none}}
namespaces:
- names: [kube-system]
  policy: none
- names: ["team-*"]
  matchLabels: {environment: production}
  policy: strict
- names: [team-a, shop]
  policy: compatible
- matchExpressions: [{key: tier, operator: DoesNotExist}]
  policy: observe
default: standard
"""
SELECTABLE = f"selectable: [strict, observe]\n{RULES}"


def selected(config, namespace, labels=None, *, known=True):
    """The policy's name, the rule's index, and whether the label chose it."""
    selection = read(config).select(namespace, labels, known=known)
    assert selection.doubt is None
    assert selection.label == ""
    return selection.policy.name, selection.rule, selection.by_label


@pytest.mark.parametrize(
    ("namespace", "labels", "policy", "rule"),
    [
        ("kube-system", {"environment": "production"}, "none", 0),
        ("team-a", {"environment": "production"}, "strict", 1),
        ("team-a", {"environment": "test"}, "compatible", 2),
        ("team-b", {"environment": "test"}, "observe", 3),
        ("team-b", {"environment": "test", "tier": "x"}, "standard", None),
        ("shop", {"environment": "production"}, "compatible", 2),
        ("other", {}, "observe", 3),
        ("team-a", None, "compatible", 2),
        ("other", None, "standard", None),
    ],
)
def test_rules_decide_by_names_and_by_labels_as_far_as_there_are_any(namespace, labels, policy, rule):
    assert selected(RULES, namespace, labels) == (policy, rule, False)


@pytest.mark.parametrize("namespace", ["kube-system", "team-a", "other"])
@pytest.mark.parametrize("policy", ["strict", "observe"])
def test_the_label_of_a_namespace_goes_before_all_rules(namespace, policy):
    labels = {POLICY_LABEL: policy, "environment": "production"}

    assert selected(SELECTABLE, namespace, labels) == (policy, None, True)


@pytest.mark.parametrize("value", ["none", "compatible", "standrad", "Strict", "", "strict,observe"])
def test_a_label_that_names_nothing_selectable_falls_to_the_rules_and_is_told(value):
    config = read(SELECTABLE)
    labels = {POLICY_LABEL: value, "environment": "production"}

    selection = config.select("team-a", labels)

    assert (selection.policy.name, selection.rule, selection.by_label) == ("strict", 1, False)
    assert (selection.doubt, selection.label) == (Doubt.REFUSED_LABEL, value)
    assert selection.policy is config.policies["strict"]


def test_without_selectable_policies_no_label_chooses():
    selection = read(RULES).select("kube-system", {POLICY_LABEL: "observe"})

    assert (selection.policy.name, selection.rule, selection.doubt) == ("none", 0, Doubt.REFUSED_LABEL)


@pytest.mark.parametrize(
    ("namespace", "policy", "rule"),
    [
        # A rule on labels stands before the one that decides, and would fit the name.
        ("team-a", "compatible", 2),
        ("team-b", "standard", None),
        ("other", "standard", None),
    ],
)
def test_where_unknown_labels_might_decide_nothing_is_enforced(namespace, policy, rule):
    config = read(RULES)

    selection = config.select(namespace, None, known=False)

    assert (selection.policy.name, selection.rule, selection.doubt) == (policy, rule, Doubt.UNKNOWN_LABELS)
    assert selection.policy is config.dry_run[policy]
    assert selection.policy.enforced == ()
    assert (selection.label, selection.by_label) == ("", False)


@pytest.mark.parametrize(("namespace", "policy", "rule"), [("kube-system", "none", 0), ("shop", "compatible", 2)])
def test_where_unknown_labels_cannot_decide_the_policy_is_certain(namespace, policy, rule):
    assert selected(RULES, namespace, None, known=False) == (policy, rule, False)


@pytest.mark.parametrize("namespace", ["kube-system", "shop", "other"])
def test_where_a_label_may_choose_unknown_labels_always_might_decide(namespace):
    selection = read(SELECTABLE).select(namespace, None, known=False)

    assert selection.doubt is Doubt.UNKNOWN_LABELS
    assert selection.policy.enforced == ()


@pytest.mark.parametrize("config", [RULES, SELECTABLE])
@pytest.mark.parametrize("labels", [{}, {"environment": "production"}])
def test_labels_that_are_known_cast_no_doubt_where_something_else_of_the_namespace_is_not_known(config, labels):
    assert read(config).select("shop", labels, known=False) == read(config).select("shop", labels)


def optional(**parts):
    return st.fixed_dictionaries({}, optional=parts)


WORDS = st.sampled_from(["a", "b"])
REQUIREMENTS = st.one_of(
    st.fixed_dictionaries(
        {"key": WORDS, "operator": st.sampled_from(["In", "NotIn"]), "values": st.lists(WORDS, min_size=1)}
    ),
    st.fixed_dictionaries({"key": WORDS, "operator": st.sampled_from(["Exists", "DoesNotExist"])}),
)
CONDITIONS = optional(
    names=st.lists(st.sampled_from(["a", "b", "?", "c*"]), min_size=1),
    matchLabels=st.dictionaries(WORDS, WORDS, min_size=1),
    matchExpressions=st.lists(REQUIREMENTS, min_size=1, max_size=2),
).filter(bool)
RULE_LISTS = st.lists(
    st.builds(lambda policy, condition: {"policy": policy, **condition}, st.sampled_from(sorted(BUILTIN)), CONDITIONS),
    max_size=4,
)
LABELS = [
    {key: value for key, value in zip(("a", "b", POLICY_LABEL), values, strict=True) if value is not None}
    for values in product((None, "a", "b"), (None, "a", "b"), (None, "compatible", "none"))
]


@settings(max_examples=50, deadline=None)
@given(RULE_LISTS, st.sampled_from(sorted(BUILTIN)), st.sampled_from([[], ["compatible"]]), WORDS)
def test_what_is_not_in_doubt_without_labels_is_so_with_any(rules, default, selectable, namespace):
    config = read(f"namespaces: {json.dumps(rules)}\ndefault: {default}\nselectable: {json.dumps(selectable)}\n")

    unknown = config.select(namespace, None, known=False)

    if unknown.doubt is None:
        assert {config.select(namespace, labels).policy.name for labels in LABELS} == {unknown.policy.name}
    else:
        assert unknown.policy.enforced == ()


def test_a_rule_that_stands_behind_the_one_that_decides_casts_no_doubt():
    config = "namespaces:\n- {names: [a], policy: compatible}\n- {matchLabels: {x: y}, policy: none}\n"

    assert selected(config, "a", None, known=False) == ("compatible", 0, False)


def test_standalone_nobody_could_tell_any_labels_and_nothing_is_in_doubt():
    assert selected(SELECTABLE, "team-a", None) == ("compatible", 2, False)


def test_the_example_of_the_design_lets_a_label_choose_what_it_lists():
    config = read(EVERY_KEY)

    assert config.selectable == {"observe", "compatible", "standard"}
    assert config.select("team-a", {POLICY_LABEL: "compatible"}).by_label
    assert config.select("team-a", {POLICY_LABEL: "none"}).doubt is Doubt.REFUSED_LABEL


@pytest.mark.parametrize("name", ["none", "observe", "compatible", "standard", "strict"])
def test_the_dry_run_twin_of_a_policy_does_the_same_and_enforces_nothing(name):
    config = read(RULES)
    policy, twin = config.policies[name], config.dry_run[name]

    assert [(each.control, each.settings) for each in twin.controls] == [
        (each.control, each.settings) for each in policy.controls
    ]
    assert {each.mode for each in twin.controls} <= {Mode.DRY_RUN}
    assert twin.mode is (Mode.DISABLED if name == "none" else Mode.DRY_RUN)
    assert (twin.name, twin.opt_out, twin.warnings) == (name, policy.opt_out, Warnings.CHANGES)


def test_who_wants_no_warnings_gets_none_of_a_dry_run_either():
    config = read("policies: {quiet: {warnings: none}}")

    assert config.dry_run["quiet"].warnings is Warnings.NONE


def test_a_capped_configuration_enforces_and_refuses_nothing():
    config = read(f"{SELECTABLE}onError: deny\nexempt: {{usernames: [alice]}}\n")

    capped = config.capped()

    assert capped.on_error is OnError.ALLOW
    assert (capped.rules, capped.selectable, capped.exempt_users) == (
        config.rules,
        config.selectable,
        config.exempt_users,
    )
    for namespace in ("kube-system", "team-a", "shop", "other"):
        for labels in (None, {}, {"environment": "production"}, {POLICY_LABEL: "strict"}, {POLICY_LABEL: "x"}):
            for known in (True, False):
                was, now = (each.select(namespace, labels, known=known) for each in (config, capped))
                assert (now.policy.name, now.rule, now.doubt) == (was.policy.name, was.rule, was.doubt)
                assert now.policy.enforced == ()
                assert now.policy is config.dry_run[was.policy.name]
