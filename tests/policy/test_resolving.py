"""Where each setting of a namespace comes from."""

from hardener.policy.resolving import Setting, resolve
from tests.policy.configs import read

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
    assert (resolution().policy.name, resolution().rule) == ("ours", 2)
    assert (resolution("elsewhere").policy.name, resolution("elsewhere").rule) == ("standard", None)


def test_earlier_rules_that_would_match_with_the_right_labels_are_named():
    assert resolution().undecided == (0,)
    assert resolution("other").undecided == (0, 1)


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
