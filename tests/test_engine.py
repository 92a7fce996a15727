"""harden(): failures, modes, opt-outs, exemptions, Windows (design.md 2)."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from hardener.controls import CATALOGUE
from hardener.engine import harden
from hardener.model import ON_WINDOWS, STANDALONE, Control, Mode, OptOutCause, Outcome, Skip, Write
from hardener.patch import render
from hardener.policy.builtin import BUILTIN
from hardener.policy.exemptions import Line, PodExemptions
from hardener.policy.images import ImagePattern
from hardener.policy.policy import Enabled, OptOutRules
from tests.pods import STANDARD, TODAY, document, enabled, pod, policy_of, run, standard, view, where

SILENT = "spec: {containers: [{name: app, image: web}, {name: log, image: log}]}"


@dataclass(frozen=True)
class Nothing:
    """No settings."""


def breaks_half_way(pod, containers, settings, facts):
    yield Write(containers[0], ("securityContext", "runAsUser"), "half", "half of a decision")
    yield Skip(containers[0], "the other half")
    raise ZeroDivisionError("by design")


def breaks_at_once(pod, containers, settings, facts):
    raise KeyError("by design")


def broken(apply, **fields):
    return Enabled(Control(apply, Nothing, holds=(), name="broken", **fields), Nothing(), Mode.ENFORCE)


@pytest.mark.parametrize(("apply", "error"), [(breaks_half_way, ZeroDivisionError), (breaks_at_once, KeyError)])
@pytest.mark.parametrize("position", [0, 3, 7])
def test_a_control_that_fails_loses_its_own_decision_only(apply, error, position):
    controls = list(STANDARD.controls)
    controls.insert(position, broken(apply))
    outcome = harden(pod(SILENT), policy_of(*controls), STANDALONE, TODAY)
    healthy = harden(pod(SILENT), STANDARD, STANDALONE, TODAY)

    (failed,) = outcome.errors
    assert (failed.control, type(failed.error)) == ("broken", error)
    assert failed.writes == failed.skips == ()
    assert render(outcome.writes(Mode.ENFORCE)) == render(healthy.writes(Mode.ENFORCE))


def test_an_interrupt_is_no_failure_of_a_control():
    def interrupted(pod, containers, settings, facts):
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        harden(pod(SILENT), policy_of(broken(interrupted)), STANDALONE, TODAY)


def test_the_policy_none_decides_nothing():
    obj = document("metadata: {annotations: {hardener.dev/opt-out: nonsense}}\n" + SILENT)

    assert harden(view(obj), BUILTIN["none"], STANDALONE, TODAY) == Outcome()


def test_there_is_one_verdict_for_each_control_in_the_order_of_the_policy():
    outcome = harden(pod(SILENT), STANDARD, STANDALONE, TODAY)

    assert [verdict.control for verdict in outcome.verdicts] == list(CATALOGUE)
    assert outcome.opt_outs == ()
    assert outcome.errors == []


def test_each_control_runs_in_its_own_mode():
    policy = policy_of(enabled("capabilities", Mode.DRY_RUN), enabled("runAsNonRoot", Mode.ENFORCE))
    outcome = harden(pod(SILENT), policy, STANDALONE, TODAY)

    assert [(verdict.control, verdict.mode) for verdict in outcome.verdicts] == [
        ("capabilities", Mode.DRY_RUN),
        ("runAsNonRoot", Mode.ENFORCE),
    ]
    assert {write.path for write in outcome.writes(Mode.ENFORCE)} == {("securityContext", "runAsNonRoot")}
    assert {write.path for write in outcome.writes(Mode.DRY_RUN)} == {("securityContext", "capabilities", "drop")}
    assert len(outcome.writes(Mode.ENFORCE, Mode.DRY_RUN)) == 4
    assert outcome.writes() == []


@pytest.mark.parametrize(
    ("one", "other", "weaker"),
    [
        (Mode.ENFORCE, Mode.ENFORCE, Mode.ENFORCE),
        (Mode.ENFORCE, Mode.DRY_RUN, Mode.DRY_RUN),
        (Mode.DISABLED, Mode.DRY_RUN, Mode.DISABLED),
    ],
)
def test_the_weaker_of_two_modes_counts(one, other, weaker):
    assert one.weaker(other) is weaker
    assert other.weaker(one) is weaker


def test_observe_decides_what_standard_does_in_dry_run():
    observed = harden(pod(SILENT), BUILTIN["observe"], STANDALONE, TODAY)
    enforced = harden(pod(SILENT), STANDARD, STANDALONE, TODAY)

    assert observed.writes(Mode.ENFORCE) == []
    assert render(observed.writes(Mode.DRY_RUN)) == render(enforced.writes(Mode.ENFORCE))


def test_a_control_never_sees_a_container_that_opted_out():
    seen = []

    def watch(pod, containers, settings, facts):
        seen.append([container.name for container in containers])
        seen.append([container.name for container in pod.containers])
        yield from ()

    obj = document("metadata: {annotations: {opt-out.hardener.dev/log: capabilities}}\n" + SILENT)
    watching = Enabled(replace(broken(watch).control, name="capabilities"), Nothing(), Mode.ENFORCE)
    harden(view(obj), policy_of(watching), STANDALONE, TODAY)

    assert seen == [["app"], ["app", "log"]]


EXEMPTIONS = PodExemptions(
    {"sandboxed": Line("exempt.runtimeClasses[0]", "config.yaml:3")},
    {"critical": Line("exempt.priorityClasses[0]", "config.yaml:4")},
    {"log": [(ImagePattern("docker.io/library/log:*"), Line("exempt.containers[0]", "config.yaml:6"))]},
)


@pytest.mark.parametrize(
    ("image", "seen"),
    [
        ("log", ["app"]),
        ("docker.io/log:2", ["app"]),
        ("registry.example/library/log", ["app", "log"]),
        ("", ["app", "log"]),
    ],
)
def test_a_control_never_sees_a_container_that_is_exempt_by_name_and_image(image, seen):
    found = []

    def watch(pod, containers, settings, facts):
        found.append([container.name for container in containers])
        yield from ()

    obj = document(f"spec: {{containers: [{{name: app, image: log}}, {{name: log, image: '{image}'}}]}}")
    outcome = harden(view(obj), replace(policy_of(broken(watch)), exempt=EXEMPTIONS), STANDALONE, TODAY)

    assert found == [seen]
    assert [(where(each.at), each.key) for each in outcome.exempt] == [("log", "exempt.containers[0]")] * (
        2 - len(seen)
    )
    assert outcome.is_exempt is False


@pytest.mark.parametrize("field", ["runtimeClassName: sandboxed", "priorityClassName: critical"])
def test_nothing_is_decided_about_an_exempt_pod(field):
    obj = document(
        f"metadata: {{annotations: {{hardener.dev/opt-out: nonsense}}}}\nspec: {{{field}, containers: [{{name: app}}]}}"
    )
    outcome = harden(view(obj), replace(STANDARD, exempt=EXEMPTIONS), STANDALONE, TODAY)

    assert outcome.is_exempt is True
    assert outcome == Outcome(exempt=outcome.exempt)


def test_a_control_that_the_pod_opted_out_of_has_no_verdict():
    obj = document("metadata: {annotations: {hardener.dev/opt-out: 'resources, capabilities'}}\n" + SILENT)
    outcome = harden(view(obj), STANDARD, STANDALONE, TODAY)

    assert {verdict.control for verdict in outcome.verdicts} == set(CATALOGUE) - {"resources", "capabilities"}
    assert [(each.control, each.container, each.accepted) for each in outcome.opt_outs] == [
        ("resources", None, True),
        ("capabilities", None, True),
    ]


def test_a_refused_opt_out_hardens_all_the_same():
    rules = OptOutRules(frozenset(CATALOGUE) - {"capabilities"})
    obj = document("metadata: {annotations: {hardener.dev/opt-out: capabilities}}\n" + SILENT)
    outcome = harden(view(obj), replace(STANDARD, opt_out=rules), STANDALONE, TODAY)

    assert [each.cause for each in outcome.opt_outs] == [OptOutCause.LOCKED]
    assert render(outcome.writes(Mode.ENFORCE)) == render(
        harden(view(obj), policy_of(*STANDARD.controls, opt_out=OptOutRules(frozenset())), STANDALONE, TODAY).writes(
            Mode.ENFORCE
        )
    )
    assert "capabilities" in [verdict.control for verdict in outcome.verdicts if verdict.writes]


def test_everything_can_be_opted_out_of_and_nothing_changes():
    obj = document("metadata: {annotations: {hardener.dev/opt-out: '*'}}\n" + SILENT)
    outcome = harden(view(obj), STANDARD, STANDALONE, TODAY)

    assert outcome.verdicts == ()
    assert {each.control for each in outcome.opt_outs} == set(CATALOGUE)


def test_the_day_is_an_argument():
    last = TODAY.isoformat()
    obj = document(
        f"metadata: {{annotations: {{hardener.dev/opt-out: '*', hardener.dev/opt-out-until: '{last}'}}}}\n" + SILENT
    )

    assert harden(view(obj), STANDARD, STANDALONE, TODAY).verdicts == ()
    assert len(harden(view(obj), STANDARD, STANDALONE, TODAY + timedelta(days=1)).verdicts) == len(CATALOGUE)


def test_containers_of_one_name_opt_out_together():
    obj = document("""
        metadata: {annotations: {opt-out.hardener.dev/same: runAsNonRoot}}
        spec:
          containers: [{name: same, image: a}, {name: other, image: b}]
          initContainers: [{name: same, image: c}]
    """)
    outcome = harden(view(obj), policy_of(enabled("runAsNonRoot")), STANDALONE, TODAY)

    assert [where(write.at) for write in outcome.writes(Mode.ENFORCE)] == ["other"]


def test_linux_controls_stay_away_from_windows_without_being_run():
    windows = pod("spec: {os: {name: windows}, containers: [{name: app, image: iis}]}")
    outcome = harden(windows, policy_of(broken(breaks_at_once, linux_only=True)), STANDALONE, TODAY)

    (verdict,) = outcome.verdicts
    assert verdict.error is None
    assert [(skip.at, skip.reason) for skip in verdict.skips] == [(windows, ON_WINDOWS)]


def test_the_facts_reach_the_controls():
    named = pod("spec: {serviceAccountName: ci, containers: [{name: app, image: web}]}")
    policy = standard(automountServiceAccountToken={"serviceAccounts": "all"})
    known = replace(STANDALONE, token_accounts=frozenset({"ci"}))

    def automount(facts):
        verdicts = {verdict.control: verdict for verdict in harden(named, policy, facts, TODAY).verdicts}
        return verdicts["automountServiceAccountToken"]

    assert automount(STANDALONE).writes != ()
    assert automount(known).writes == []
    assert len(automount(known).skips) == 1


def test_containers_of_one_name_get_volumes_of_different_names():
    obj = document("{spec: {containers: []}}")
    obj["spec"]["containers"] = [{"name": "app", "image": "web"}] * 3000

    hardened = run(obj)

    names = [volume["name"] for volume in hardened.volumes()]
    assert len(set(names)) == len(names) == 3000
