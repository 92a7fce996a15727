"""respond(review, config, facts, today) -> Answer: the whole decision about one request, still pure."""

from collections.abc import Iterator
from datetime import date

from hardener.admission.answer import Answer, Result
from hardener.admission.audit import annotations
from hardener.admission.provenance import provenance, reach
from hardener.admission.review import Review
from hardener.engine import harden
from hardener.model import Exempt, Facts, Mode, Outcome, Pod
from hardener.patch import Operation, render
from hardener.policy.config import Config, OnError, Selection
from hardener.policy.policy import Warnings
from hardener.wording import NAME, Sentence, Topic, changes, doubts, exempted, failure, held_back, problems, warnings

CONTROLLER_MANAGER = "system:kube-controller-manager"
CONTROLLER_ACCOUNTS = "system:serviceaccount:kube-system:"


def respond(review: Review, config: Config, facts: Facts, today: date) -> Answer:
    """Answer a well-formed review. Raises nothing: what goes wrong inside is in the answer, as `onError` wants it."""
    if not review.creates_pod:
        return Answer(review.uid, Result.IGNORED)
    pod = review.pod
    if pod is None:
        return _misfit(review)
    # The kubelet runs its own file, whatever the mirror says (semantics.md 1.4).
    if pod.is_mirror:
        return Answer(review.uid, Result.IGNORED)
    selection = config.select(review.namespace, facts.labels, known=facts.known)
    try:
        outcome = _exempt_creator(review, pod, config, selection) or harden(pod, selection.policy, facts, today)
        return _decide(review, pod, selection, config.on_error, outcome)
    except Exception as error:  # a bug must not stop the cluster from making pods (P1)
        return _failed(review, selection, config.on_error, error)


def _exempt_creator(review: Review, pod: Pod, config: Config, selection: Selection) -> Outcome | None:
    """The outcome for the pod of a creator who is exempt, if this one is."""
    if config.exempt_users is None or not selection.policy.controls:
        return None
    line = config.exempt_users.find(review.username, review.groups)
    return None if line is None else Outcome(exempt=(Exempt(pod, line.key, line.place),))


def _decide(review: Review, pod: Pod, selection: Selection, on_error: OnError, outcome: Outcome) -> Answer:
    policy, doubt = selection.policy, selection.doubt
    told = _warnings(review, selection, outcome)
    if not policy.controls:
        audit = annotations(selection, outcome, "", []) if doubt is not None else {}
        return Answer(review.uid, Result.UNCHANGED, [], told, audit, policy=policy, outcome=outcome, doubt=doubt)
    failed = outcome.errors
    if failed and on_error is OnError.DENY and any(verdict.mode is Mode.ENFORCE for verdict in failed):
        message = f"{NAME}: {failure(failed[0])}, and onError is deny"
        return Answer(review.uid, Result.DENIED, message=message, policy=policy, outcome=outcome, doubt=doubt)
    writes = outcome.writes(Mode.ENFORCE)
    announced = _announced(outcome) if policy.announces else []
    reached = reach(pod, policy, outcome)
    return Answer(
        review.uid,
        _result(outcome, bool(failed), bool(writes), bool(announced)),
        render(writes + provenance(pod, policy, reached, writes)),
        told,
        annotations(selection, outcome, reached.applied, announced),
        announced,
        "",
        policy,
        doubt,
        outcome,
    )


def _announced(outcome: Outcome) -> list[Operation]:
    """The one patch that would be sent if every dry-run control were enforced; empty where none would do anything."""
    if any(verdict.writes and verdict.mode is Mode.DRY_RUN for verdict in outcome.verdicts):
        return render(outcome.writes(Mode.ENFORCE, Mode.DRY_RUN))
    return []


def _result(outcome: Outcome, failed: bool, patched: bool, announced: bool) -> Result:
    """Say what became of the pod; the annotations that tell of it are no change of their own."""
    if outcome.is_exempt:
        return Result.EXEMPT
    if failed:
        return Result.FAILED
    if patched:
        return Result.PATCHED
    return Result.ANNOUNCED if announced else Result.UNCHANGED


def _warnings(review: Review, selection: Selection, outcome: Outcome) -> list[str]:
    """What the sender is told; a controller's account would only fill its log (semantics.md 6.3)."""
    level = selection.policy.warnings
    if level is Warnings.NONE or is_controller(review.username):
        return []
    sentences = [*doubts(selection), *problems(outcome)]
    if level is Warnings.CHANGES:
        sentences += _changes(outcome)
    return warnings(sentences) if sentences else []


def _changes(outcome: Outcome) -> Iterator[Sentence]:
    yield from exempted(outcome)
    yield from changes(outcome)
    yield from held_back(outcome)


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
        else warnings([Sentence(Topic.FAILED, f"left alone, the object is no Pod: {reason}")]),
    )


def _failed(review: Review, selection: Selection, on_error: OnError, error: Exception) -> Answer:
    policy = selection.policy
    if on_error is OnError.DENY and policy.enforced:
        message = f"{NAME}: internal error, and onError is deny"
        return Answer(review.uid, Result.DENIED, message=message, policy=policy, error=error)
    silent = policy.warnings is Warnings.NONE or is_controller(review.username)
    told = [] if silent else [f"{NAME}: internal error: the pod was left as it is"]
    return Answer(review.uid, Result.FAILED, warnings=told, policy=policy, error=error)
