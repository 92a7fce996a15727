"""Outcome -> audit annotations: what the API server's audit log keeps of a decision.

Keys are plain names, since the API server puts the webhook's name and a slash before them (semantics.md 6.4).
"""

import orjson

from hardener.model import Mode, Outcome
from hardener.patch import Operation, render
from hardener.policy.policy import Policy
from hardener.wording import hold, one_line, opt_out_cause, opt_out_subject

WOULD_APPLY_LIMIT = 8 * 1024
"""Bytes of the patch that a dry run announces; whole operations beyond are counted instead."""

TEXT_LIMIT = 4 * 1024
"""Characters of any other annotation."""


def annotations(policy: Policy, outcome: Outcome) -> dict[str, str]:
    """Say by which policy what was done and held back; absent keys had nothing to say."""
    audit: dict[str, str] = {"policy": policy.label, "mode": policy.mode}
    applied: list[str] = []
    skipped: list[str] = []
    is_announced = False
    for verdict in outcome.verdicts:
        if verdict.writes:
            if verdict.mode is Mode.ENFORCE:
                applied.append(verdict.control)
            else:
                is_announced = True
        skipped += [hold(verdict.control, skip) for skip in verdict.skips]
    if applied:
        audit["applied"] = ",".join(applied)
    if skipped:
        audit["skipped"] = one_line("; ".join(skipped), TEXT_LIMIT)
    if outcome.opt_outs:
        decided = (f"{opt_out_subject(opt_out)}: {opt_out_cause(opt_out)}" for opt_out in outcome.opt_outs)
        audit["opt-out"] = one_line("; ".join(decided), TEXT_LIMIT)
    if is_announced:
        audit["would-apply"] = _bounded(render(outcome.writes(Mode.ENFORCE, Mode.DRY_RUN)))
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
