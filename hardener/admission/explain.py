"""explain(review, config, facts, today) -> Explanation: what a workload's pods will receive, told to who applies it.

It never refuses and never patches, so that what GitOps tools compare stays as it was written. Only what a person sent
is explained: a controller's object has its own owner to explain, and an update that leaves the template as it was has
nothing new to say.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from enum import StrEnum

import msgspec

from hardener.admission.answer import review_with
from hardener.admission.respond import is_controller
from hardener.admission.review import WorkloadReview
from hardener.admission.workload import Judgement, Object, controller, judge, mapping_at, misplaced_opt_outs, remarks
from hardener.errors import MisfitError
from hardener.model import Facts, Path, Verdict
from hardener.model.workloads import template_paths
from hardener.policy.config import Config
from hardener.policy.policy import Warnings
from hardener.wording import NAME, Sentence, Topic, changes, held_back, one_line, warnings


class Explained(StrEnum):
    """What became of a review; a metric label."""

    EXPLAINED = "explained"
    UNCHANGED = "unchanged"
    SPARED = "spared"
    IGNORED = "ignored"
    MISFIT = "misfit"
    FAILED = "failed"


class Explanation(msgspec.Struct, frozen=True, eq=False):
    """The answer to one review; `error` is set where the engine as a whole failed, `failures` where controls did."""

    uid: str
    result: Explained
    warnings: list[str] = []
    policy: str = ""
    failures: Sequence[Verdict] = ()
    error: Exception | None = None


def encode_explanation(explanation: Explanation) -> bytes:
    """Write the AdmissionReview: allowed, always."""
    response: dict[str, object] = {"uid": explanation.uid, "allowed": True}
    if explanation.warnings:
        response["warnings"] = explanation.warnings
    return review_with(response)


def explain(review: WorkloadReview, config: Config, facts: Facts, today: date) -> Explanation:
    """Answer a well-formed review. Raises nothing, and never refuses, whatever `onError` says."""
    try:
        return _explain(review, config, facts, today)
    except MisfitError as misfit:
        text = f"not explained, the object is no {review.kind}: {misfit}"
        return Explanation(review.uid, Explained.MISFIT, warnings([Sentence(Topic.FAILED, text)]))
    except Exception as error:  # a bug must not stand between people and their cluster (P1)
        return Explanation(review.uid, Explained.FAILED, [f"{NAME}: internal error: nothing is explained"], error=error)


def _explain(review: WorkloadReview, config: Config, facts: Facts, today: date) -> Explanation:
    if review.operation not in ("CREATE", "UPDATE") or review.subresource:
        return Explanation(review.uid, Explained.IGNORED)
    templates = template_paths(review.manifest, review.api_version, review.kind, config.templates)
    # What holds no template, and a pod, which is its own.
    if not templates or not templates[0]:
        return Explanation(review.uid, Explained.IGNORED)
    if is_controller(review.username):
        return Explanation(review.uid, Explained.SPARED)
    obj = _object(review.manifest)
    # Whoever manages the object makes it anew as it likes, and has an owner of its own to explain.
    if controller(obj) is not None:
        return Explanation(review.uid, Explained.SPARED)
    said: list[Sentence] = []
    judgements = []
    for template, misplaced in _news(review, obj, templates):
        judgement = judge(obj, review.kind, template, review.namespace, config, facts, today)
        judgements.append(judgement)
        said += misplaced or sentences(judgement)
    if not judgements:
        return Explanation(review.uid, Explained.UNCHANGED)
    policy = judgements[0].selection.policy
    told = [] if policy.warnings is Warnings.NONE else warnings(said, beforehand=True)
    failures = [failure for judgement in judgements for failure in judgement.outcome.errors]
    return Explanation(review.uid, Explained.FAILED if failures else Explained.EXPLAINED, told, policy.label, failures)


def _news(review: WorkloadReview, obj: Object, templates: Sequence[Path]) -> Iterator[tuple[Path, list[Sentence]]]:
    """The templates that there is something new to say about; all of it, or just the sentences that come with them."""
    old = review.old_manifest if review.operation == "UPDATE" else None
    for template in templates:
        if mapping_at(obj, template) != _template(old, template):
            yield template, []
        # Who annotates the workload instead of its template has to hear that, although the template is the same.
        elif misplaced := _newly_misplaced(obj, old, template):
            yield template, misplaced


def sentences(judgement: Judgement) -> Iterator[Sentence]:
    """All that is to be said about an object's pods before they are made."""
    yield from remarks(judgement)
    yield from changes(judgement.outcome, beforehand=True)
    yield from held_back(judgement.outcome)


def _newly_misplaced(obj: Object, old: object, template: Path) -> list[Sentence]:
    """The opt-outs that an update has put where they do nothing."""
    before = {*misplaced_opt_outs(old, template)} if isinstance(old, dict) else set[str]()
    return [Sentence(Topic.NOTE, one_line(each)) for each in misplaced_opt_outs(obj, template) if each not in before]


def _object(value: object) -> Object:
    if not isinstance(value, dict):
        raise MisfitError((), "it must be a mapping")
    return value


def _template(old: object, template: Path) -> Object | None:
    """The template before an update; None where there is none to compare with."""
    if not isinstance(old, dict):
        return None
    try:
        return mapping_at(old, template)
    except MisfitError:
        return None
