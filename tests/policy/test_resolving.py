"""Where each setting of a namespace comes from."""

import pytest

from hardener.policy.config import POLICY_LABEL, Doubt
from hardener.policy.resolving import Setting, resolve
from tests.policy.configs import EVERY_KEY, read

CONFIG = """
policies:
  base:
    hostAgents: harden
    controls:
      resources:
        requests: {cpu: 10m}
      capabilities: {mode: dry-run}
      seccompProfile: {mode: disabled}
  ours:
    extends: base
    mode: dry-run
    controls:
      readOnlyRootFilesystem: {mode: enforce, writablePaths: []}
namespaces:
- matchLabels: {environment: production}
  policy: standard
- names: [other]
  matchLabels: {environment: production}
  policy: standard
- names: [shop]
  policy: ours
"""


def resolution(namespace="shop"):
    return resolve(read(CONFIG), namespace)


def setting(key):
    return next(setting for setting in resolution().settings if setting.key == key)


def test_the_rule_and_the_policy_are_named():
    ours, elsewhere = resolution().selection, resolution("elsewhere").selection

    assert (ours.policy.name, ours.rule) == ("ours", 2)
    assert (elsewhere.policy.name, elsewhere.rule) == ("standard", None)


def test_earlier_rules_that_would_match_with_the_right_labels_are_named():
    assert resolution().undecided == (0,)
    assert resolution("other").undecided == (0, 1)


@pytest.mark.parametrize(
    ("labels", "policy", "rule"),
    [({"environment": "production"}, "standard", 0), ({"environment": "test"}, "ours", 2), ({}, "ours", 2)],
)
def test_labels_that_are_given_decide_and_leave_nothing_open(labels, policy, rule):
    resolved = resolve(read(CONFIG), "shop", labels)

    assert (resolved.selection.policy.name, resolved.selection.rule) == (policy, rule)
    assert resolved.undecided == ()


def test_the_label_that_chooses_a_policy_is_seen():
    resolved = resolve(read(f"selectable: [ours]\n{CONFIG}"), "elsewhere", {POLICY_LABEL: "ours"})

    assert (resolved.selection.policy.name, resolved.selection.by_label) == ("ours", True)
    assert ("mode", "dry-run") in [(setting.key, setting.value) for setting in resolved.settings]


def test_a_label_that_is_refused_is_a_doubt():
    selection = resolve(read(CONFIG), "shop", {POLICY_LABEL: "base"}).selection

    assert (selection.policy.name, selection.doubt, selection.label) == ("ours", Doubt.REFUSED_LABEL, "base")


def explicit_of(body):
    settings = resolve(read(body), "shop").settings
    return {each.key.split(".")[1]: each for each in settings if each.key.endswith(".explicit")}


def test_explicit_values_say_who_decides_about_them():
    found = explicit_of("""
        policies:
          base:
            explicit: override
            controls:
              seccompProfile: {explicit: keep}
          ours:
            extends: base
            controls:
              runAsNonRoot:
                explicit: keep
        default: ours
        """)

    assert {control: (each.value, each.origin) for control, each in found.items()} == {
        "allowPrivilegeEscalation": ("override", "config.yaml:5 (extended from base)"),
        "capabilities": ("override", "config.yaml:5 (extended from base)"),
        "readOnlyRootFilesystem": ("override", "config.yaml:5 (extended from base)"),
        "runAsNonRoot": ("keep", "config.yaml:12"),
        "seccompProfile": ("keep", "config.yaml:7 (extended from base)"),
    }


def test_explicit_values_that_nobody_speaks_of_are_kept_by_default():
    assert {(each.value, each.origin) for each in explicit_of("default: standard").values()} == {("keep", "default")}


def test_exemptions_stand_at_the_end_with_their_lines():
    body = f"{EVERY_KEY}".replace("usernames: []", "usernames: [alice]").replace("groups: []", "groups: [a, b]")
    line = body.splitlines().index("exempt:") + 3

    settings = resolve(read(body), "shop").settings

    assert settings[-5:] == (
        Setting("exempt.usernames[0]", "alice", f"config.yaml:{line}"),
        Setting("exempt.groups[0]", "a", f"config.yaml:{line + 1}"),
        Setting("exempt.groups[1]", "b", f"config.yaml:{line + 1}"),
        Setting("exempt.priorityClasses[0]", "system-node-critical", f"config.yaml:{line + 3}"),
        Setting("exempt.containers[0]", "istio-proxy, docker.io/istio/proxyv2:*", f"config.yaml:{line + 5}"),
    )
    assert [each.key for each in settings[:-5] if each.key.startswith("exempt")] == []


def test_where_nothing_runs_nobody_needs_to_be_exempt():
    settings = resolve(read(EVERY_KEY), "kube-system").settings

    assert [each.key for each in settings if each.key.startswith("exempt")] == []


def test_each_setting_says_where_it_comes_from():
    extended = "(extended from base)"

    assert setting("mode") == Setting("mode", "dry-run", "config.yaml:13")
    assert setting("warnings").origin == "built in (standard)"
    assert setting("optOut.maxDays") == Setting("optOut.maxDays", None, "default")
    assert setting("controls.resources.requests.cpu").origin == f"config.yaml:8 {extended}"
    assert setting("controls.resources.requests.memory").origin == "built in (standard)"
    assert setting("controls.runAsNonRoot.hostAgents").origin == f"config.yaml:5 {extended}"
    assert setting("controls.runAsNonRoot.unknownImage").origin == "default"
    assert setting("controls.readOnlyRootFilesystem.writablePaths").value == ()


def test_the_mode_that_counts_says_which_of_the_two_it_is():
    modes = {name: setting(f"controls.{name}.mode") for name in ("readOnlyRootFilesystem", "capabilities", "resources")}

    assert {name: (mode.value, mode.origin) for name, mode in modes.items()} == {
        "readOnlyRootFilesystem": ("dry-run", "mode of the policy"),
        "capabilities": ("dry-run", "config.yaml:9 (extended from base)"),
        "resources": ("dry-run", "mode of the policy"),
    }


def test_a_disabled_control_is_shown_without_settings():
    shown = [setting for setting in resolution().settings if setting.key.startswith("controls.seccompProfile")]

    assert shown == [
        Setting("controls.seccompProfile.mode", "disabled", "config.yaml:10 (extended from base)"),
    ]


def test_a_policy_under_which_nothing_runs_says_so():
    assert resolve(read("default: none"), "shop").settings[0] == Setting("mode", "disabled", "no control runs")
