"""Who decides about a pod, read anew from design.md 4: modes, opt-outs and exemptions as file and pod spell them."""

import re
from datetime import date, timedelta

from hardener.controls import CATALOGUE
from tests.decisions import place
from tests.pod_json import Json, annotations, spec
from tests.pods import TODAY, view
from tests.properties.containers import IMAGES
from tests.properties.policies import MODES

OptOut = tuple[str, str | None]
"""A control, and the container that is meant; None is the whole pod."""


def mode_of(policy: Json, control: str) -> str:
    """The weaker of the policy's and the control's mode, for a policy that extends `standard`."""
    own = (policy.get("controls") or {}).get(control, {})
    words = ["disabled"] if own is None else [policy.get("mode") or "enforce", own.get("mode") or "enforce"]
    return max(words, key=MODES.index)


def enforced_by(policy: Json) -> list[str]:
    return [control for control in CATALOGUE if mode_of(policy, control) == "enforce"]


def accepted_opt_outs(pod: Json, policy: Json) -> set[OptOut]:
    """The opt-outs on a pod that count."""
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


def is_exempt(pod: Json, exempt: Json) -> bool:
    """Whether the pod as a whole is."""
    named = {"runtimeClassName": "runtimeClasses", "priorityClassName": "priorityClasses"}
    return any(spec(pod).get(field) in exempt.get(key, ()) for field, key in named.items())


def exempt_places(pod: Json, exempt: Json) -> set[str]:
    """The places of the containers that are exempt by name and image."""
    return {
        place(each)
        for each in view(pod).containers
        for entry in exempt.get("containers", ())
        if each.name == entry["name"] and _fits(IMAGES.get(each.manifest.image or "", ""), entry["image"])
    }


def in_scope(pod: Json, policy: Json, exempt: Json) -> dict[str, list[str]]:
    """Each enforced control that the pod as a whole has not opted out of, to the places that it is about."""
    out, left_alone = accepted_opt_outs(pod, policy), exempt_places(pod, exempt)
    return {
        control: [
            place(each)
            for each in view(pod).containers
            if place(each) not in left_alone and (control, each.name) not in out
        ]
        for control in enforced_by(policy)
        if (control, None) not in out
    }


def _fits(full: str, pattern: str) -> bool:
    """The patterns of these tests end in a star, which reaches into no folder."""
    start = pattern.removesuffix("*")
    return full.startswith(start) and "/" not in full.removeprefix(start)
