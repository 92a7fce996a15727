"""Answer -> log lines: one for a review in which something was changed, announced, or went wrong."""

from hardener.admission import Answer, Result, Review
from hardener.server.log import Log

_QUIET = frozenset({Result.UNCHANGED, Result.IGNORED})


def record(log: Log, review: Review | None, answer: Answer, seconds: float) -> None:
    """Log one answered review, and each internal error in it with its place in the code.

    A line holds names, decisions and reasons, and nothing else of the pod. `review` is None where decoding failed.
    """
    outcome = answer.outcome
    refused = outcome is not None and any(not opt_out.accepted for opt_out in outcome.opt_outs)
    if answer.result in _QUIET and not refused:
        return
    fields: dict[str, object] = {"uid": answer.uid, "result": answer.result.value}
    if review is not None:
        fields |= {"namespace": review.namespace, "name": review.name or review.generate_name}
        if review.dry_run:
            fields["dryRun"] = True
        if review.misfit:
            fields["reason"] = review.misfit
    # The patch that a dry run announces is as long as a pod; the audit log has it.
    fields |= {key: text for key, text in answer.audit.items() if key != "would-apply"}
    fields["seconds"] = round(seconds, 6)
    if answer.result in (Result.FAILED, Result.DENIED):
        _record_errors(log, answer)
        log.write("error", answer.message or "reviewed with an internal error", fields)
    elif refused or answer.result is Result.MISFIT:
        log.write("warning", "reviewed", fields)
    else:
        log.write("info", "reviewed", fields)


def _record_errors(log: Log, answer: Answer) -> None:
    if answer.error is not None:
        log.failure("internal error", answer.error, uid=answer.uid)
    for verdict in answer.outcome.errors if answer.outcome is not None else ():
        log.failure("internal error", verdict.error, uid=answer.uid, control=verdict.control)
