"""Decisions in a form that two pods can be compared by: no views, and nothing of the injected token."""

from datetime import date
from typing import Any

from hardener.engine import harden
from hardener.model import STANDALONE, Container, Facts, Outcome, Pod
from hardener.policy.policy import Policy
from tests.pod_json import Json
from tests.pods import TODAY, view

Decision = tuple[str, str, str, Any]
"""Control, place, reason or path, value."""


def decisions(pod: Json, policy: Policy, facts: Facts = STANDALONE, today: date = TODAY) -> list[Decision]:
    """What is written and held back, in order, the removal of the token volume and its mounts aside."""
    return decisions_of(harden(view(pod), policy, facts, today))


def decisions_of(outcome: Outcome) -> list[Decision]:
    found: list[Decision] = []
    for verdict in outcome.verdicts:
        assert verdict.error is None, (verdict.control, verdict.error)
        for write in verdict.writes:
            if write.how != "remove":
                path = ".".join(map(str, write.path))
                found.append((verdict.control, place(write.at), f"{write.how} {path}: {write.reason}", write.value))
        found += [(verdict.control, place(skip.at), skip.reason, None) for skip in verdict.skips]
    return found


def place(at: Pod | Container) -> str:
    """Where a finding stands, by position: names can be doubled."""
    return f"{at.field}[{at.index}] {at.name}" if isinstance(at, Container) else "pod"
