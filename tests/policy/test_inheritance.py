"""Policies that extend one another."""

from dataclasses import replace
from functools import reduce
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardener.controls import CATALOGUE
from hardener.model import Mode
from hardener.policy.builtin import BUILTIN
from hardener.policy.config import OnError
from hardener.policy.policy import OptOutRules, Warnings
from tests.policy.configs import EVERY_KEY, policy, read

STANDARD = BUILTIN["standard"]


def settings_of(of, control):
    return next(running.settings for running in of.controls if running.control.name == control)


def test_the_example_of_the_design_is_read():
    config = read(EVERY_KEY)

    production, legacy = config.policies["production"], config.policies["legacy"]
    assert (config.default.name, config.default.controls) == ("observe", BUILTIN["observe"].controls)
    assert config.on_error is OnError.ALLOW
    assert config.selectable == {"observe", "compatible", "standard"}
    assert config.exempt_users is None
    assert [(line.key, text) for line, text in config.default.exempt.lines()] == [
        ("exempt.priorityClasses[0]", "system-node-critical"),
        ("exempt.containers[0]", "istio-proxy, docker.io/istio/proxyv2:*"),
    ]
    assert {running.control.name for running in production.controls if running.mode is Mode.DRY_RUN} == {"resources"}
    assert settings_of(production, "readOnlyRootFilesystem").sizeLimit == "1Gi"
    assert (legacy.mode, legacy.warnings, legacy.enforced) == (Mode.DRY_RUN, Warnings.CHANGES, ())
    assert [running.settings for running in legacy.controls] == [running.settings for running in production.controls]


def test_the_built_in_policies_are_as_designed():
    opt_out = OptOutRules(frozenset(CATALOGUE))
    modes = {name: (built_in.mode, built_in.warnings) for name, built_in in BUILTIN.items()}

    assert modes == {
        "none": (Mode.DISABLED, Warnings.PROBLEMS),
        "observe": (Mode.DRY_RUN, Warnings.CHANGES),
        "compatible": (Mode.ENFORCE, Warnings.PROBLEMS),
        "standard": (Mode.ENFORCE, Warnings.PROBLEMS),
    }
    assert all(built_in.opt_out == opt_out for built_in in BUILTIN.values())
    assert BUILTIN["none"].controls == ()
    assert STANDARD.enforced == tuple(name for name, control in CATALOGUE.items() if control.stage == "default")
    assert BUILTIN["compatible"].enforced == (
        "allowPrivilegeEscalation",
        "automountServiceAccountToken",
        "resources",
        "seccompProfile",
    )
    assert (settings_of(STANDARD, "resources").requests, settings_of(STANDARD, "resources").limits) == (
        {"cpu": "50m", "memory": "64Mi"},
        {"memory": "1Gi"},
    )
    assert settings_of(BUILTIN["compatible"], "resources").limits == {}
    assert settings_of(STANDARD, "readOnlyRootFilesystem").writablePaths == ("/tmp",)


def test_a_policy_extends_standard_unless_it_says_otherwise():
    assert policy("mode: enforce").controls == STANDARD.controls
    assert policy("extends: null").controls == STANDARD.controls


def test_controls_are_sorted_whatever_the_order_of_the_file():
    ours = policy("""
        extends: none
        controls:
          seccompProfile: {}
          capabilities: {}
        """)

    assert ours.enforced == ("capabilities", "seccompProfile")


def test_maps_merge_and_scalars_replace():
    resources = settings_of(policy("controls: {resources: {requests: {cpu: 10m}, limits: {cpu: 2}}}"), "resources")

    assert resources.requests == {"cpu": "10m", "memory": "64Mi"}
    assert resources.limits == {"cpu": "2", "memory": "1Gi"}


@pytest.mark.parametrize("paths", [["/var/cache"], ["/tmp", "/run"], []])
def test_lists_replace(paths):
    ours = policy(f"controls: {{readOnlyRootFilesystem: {{writablePaths: {paths}}}}}")

    assert settings_of(ours, "readOnlyRootFilesystem").writablePaths == tuple(paths)


def test_null_takes_away_a_value_a_map_a_control_and_all_controls():
    by_value = policy("controls: {resources: {requests: {cpu: null}}}")
    by_map = policy("controls: {resources: {requests: null}}")
    by_control = policy("controls: {resources: null}")
    by_everything = policy("controls: null")

    assert settings_of(by_value, "resources").requests == {"memory": "64Mi"}
    assert settings_of(by_map, "resources").requests == {}
    assert set(STANDARD.enforced) - set(by_control.enforced) == {"resources"}
    assert (by_everything.controls, by_everything.mode) == ((), Mode.DISABLED)


def test_null_takes_away_what_a_policy_further_up_says():
    config = read("""
        policies:
          strict: {mode: dry-run, optOut: {maxDays: 30, requireReason: true, controls: none}}
          loose: {extends: strict, mode: null, optOut: {maxDays: null}}
          free: {extends: loose, optOut: null}
        """)

    loose, free = config.policies["loose"], config.policies["free"]
    assert loose.mode is Mode.ENFORCE
    assert loose.opt_out == OptOutRules(frozenset(), require_reason=True)
    assert free.opt_out == OptOutRules(frozenset(CATALOGUE))


def test_a_control_that_was_taken_away_can_be_named_again_with_nothing_left_of_it():
    config = read("""
        policies:
          without: {controls: {resources: null}}
          again: {extends: without, controls: {resources: {requests: {cpu: 1m}}}}
        """)

    resources = settings_of(config.policies["again"], "resources")
    assert (resources.requests, resources.limits) == ({"cpu": "1m"}, {})


def test_an_empty_mapping_names_a_control_and_removes_nothing():
    assert policy("controls: {resources: {}}").controls == STANDARD.controls
    assert policy("extends: none\ncontrols: {seccompProfile: {}}").enforced == ("seccompProfile",)


def test_a_control_that_is_disabled_does_not_run():
    assert "resources" not in {
        running.control.name for running in policy("controls: {resources: {mode: disabled}}").controls
    }
    assert policy("mode: disabled").controls == ()


def test_a_shared_setting_on_the_policy_is_the_default_of_each_control_that_has_it():
    ours = policy("""
        hostAgents: harden
        controls:
          capabilities: {hostAgents: hold}
        """)

    assert {
        running.control.name: running.settings.hostAgents
        for running in ours.controls
        if hasattr(running.settings, "hostAgents")
    } == {"capabilities": "hold", "readOnlyRootFilesystem": "harden", "runAsNonRoot": "harden"}


def explicit(ours):
    """What each control that can override is told."""
    return {
        running.control.name: running.settings.explicit
        for running in ours.controls
        if hasattr(running.settings, "explicit")
    }


def test_explicit_values_are_kept_unless_the_policy_says_otherwise():
    assert set(explicit(STANDARD).values()) == {"keep"}
    assert set(explicit(policy("explicit: override")).values()) == {"override"}
    assert explicit(policy("explicit: override")).keys() == {
        "allowPrivilegeEscalation",
        "capabilities",
        "readOnlyRootFilesystem",
        "runAsNonRoot",
        "seccompProfile",
    }


def test_what_a_control_says_of_explicit_values_goes_before_what_the_policy_says():
    config = read("""
        policies:
          strict: {explicit: override, controls: {runAsNonRoot: {explicit: keep}}}
          heir: {extends: strict, controls: {seccompProfile: {explicit: keep}}}
          again: {extends: heir, explicit: null, controls: {runAsNonRoot: {explicit: null}}}
          one: {controls: {readOnlyRootFilesystem: {explicit: override}}}
        """)

    kept = {
        name: {control for control, told in explicit(each).items() if told == "keep"}
        for name, each in config.policies.items()
    }
    everything = set(explicit(STANDARD))
    assert kept["strict"] == {"runAsNonRoot"}
    assert kept["heir"] == {"runAsNonRoot", "seccompProfile"}
    assert kept["again"] == everything
    assert kept["one"] == everything - {"readOnlyRootFilesystem"}


def test_opt_outs_are_free_for_all_for_none_or_for_those_listed():
    assert policy("optOut: {controls: all}").opt_out.controls == frozenset(CATALOGUE)
    assert policy("optOut: {controls: none}").opt_out.controls == frozenset()
    assert policy("optOut: {controls: []}").opt_out.controls == frozenset()
    assert policy("optOut: {controls: [resources]}").opt_out.controls == {"resources"}


def test_a_policy_may_stand_before_the_one_it_extends():
    config = read("policies:\n  b: {extends: a}\n  a: {mode: dry-run}\n")

    assert config.policies["b"].mode is Mode.DRY_RUN


def test_thousands_of_policies_may_extend_one_another():
    lines = "".join(f"  p{number}: {{extends: p{number + 1}}}\n" for number in range(1500))

    config = read(f"policies:\n{lines}  p1500: {{mode: dry-run}}\n")

    assert config.policies["p0"].mode is Mode.DRY_RUN


MODES = st.sampled_from([None, *Mode])


@st.composite
def chains(draw):
    """Policies, each extending the one before: for each its mode and the modes of two controls; None says nothing."""
    return draw(st.lists(st.fixed_dictionaries({"": MODES, "capabilities": MODES, "resources": MODES}), min_size=1))


@settings(deadline=None)
@given(chains(), st.sampled_from(list(BUILTIN)))
def test_the_weaker_mode_wins_under_any_chain_of_extends(levels, root):
    lines, base = ["policies:"], root
    for number, modes in enumerate(levels):
        lines.append(f"  p{number}:\n    extends: {base}")
        lines += [f"    mode: {modes['']}"] if modes[""] else []
        lines.append("    controls:")
        lines += [f"      {name}: {{{f'mode: {mode}' if mode else ''}}}" for name, mode in modes.items() if name]
        base = f"p{number}"

    ours = read("\n".join(lines)).policies[base]

    start = Mode.ENFORCE if root == "none" else BUILTIN[root].mode
    said = {name: reduce(lambda last, level: level[name] or last, levels, None) for name in levels[0]}
    of_policy = said[""] or start
    expected = {
        name: of_policy.weaker(said.get(name) or Mode.ENFORCE)
        for name in chain(BUILTIN[root].enforced or (STANDARD.enforced if root == "observe" else ()), said)
        if name
    }
    assert {running.control.name: running.mode for running in ours.controls} == {
        name: mode for name, mode in expected.items() if mode is not Mode.DISABLED
    }
    if of_policy is not Mode.ENFORCE:
        assert ours.enforced == ()


def test_a_policy_differs_from_standard_in_its_name_only_where_it_says_nothing():
    assert replace(policy("{}"), name="standard") == STANDARD
