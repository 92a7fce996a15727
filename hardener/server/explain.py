"""POST /explain: an AdmissionReview of a workload in, warnings for who applies it out."""

from datetime import UTC, datetime
from time import perf_counter

from hardener.admission import decode_workload, encode_explanation
from hardener.admission import explain as explain_review
from hardener.metrics import ENGINE
from hardener.server.record import record_explanation
from hardener.server.state import State


async def explain(body: bytes, state: State) -> bytes:
    """Decode, explain, encode, count, log; raises ReviewError where the body holds no review."""
    started = perf_counter()
    review = decode_workload(body)
    facts = await state.facts(review.namespace)
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
