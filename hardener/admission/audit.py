"""Outcome -> audit annotations: what the API server's audit log keeps of a decision.

Keys are plain names, since the API server puts the webhook's name and a slash before them (semantics.md 6.4).
"""

import orjson

from hardener.model import Outcome
from hardener.patch import Operation
from hardener.policy.config import Selection
from hardener.wording import describe_at, doubts, hold, one_line, opt_out_cause, opt_out_subject

WOULD_APPLY_LIMIT = 8 * 1024
"""Bytes of the patch that a dry run announces; whole operations beyond are counted instead."""

TEXT_LIMIT = 4 * 1024
"""Characters of any other annotation."""


def annotations(selection: Selection, outcome: Outcome, applied: str, announced: list[Operation]) -> dict[str, str]:
    """Say by which policy what is enforced and held back; absent keys had nothing to say.

    `applied` names the controls that hold for the whole pod, as its annotation does; `announced` is the patch of a dry run.
    """
    policy = selection.policy
    audit: dict[str, str] = {"policy": policy.label, "mode": policy.mode}
    if selection.doubt is not None:
        audit["doubt"] = "; ".join(text for _, text in doubts(selection))
    if applied:
        audit["applied"] = applied
    if not outcome.is_complete:
        audit |= _left_out(outcome)
    if announced:
        audit["would-apply"] = _bounded(announced)
    return audit


def _left_out(outcome: Outcome) -> dict[str, str]:
    """What the controls did not reach, and why."""
    audit: dict[str, str] = {}
    skipped = [hold(verdict.control, skip) for verdict in outcome.verdicts for skip in verdict.skips]
    if skipped:
        audit["skipped"] = one_line("; ".join(skipped), TEXT_LIMIT)
    if outcome.opt_outs:
        decided = (f"{opt_out_subject(opt_out)}: {opt_out_cause(opt_out)}" for opt_out in outcome.opt_outs)
        audit["opt-out"] = one_line("; ".join(decided), TEXT_LIMIT)
    if outcome.exempt:
        lines = (f"{describe_at(exempt.at)} by {exempt.key} ({exempt.place})" for exempt in outcome.exempt)
        audit["exempt"] = one_line("; ".join(lines), TEXT_LIMIT)
    return audit


def _bounded(operations: list[Operation]) -> str:
    """The patch as JSON; what is too long loses whole operations, and says how many."""
    text = orjson.dumps(operations).decode()
    if len(text) <= WOULD_APPLY_LIMIT:
        return text
    kept: list[str] = []
    room = WOULD_APPLY_LIMIT
    for operation in operations:
        part = orjson.dumps(operation).decode()
        room -= len(part) + 1
        if room < 0:
            break
        kept.append(part)
    return f"[{','.join(kept)}] and {len(operations) - len(kept)} more operations"
