"""respond(review, config, facts, today) -> Answer: the whole decision about one request, still pure."""

from datetime import date

from hardener.admission.answer import Answer, Result
from hardener.admission.audit import annotations
from hardener.admission.review import Review
from hardener.engine import harden
from hardener.model import Facts, Mode, Outcome
from hardener.patch import render
from hardener.policy.config import Config, OnError
from hardener.policy.policy import Policy, Warnings
from hardener.wording import changes, failure, problems, warnings

MIRROR = "kubernetes.io/config.mirror"
CONTROLLER_MANAGER = "system:kube-controller-manager"
CONTROLLER_ACCOUNTS = "system:serviceaccount:kube-system:"


def respond(review: Review, config: Config, facts: Facts, today: date) -> Answer:
    """Answer a well-formed review. Raises nothing: what goes wrong inside is in the answer, as `onError` wants it."""
    if not _is_pod_creation(review):
        return Answer(review.uid, Result.IGNORED)
    pod = review.pod
    if pod is None:
        return _misfit(review)
    # The kubelet runs its own file, whatever the mirror says (semantics.md 1.4).
    if MIRROR in pod.annotations:
        return Answer(review.uid, Result.IGNORED)
    policy = config.select(review.namespace).policy
    try:
        return _decide(review, policy, config.on_error, harden(pod, policy, facts, today))
    except Exception as error:  # a bug must not stop the cluster from making pods (P1)
        return _failed(review, policy, config.on_error, error)


def _is_pod_creation(review: Review) -> bool:
    """Everything else passes untouched: an UPDATE of a pod may change next to nothing (semantics.md 2.3)."""
    return review.resource == "pods" and review.operation == "CREATE" and not review.subresource


def _decide(review: Review, policy: Policy, on_error: OnError, outcome: Outcome) -> Answer:
    if not policy.controls:
        return Answer(review.uid, Result.UNCHANGED, policy=policy, outcome=outcome)
    failed = outcome.errors
    if failed and on_error is OnError.DENY and any(verdict.mode is Mode.ENFORCE for verdict in failed):
        message = f"hardener: {failure(failed[0])}, and onError is deny"
        return Answer(review.uid, Result.DENIED, message=message, policy=policy, outcome=outcome)
    operations = render(outcome.writes(Mode.ENFORCE))
    audit = annotations(policy, outcome)
    result = Result.UNCHANGED
    if failed:
        result = Result.FAILED
    elif operations:
        result = Result.PATCHED
    elif "would-apply" in audit:
        result = Result.ANNOUNCED
    return Answer(review.uid, result, operations, _warnings(review, policy, outcome), audit, "", policy, outcome)


def _warnings(review: Review, policy: Policy, outcome: Outcome) -> list[str]:
    """What the sender is told; a controller's account would only fill its log (semantics.md 6.3)."""
    if policy.warnings is Warnings.NONE or is_controller(review.username):
        return []
    sentences = list(problems(outcome))
    if policy.warnings is Warnings.CHANGES:
        sentences += changes(outcome)
    return warnings(sentences) if sentences else []


def is_controller(username: str) -> bool:
    """Whether the sender is one of the cluster's own controllers, which no person reads along with."""
    return username == CONTROLLER_MANAGER or username.startswith(CONTROLLER_ACCOUNTS)


def _misfit(review: Review) -> Answer:
    """The API server will refuse it with a better message than ours; until then nothing is touched."""
    reason = review.misfit or "it is null"
    return Answer(
        review.uid,
        Result.MISFIT,
        warnings=[]
        if is_controller(review.username)
        else warnings([f"hardener: left alone, the object is no Pod: {reason}"]),
    )


def _failed(review: Review, policy: Policy, on_error: OnError, error: Exception) -> Answer:
    if on_error is OnError.DENY and policy.mode is Mode.ENFORCE:
        message = "hardener: internal error, and onError is deny"
        return Answer(review.uid, Result.DENIED, message=message, policy=policy, error=error)
    told = [] if is_controller(review.username) else ["hardener: internal error: the pod was left as it is"]
    return Answer(review.uid, Result.FAILED, warnings=told, policy=policy, error=error)
