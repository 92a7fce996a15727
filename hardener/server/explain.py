"""POST /explain: an AdmissionReview of a workload in, warnings for who applies it out."""

from collections.abc import Coroutine
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from hardener.admission import WorkloadReview, decode_workload, encode_explanation
from hardener.admission import explain as explain_review
from hardener.metrics import ENGINE
from hardener.model import Facts
from hardener.server.record import record_explanation
from hardener.server.state import State


def explain(body: bytes, state: State) -> bytes | Coroutine[Any, Any, bytes]:
    """Decode, explain, encode, count, log; raises ReviewError where the body holds no review.

    Where the namespace is new it is a coroutine, which asks the cluster about it in between.
    """
    started = perf_counter()
    review = decode_workload(body)
    facts = state.facts(review.namespace)
    if isinstance(facts, Facts):
        return _explain(review, facts, state, started)
    return _ask_and_explain(review, facts, state, started)


async def _ask_and_explain(
    review: WorkloadReview, facts: Coroutine[Any, Any, Facts], state: State, started: float
) -> bytes:
    return _explain(review, await facts, state, started)


def _explain(review: WorkloadReview, facts: Facts, state: State, started: float) -> bytes:
    explanation = explain_review(review, state.config, facts, datetime.now(UTC).date())
    encoded = encode_explanation(explanation)
    seconds = perf_counter() - started
    # Where counting and logging fail, the answer is sent all the same.
    try:
        state.metrics.observe_explanation(explanation, seconds)
        record_explanation(state.log, review, explanation, seconds)
    except Exception as error:
        state.metrics.internal_error(ENGINE)
        state.log.failure("a review was answered, but not counted and logged", error, uid=review.uid)
    return encoded
