"""POST /explain: an AdmissionReview of a workload in, warnings for who applies it out."""

from collections.abc import Coroutine
from datetime import UTC, datetime
from functools import partial
from time import perf_counter
from typing import Any

from hardener.admission import Explanation, WorkloadReview, decode_workload, encode_explanation
from hardener.admission import explain as explain_review
from hardener.model import Facts
from hardener.server.decision import Decision
from hardener.server.record import record_explanation
from hardener.server.state import State


def explain(body: bytes, state: State) -> Decision | Coroutine[Any, Any, Decision]:
    """Decode, explain, encode; raises ReviewError where the body holds no review.

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
) -> Decision:
    return _explain(review, await facts, state, started)


def _explain(review: WorkloadReview, facts: Facts, state: State, started: float) -> Decision:
    explanation = explain_review(review, state.config, facts, datetime.now(UTC).date())
    encoded = encode_explanation(explanation)
    return Decision(review.uid, encoded, partial(_account, state, review, explanation, perf_counter() - started))


def _account(state: State, review: WorkloadReview, explanation: Explanation, seconds: float) -> None:
    state.metrics.observe_explanation(explanation, seconds)
    record_explanation(state.log, review, explanation, seconds)
