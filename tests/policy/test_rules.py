"""Rules choose the policy of a namespace."""

import pytest

from tests.policy.configs import EVERY_KEY, read


def chosen(rules, namespace="shop", labels=None):
    """The policy that rules choose, and the rule's index."""
    selection = read(f"namespaces:\n{rules}\ndefault: observe\n").select(namespace, labels)
    return selection.policy.name, selection.rule


def matches(condition, namespace="shop", labels=None):
    return chosen(f"- {{{condition}, policy: none}}", namespace, labels) == ("none", 0)


def test_the_first_rule_that_matches_decides():
    rules = "- {names: [a], policy: none}\n- {names: ['*'], policy: compatible}\n- {names: [b], policy: standard}"

    assert chosen(rules, "a") == ("none", 0)
    assert chosen(rules, "b") == ("compatible", 1)


def test_the_default_decides_where_no_rule_matches():
    assert chosen("- {names: [a], policy: none}", "b") == ("observe", None)


def test_without_a_default_standard_decides():
    assert read("namespaces: []").select("shop").policy.name == "standard"


@pytest.mark.parametrize(
    ("glob", "fitting", "other"),
    [
        ("shop", "shop", "shops"),
        ("*-system", "kube-system", "kube-system-2"),
        ("team-*", "team-", "a-team-1"),
        ("*", "x", None),
        ("a?", "ab", "abc"),
        ("a*c*e", "abcde", "abcd"),
        ("kube-*, shop", "shop", "kube"),
    ],
)
def test_names_are_globs_over_the_whole_name(glob, fitting, other):
    names = f"names: [{', '.join(repr(part) for part in glob.split(', '))}]"

    assert matches(names, fitting)
    assert other is None or not matches(names, other)


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        ("matchLabels: {tier: a}", {"tier": "a", "other": "x"}, True),
        ("matchLabels: {tier: a}", {"tier": "b"}, False),
        ("matchLabels: {tier: a}", {}, False),
        ("matchLabels: {tier: a, zone: b}", {"tier": "a"}, False),
        ("matchLabels: {tier: ''}", {"tier": ""}, True),
        ("matchLabels: {example.com/tier: a}", {"example.com/tier": "a"}, True),
        ("matchExpressions: [{key: tier, operator: In, values: [a, b]}]", {"tier": "b"}, True),
        ("matchExpressions: [{key: tier, operator: In, values: [a, b]}]", {}, False),
        ("matchExpressions: [{key: tier, operator: NotIn, values: [a]}]", {"tier": "b"}, True),
        ("matchExpressions: [{key: tier, operator: NotIn, values: [a]}]", {"tier": "a"}, False),
        ("matchExpressions: [{key: tier, operator: NotIn, values: [a]}]", {}, True),
        ("matchExpressions: [{key: tier, operator: Exists}]", {"tier": ""}, True),
        ("matchExpressions: [{key: tier, operator: Exists}]", {}, False),
        ("matchExpressions: [{key: tier, operator: DoesNotExist}]", {}, True),
        ("matchExpressions: [{key: tier, operator: DoesNotExist}]", {"tier": ""}, False),
        ("matchLabels: {a: x}, matchExpressions: [{key: b, operator: Exists}]", {"a": "x"}, False),
        ("names: [shop], matchLabels: {a: x}", {"a": "x"}, True),
        ("names: [other], matchLabels: {a: x}", {"a": "x"}, False),
    ],
)
def test_labels_are_selected_as_kubernetes_does(selector, labels, expected):
    assert matches(selector, labels=labels) is expected


@pytest.mark.parametrize(
    "selector",
    [
        "matchLabels: {a: x}",
        "matchExpressions: [{key: a, operator: DoesNotExist}]",
        "names: [shop], matchLabels: {a: x}",
    ],
)
def test_a_rule_that_asks_for_labels_does_not_match_where_they_are_not_known(selector):
    assert not matches(selector, labels=None)


@pytest.mark.parametrize(
    ("namespace", "labels", "expected"),
    [
        ("kube-system", None, ("none", 0)),
        ("cattle-system", {"environment": "production"}, ("none", 0)),
        ("team-a", {"environment": "production"}, ("production", 1)),
        ("team-a", None, ("legacy", 2)),
        ("shop", {}, ("observe", None)),
    ],
)
def test_the_example_of_the_design_chooses_as_its_comments_say(namespace, labels, expected):
    selection = read(EVERY_KEY).select(namespace, labels)

    assert (selection.policy.name, selection.rule) == expected
