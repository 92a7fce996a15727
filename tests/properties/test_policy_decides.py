"""What is done to a pod is what its policy enforces, less what the pod may refuse, what is exempt and what is held back."""

from hypothesis import given

from hardener.controls import CATALOGUE
from hardener.engine import harden
from hardener.model import STANDALONE, Mode
from hardener.policy.builtin import BUILTIN
from hardener.policy.policy import OptOutRules
from tests.admission_chain import admitted, passed
from tests.decisions import decisions, place
from tests.pod_json import effective, is_injected_token, rows, security, spec, table
from tests.pods import TODAY, policy_of, run, view
from tests.properties.governed import (
    accepted_opt_outs,
    enforced_by,
    exempt_places,
    in_scope,
    is_exempt,
    mode_of,
)
from tests.properties.pods import pods
from tests.properties.policies import configuration, exemptions, policies
from tests.provenance import THE_POD, applied_of, skipped_of, told

TOKEN = "automountServiceAccountToken"

PER_CONTAINER = ("allowPrivilegeEscalation", "capabilities", "runAsNonRoot", "seccompProfile")
"""Controls that decide on each container for itself and write to nothing else."""

LINUX_CONTROLS = (*PER_CONTAINER, "readOnlyRootFilesystem")


def is_done(control, pod, own):
    """Whether a container is, with its pod, as the control wants it."""
    match control:
        case "allowPrivilegeEscalation":
            return security(own).get(control) is False
        case "capabilities":
            return "ALL" in (table(security(own).get(control)).get("drop") or [])
        case "readOnlyRootFilesystem":
            return security(own).get(control) is True
        case "runAsNonRoot":
            return effective(pod, own, control) is True
        case "seccompProfile":
            profile = effective(pod, own, control)
            return profile is not None and profile.get("type") != "Unconfined"
    raise AssertionError(control)


def names_all(own, settings):
    """Whether a container names every resource that the policy has a default for."""
    resources = table(own.get("resources"))
    named = {*table(resources.get("requests")), *table(resources.get("limits"))}
    return {*settings.requests, *settings.limits} <= named


def at_place(pod, where):
    """The container of a place as `tests.decisions` names it."""
    field, _, rest = where.partition("[")
    return spec(pod)[field][int(rest.partition("]")[0])]


@given(pods, policies)
def test_the_weaker_mode_counts_and_only_what_is_enforced_is_written(pod, policy):
    rules = configuration(policy).default
    outcome = run(pod, rules).outcome
    modes = {name: mode_of(policy, name) for name in CATALOGUE}
    whole = {control for control, container in accepted_opt_outs(pod, policy) if container is None}

    assert {verdict.control: verdict.mode.value for verdict in outcome.verdicts} == {
        name: mode for name, mode in modes.items() if mode != "disabled" and name not in whole
    }
    assert outcome.writes(Mode.ENFORCE) == [
        write for verdict in outcome.verdicts if modes[verdict.control] == "enforce" for write in verdict.writes
    ]


@given(pods)
def test_a_policy_in_dry_run_decides_the_same_and_patches_nothing(pod):
    observed = run(pod, BUILTIN["observe"])

    assert observed.operations == []
    assert decisions(pod, BUILTIN["observe"]) == decisions(pod, BUILTIN["standard"])


@given(pods, policies, exemptions)
def test_what_is_applied_is_what_is_enforced_less_opt_outs_exemptions_and_holds(pod, policy, exempt):
    rules = configuration(policy, exempt).default
    hardened = run(pod, rules)
    settings = {each.control.name: each.settings for each in rules.controls}
    scope = {} if is_exempt(pod, exempt) else in_scope(pod, policy, exempt)
    verdicts = {verdict.control: verdict for verdict in hardened.outcome.verdicts if verdict.mode is Mode.ENFORCE}

    assert set(verdicts) == set(scope)
    for control, verdict in verdicts.items():
        held = {place(skip.at) for skip in verdict.skips}
        written = {place(each.at) for each in verdict.writes if each.how != "remove"}
        if control == TOKEN:
            asked = bool(scope[control]) and spec(pod).get(TOKEN) is None
            assert written == ({"pod"} if asked and not held else set())
        elif control == "resources":
            lacking = {where for where in scope[control] if not names_all(at_place(pod, where), settings[control])}
            # A hold may concern one resource, or the limits alone.
            assert written <= lacking
            assert lacking <= written | held or "pod" in held
        else:
            wanted = {where for where in scope[control] if not is_done(control, pod, at_place(pod, where))}
            assert written - {"pod"} == (set() if "pod" in held else wanted - held), control
            assert all(is_done(control, hardened.after, at_place(hardened.after, where)) for where in wanted & written)


@given(pods, policies, exemptions)
def test_the_annotations_name_what_was_applied_and_what_was_not_and_why(pod, policy, exempt):
    before = admitted(pod)
    answer, after = passed(before, configuration(policy, exempt))
    if is_exempt(pod, exempt) or not enforced_by(policy):
        assert told(after) == told(before)
        return
    named = {place(each): each.name or "(unnamed)" for each in view(before).containers} | {"pod": THE_POD}
    there = {each.name for each in view(before).containers}
    out = {
        (control, THE_POD if name is None else name)
        for control, name in accepted_opt_outs(pod, policy)
        if control in enforced_by(policy) and (name is None or name in there)
    }
    exempted = {(control, named[where]) for control in enforced_by(policy) for where in exempt_places(before, exempt)}
    holds = {
        (verdict.control, named[place(skip.at)], skip.reason)
        for verdict in answer.outcome.verdicts
        for skip in verdict.skips
        if verdict.mode is Mode.ENFORCE
    }
    entries = skipped_of(after)

    assert {(each.control, each.place) for each in entries if each.is_opt_out} == out
    assert {(each.control, each.place) for each in entries if each.is_exempt} == exempted
    assert {tuple(each) for each in entries if each.is_hold} == holds
    assert applied_of(after) == [
        control for control in enforced_by(policy) if control not in {each.control for each in entries}
    ]


@given(pods, policies)
def test_an_opt_out_of_one_container_changes_nothing_for_the_others(pod, policy):
    rules = configuration(policy).default
    out = accepted_opt_outs(pod, policy)
    without = policy_of(*rules.controls, opt_out=OptOutRules(frozenset()))
    names = {place(each): each.name for each in view(pod).containers}
    expected = [
        decision
        for decision in decisions(pod, without)
        if decision[0] in PER_CONTAINER and not {(decision[0], None), (decision[0], names.get(decision[1]))} & out
    ]

    assert [decision for decision in decisions(pod, rules) if decision[0] in PER_CONTAINER] == expected


@given(pods, policies, exemptions)
def test_the_token_goes_with_every_mount_or_stays_for_who_is_left_out(pod, policy, exempt):
    before = admitted(pod)
    after = run(before, configuration(policy, exempt).default).after
    was, now = (spec(each).get(TOKEN) for each in (before, after))
    kept = len(view(before).containers) - len(in_scope(before, policy, exempt).get(TOKEN, ()))
    if was is None and now is False:
        stays = any(is_injected_token(volume) for volume in rows(spec(after).get("volumes")))
        was_there = any(is_injected_token(volume) for volume in rows(spec(before).get("volumes")))

        assert stays == (was_there and bool(kept))


@given(pods)
def test_a_view_that_is_used_twice_gives_the_same_twice(pod):
    standard = BUILTIN["standard"]
    shared = view(pod)
    first, second = (harden(shared, standard, STANDALONE, TODAY) for _ in range(2))

    assert [(w.path, w.value, w.how, id(w.at)) for w in first.writes(Mode.ENFORCE)] == [
        (w.path, w.value, w.how, id(w.at)) for w in second.writes(Mode.ENFORCE)
    ]
