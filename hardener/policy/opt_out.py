"""Opt-out annotations -> decisions. The one place that reads them, for every surface.

`hardener.dev/opt-out` speaks for the whole pod, `opt-out.hardener.dev/<container>` for one container; a reason and a
last day (UTC) may stand beside them (design.md 4). Each word is judged alone, and a refused one changes nothing.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from hardener.model import Annotations, OptOut, OptOutCause
from hardener.policy.nearest import nearest
from hardener.policy.policy import OptOutRules

OPT_OUT = "hardener.dev/opt-out"
REASON = "hardener.dev/opt-out-reason"
UNTIL = "hardener.dev/opt-out-until"
CONTAINER_PREFIX = "opt-out.hardener.dev/"
EVERYTHING = "*"

SOON_DAYS = 14
"""An opt-out that ends within so many days is named, before a node drain finds out."""

MOST_WORDS = 100
"""Words that are judged on one pod. There are fewer controls, and finding the nearest known word takes its time."""


class _Condition(NamedTuple):
    """What becomes of every word of a pod that is neither unknown nor locked."""

    cause: OptOutCause
    detail: str = ""
    ends_soon: bool = False


def decide(annotations: Annotations, rules: OptOutRules, known: frozenset[str], today: date) -> tuple[OptOut, ...]:
    """Judge every opt-out word on a pod; `known` are the names of all controls, `today` is a day in UTC."""
    words = [(container, word) for container, text in _requests(annotations) for word in _words(text)]
    if not words:
        return ()
    condition = _condition(annotations, rules, today)
    decisions = [
        decision
        for container, word in words[:MOST_WORDS]
        for decision in _judge(word, container, rules, known, condition)
    ]
    if len(words) > MOST_WORDS:
        decisions.append(OptOut(f"and {len(words) - MOST_WORDS} more", None, OptOutCause.UNKNOWN_CONTROL))
    return tuple(decisions)


def _requests(annotations: Annotations) -> list[tuple[str | None, str]]:
    """The texts that ask for an opt-out, each with its container, or None for the whole pod."""
    # Most pods have none, which shows in all keys at once; there may be thousands.
    if OPT_OUT not in annotations and CONTAINER_PREFIX not in "\n".join(annotations):
        return []
    return [
        (None if key == OPT_OUT else key.removeprefix(CONTAINER_PREFIX), text or "")
        for key, text in annotations.items()
        if key == OPT_OUT or key.startswith(CONTAINER_PREFIX)
    ]


def _words(text: str) -> Iterator[str]:
    """Each word once: commas or white space part them."""
    yield from dict.fromkeys(text.replace(",", " ").split())


def _judge(
    word: str, container: str | None, rules: OptOutRules, known: frozenset[str], condition: _Condition
) -> Iterator[OptOut]:
    if word == EVERYTHING:
        free = sorted(known & rules.controls)
        if not free:
            yield OptOut(word, container, OptOutCause.LOCKED)
        for control in free:
            yield OptOut(control, container, *condition)
    elif word not in known:
        yield OptOut(word, container, OptOutCause.UNKNOWN_CONTROL, nearest(word, known))
    elif word not in rules.controls:
        yield OptOut(word, container, OptOutCause.LOCKED)
    else:
        yield OptOut(word, container, *condition)


def _condition(annotations: Annotations, rules: OptOutRules, today: date) -> _Condition:
    """Judge what all words of a pod have in common: its reason and its last day."""
    if rules.require_reason and not (annotations.get(REASON) or "").strip():
        return _Condition(OptOutCause.NO_REASON)
    text = (annotations.get(UNTIL) or "").strip()
    if not text:
        if rules.max_days is None:
            return _Condition(OptOutCause.ACCEPTED)
        return _Condition(OptOutCause.NO_EXPIRY, str(rules.max_days))
    until = _day(text)
    if until is None:
        return _Condition(OptOutCause.BAD_EXPIRY, text)
    if until < today:
        return _Condition(OptOutCause.EXPIRED, text)
    if rules.max_days is not None and until - today > timedelta(days=rules.max_days):
        return _Condition(OptOutCause.TOO_FAR_AHEAD, str(rules.max_days))
    return _Condition(OptOutCause.ACCEPTED, text, until - today <= timedelta(days=SOON_DAYS))


def _day(text: str) -> date | None:
    """Read a day as 2027-01-31, and none of the other forms that ISO 8601 knows."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.isoformat() == text else None
