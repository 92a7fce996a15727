"""The eight digits behind a policy's name change if, and only if, what the policy does can change."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardener.controls import CATALOGUE
from hardener.policy.builtin import BUILTIN
from tests.policy.configs import EVERY_KEY, policy, read

STANDARD = BUILTIN["standard"]

EXEMPT = """
exempt:
  runtimeClasses: [gvisor, kata]
  priorityClasses: [a]
  containers:
  - {name: istio-proxy, image: "docker.io/istio/proxyv2:*"}
  - {name: istio-proxy, image: "quay.io/istio/proxyv2:*"}
  - {name: linkerd-proxy, image: "cr.l5d.io/linkerd/proxy:*"}
"""

SAME = [
    ("gvisor, kata", "kata, gvisor, kata"),
    ("  priorityClasses: [a]\n", "  # more\n\n  priorityClasses:\n  - a\n  usernames: [alice]\n  groups: [admins]\n"),
    ('"docker.io/istio/proxyv2:*"}', "'docker.io/istio/proxyv2:*'}\n"),
    (
        '  - {name: linkerd-proxy, image: "cr.l5d.io/linkerd/proxy:*"}\n',
        '  - {name: linkerd-proxy, image: "cr.l5d.io/linkerd/proxy:*"}\n' * 2,
    ),
    ("exempt:", "onError: deny\ndefault: none\nselectable: [standard]\nexempt:"),
    ("exempt:", "namespaces: [{names: [a], policy: none}]\npolicies: {other: {mode: dry-run}}\nexempt:"),
]

OTHER = [
    ("gvisor, kata", "gvisor"),
    ("runtimeClasses", "groups"),
    ("priorityClasses: [a]", "priorityClasses: [b]"),
    ("istio-proxy", "istio-proxy2"),
    ("quay.io/istio/proxyv2:*", "quay.io/istio/proxyv2:1"),
    ("linkerd-proxy, image", "istio-proxy, image"),
]

CHANGES = [
    "mode: dry-run",
    "warnings: changes",
    "explicit: override",
    "hostAgents: harden",
    "optOut: {controls: none}",
    "optOut: {requireReason: true}",
    "optOut: {maxDays: 5}",
    "controls: {resources: null}",
    "controls: {resources: {mode: dry-run}}",
    "controls: {resources: {requests: {cpu: 51m}}}",
    "controls: {readOnlyRootFilesystem: {writablePaths: [/tmp, /run]}}",
    "controls: {readOnlyRootFilesystem: {sizeLimit: 1Gi}}",
    "controls: {readOnlyRootFilesystem: {explicit: override}}",
    "controls: {runAsNonRoot: {unknownImage: hold}}",
    "controls: {seccompProfile: {type: Localhost, localhostProfile: a}}",
    "controls: {automountServiceAccountToken: {serviceAccounts: all}}",
]


def fingerprint(body, name="standard"):
    return read(body).policies[name].fingerprint


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_decides_changes_the_fingerprint(change):
    assert policy(change).fingerprint != STANDARD.fingerprint


def test_different_policies_have_different_fingerprints():
    prints = [policy(change).fingerprint for change in CHANGES]

    assert len(set(prints)) == len(CHANGES)
    assert all(re.fullmatch("[0-9a-f]{8}", each) for each in prints)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from([change for change in CHANGES if not change.startswith("controls")]), unique=True))
def test_the_order_of_the_keys_does_not_change_the_fingerprint(changes):
    keys = {change.partition(":")[0]: change for change in changes}

    forwards, backwards = ("\n".join(each) or "{}" for each in (list(keys.values()), list(keys.values())[::-1]))

    assert policy(forwards).fingerprint == policy(backwards).fingerprint


def test_the_same_content_has_the_same_fingerprint_whatever_its_name_and_place():
    config = read(
        """
        policies:
          a: {}
          b:
            mode: enforce
            explicit: keep
            hostAgents: hold
            controls: {resources: {requests: {memory: 64Mi, cpu: 50m}}, runAsNonRoot: {explicit: keep}}
            optOut: {controls: [CONTROLS]}
        """.replace("CONTROLS", ", ".join(reversed(CATALOGUE)))
    )

    assert {config.policies[name].fingerprint for name in ("a", "b", "standard")} == {STANDARD.fingerprint}


def test_the_label_is_name_and_fingerprint():
    assert policy("mode: dry-run").label == f"ours@{policy('mode: dry-run').fingerprint}"


def test_a_control_that_is_stopped_counts_no_more_than_one_that_is_not_there():
    stopped, absent = (policy(f"controls: {{resources: {said}}}") for said in ("{mode: disabled}", "null"))

    assert stopped.fingerprint == absent.fingerprint


@pytest.mark.parametrize("name", BUILTIN)
def test_exemptions_change_the_fingerprint_of_every_policy(name):
    assert fingerprint(EXEMPT, name) != BUILTIN[name].fingerprint


@pytest.mark.parametrize(("old", "new"), SAME)
def test_order_place_and_what_is_said_beside_them_change_nothing_about_exemptions(old, new):
    assert old in EXEMPT
    assert fingerprint(EXEMPT.replace(old, new, 1)) == fingerprint(EXEMPT)


@pytest.mark.parametrize(("old", "new"), OTHER)
def test_another_exemption_changes_the_fingerprint(old, new):
    assert old in EXEMPT
    assert fingerprint(EXEMPT.replace(old, new, 1)) != fingerprint(EXEMPT)


def test_users_are_asked_before_any_policy_and_change_none():
    assert fingerprint("exempt: {usernames: [alice], groups: [admins]}") == STANDARD.fingerprint


def test_the_dry_run_twin_has_a_fingerprint_of_its_own_unless_it_is_the_same():
    config = read(EVERY_KEY)

    assert config.dry_run["standard"].fingerprint != config.policies["standard"].fingerprint
    assert config.dry_run["observe"].fingerprint == config.policies["observe"].fingerprint
    assert config.dry_run["standard"].fingerprint == config.policies["observe"].fingerprint


def test_comments_and_the_name_of_the_file_change_nothing():
    commented = "# ours\n\n" + EVERY_KEY.replace("mode: enforce", "mode: enforce   # all of it")

    assert {name: each.label for name, each in read(commented).policies.items()} == {
        name: each.label for name, each in read(EVERY_KEY).policies.items()
    }
