"""What is done to a pod is what its policy enforces, less what the pod may refuse and what is held back."""

import re
from datetime import date, timedelta

from hypothesis import given

from hardener.controls import CATALOGUE
from hardener.engine import harden
from hardener.model import STANDALONE, Container, Mode
from hardener.policy.builtin import BUILTIN
from hardener.policy.policy import OptOutRules
from tests.decisions import decisions, place
from tests.pod_json import annotations, is_injected_token, rows, security, spec
from tests.pods import TODAY, policy_of, run, view
from tests.properties.pods import pods
from tests.properties.policies import MODES, configuration, policies

PER_CONTAINER = ("allowPrivilegeEscalation", "capabilities", "runAsNonRoot", "seccompProfile")
"""Controls that decide on each container for itself and write to nothing else."""

LINUX_CONTROLS = (*PER_CONTAINER, "readOnlyRootFilesystem")


def is_done(control, pod, own):
    """Whether a container's security context, with its pod's, is as the control wants it."""
    match control:
        case "allowPrivilegeEscalation":
            return own.get("allowPrivilegeEscalation") is False
        case "capabilities":
            return "ALL" in ((own.get("capabilities") or {}).get("drop") or [])
        case "readOnlyRootFilesystem":
            return own.get("readOnlyRootFilesystem") is True
        case "runAsNonRoot":
            return True in (own.get("runAsNonRoot"), security(spec(pod)).get("runAsNonRoot"))
        case "seccompProfile":
            return any(each.get("seccompProfile") is not None for each in (own, security(spec(pod))))
    raise AssertionError(control)


def mode_of(policy, control):
    """The weaker of the policy's and the control's mode, by the words of design.md 4."""
    own = policy.get("controls", {}).get(control, {})
    words = ["disabled"] if own is None else [policy.get("mode", "enforce"), own.get("mode", "enforce")]
    return max(words, key=MODES.index)


def accepted_opt_outs(pod, policy):
    """Read the annotations anew: the (control, container) pairs that count; container None is the whole pod."""
    rules = {"controls": "all", "requireReason": False, "maxDays": None, **policy.get("optOut", {})}
    notes = annotations(pod)
    free = {"all": list(CATALOGUE), "none": []}.get(str(rules["controls"]), rules["controls"])
    until, reason = (notes.get("hardener.dev/opt-out-until") or ""), (notes.get("hardener.dev/opt-out-reason") or "")
    if rules["requireReason"] and not reason.strip():
        return set()
    if until:
        if not re.fullmatch(r"\d{4}-\d\d-\d\d", until):
            return set()
        day = date.fromisoformat(until)
        if day < TODAY or (rules["maxDays"] is not None and day > TODAY + timedelta(days=rules["maxDays"])):
            return set()
    elif rules["maxDays"] is not None:
        return set()
    places = {"hardener.dev/opt-out": None}
    places |= {key: key.partition("/")[2] for key in notes if key.startswith("opt-out.hardener.dev/")}
    words = [
        (word, place) for key, place in places.items() for word in (notes.get(key) or "").replace(",", " ").split()
    ]
    return {(name, place) for word, place in words for name in CATALOGUE if word in (name, "*") and name in free}


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


@given(pods, policies)
def test_every_container_is_hardened_or_held_or_opted_out(pod, policy):
    hardened = run(pod, configuration(policy).default)
    out = accepted_opt_outs(pod, policy)
    for verdict in hardened.outcome.verdicts:
        if verdict.control not in LINUX_CONTROLS or verdict.mode is not Mode.ENFORCE:
            continue
        held = {place(skip.at) for skip in verdict.skips}
        touched = {place(each.at) for each in (*verdict.writes, *verdict.skips) if isinstance(each.at, Container)}
        for each in view(pod).containers:
            where = place(each)
            if (verdict.control, each.name) in out:
                assert where not in touched, (verdict.control, where)
            elif not held & {where, "pod"}:
                own = security(spec(hardened.after)[each.field][each.index])
                assert is_done(verdict.control, hardened.after, own), (verdict.control, where)


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


@given(pods, policies)
def test_the_token_goes_with_every_mount_or_stays_for_who_opted_out(pod, policy):
    rules = configuration(policy).default
    after = run(pod, rules).after
    was, now = (spec(each).get("automountServiceAccountToken") for each in (pod, after))
    out = {
        container for control, container in accepted_opt_outs(pod, policy) if control == "automountServiceAccountToken"
    }
    kept = [each for each in view(pod).containers if each.name in out]
    if was is None and now is False:
        stays = any(is_injected_token(volume) for volume in rows(spec(after).get("volumes")))
        was_there = any(is_injected_token(volume) for volume in rows(spec(pod).get("volumes")))

        assert stays == (was_there and bool(kept))


@given(pods)
def test_a_view_that_is_used_twice_gives_the_same_twice(pod):
    standard = BUILTIN["standard"]
    shared = view(pod)
    first, second = (harden(shared, standard, STANDALONE, TODAY) for _ in range(2))

    assert [(w.path, w.value, w.how, id(w.at)) for w in first.writes(Mode.ENFORCE)] == [
        (w.path, w.value, w.how, id(w.at)) for w in second.writes(Mode.ENFORCE)
    ]
