"""Answer -> log lines: one for each review, at a level that says whether anything happened."""

from collections.abc import Sequence

from hardener.admission import Answer, Explained, Explanation, Result, Review, WorkloadReview
from hardener.model import Pod, Verdict
from hardener.server.log import Level, Log

_ERRORS = frozenset({Result.FAILED, Result.DENIED})
_QUIET = frozenset({Result.UNCHANGED, Result.EXEMPT, Result.IGNORED})


def record(log: Log, review: Review | None, answer: Answer, seconds: float) -> None:
    """Log one answered review, and each internal error in it with its place in the code.

    A line holds names, decisions, reasons and the patch that a dry run announces, and nothing else of the pod. A review
    in which nothing was changed, announced or wrong is worth a line for debugging only. `review` is None where decoding
    failed.
    """
    level = _level(answer)
    if level == "debug" and not log.debugs:
        return
    fields: dict[str, object] = {"uid": answer.uid, "result": str(answer.result)}
    if review is not None:
        _name(review, fields)
    fields |= answer.audit
    if answer.announced:
        fields["would-apply"] = answer.announced
    fields["seconds"] = round(seconds, 6)
    message = "reviewed"
    if level == "error":
        _record_errors(log, answer.uid, answer.error, answer.outcome.errors if answer.outcome is not None else ())
        message = answer.message or "reviewed with an internal error"
    log.write(level, message, fields)


def record_explanation(log: Log, review: WorkloadReview, explanation: Explanation, seconds: float) -> None:
    """Log one explained workload: nothing has happened yet, unless hardener itself failed."""
    _record_errors(log, review.uid, explanation.error, explanation.failures)
    level: Level = "error" if explanation.result is Explained.FAILED else "debug"
    if level == "debug" and not log.debugs:
        return
    fields: dict[str, object] = {
        "uid": review.uid,
        "result": explanation.result.value,
        "namespace": review.namespace,
        "kind": review.kind,
        "policy": explanation.policy,
        "warnings": len(explanation.warnings),
        "seconds": round(seconds, 6),
    }
    log.write(level, "explained", fields)


def _level(answer: Answer) -> Level:
    result, opt_outs = answer.result, answer.outcome.opt_outs if answer.outcome is not None else ()
    if result in _ERRORS:
        return "error"
    refused = opt_outs and not all(opt_out.accepted for opt_out in opt_outs)
    if refused or answer.doubt is not None or result is Result.MISFIT:
        return "warning"
    return "debug" if result in _QUIET and not answer.operations else "info"


def _name(review: Review, fields: dict[str, object]) -> None:
    """Name the pod as far as it has a name: a controller's pod gets its own only after all admission."""
    fields["namespace"] = review.namespace
    if review.name:
        fields["name"] = review.name
    if review.generate_name:
        fields["generateName"] = review.generate_name
    if review.pod is not None and (owner := _owner(review.pod)):
        fields["owner"] = owner
    if review.dry_run:
        fields["dryRun"] = True
    if review.misfit:
        fields["reason"] = review.misfit


def _owner(pod: Pod) -> str:
    """The controller that made it, as `ReplicaSet/web-5d4f`; empty for a pod of its own."""
    for reference in pod.metadata.ownerReferences or ():
        if reference.controller is True:
            return f"{reference.kind}/{reference.name}"
    return ""


def _record_errors(log: Log, uid: str, error: Exception | None, failures: Sequence[Verdict]) -> None:
    if error is not None:
        log.failure("internal error", error, uid=uid)
    for verdict in failures:
        log.failure("internal error", verdict.error, uid=uid, control=verdict.control)
