"""POST /mutate: an AdmissionReview in, an AdmissionReview out."""

from collections.abc import Coroutine
from datetime import UTC, datetime
from functools import partial
from time import perf_counter
from typing import Any

import msgspec

from hardener.admission import Answer, Result, Review, decode, encode, respond
from hardener.errors import ReviewError
from hardener.model import UNKNOWN, Facts
from hardener.policy.config import Config, OnError
from hardener.server.decision import Decision
from hardener.server.record import record
from hardener.server.state import State


class _Request(msgspec.Struct):
    uid: str


class _Envelope(msgspec.Struct):
    request: _Request


def mutate(body: bytes, state: State) -> Decision | Coroutine[Any, Any, Decision]:
    """Decode, decide, encode; raises ReviewError where the body holds no review.

    Where the namespace is new it is a coroutine, which asks the cluster about it in between.
    """
    started = perf_counter()
    try:
        review = decode(body)
        # Whatever passes untouched shall not wait for what the cluster says about a new namespace.
        facts = state.facts(review.namespace) if review.creates_pod else UNKNOWN
    except ReviewError:
        raise
    # A bug of ours must not stop the cluster from making pods, unless the configuration asks for that (P1).
    except Exception as error:
        return _give_up(body, None, state, error, started)
    if isinstance(facts, Facts):
        return _decide(body, review, facts, state, started)
    return _ask_and_decide(body, review, facts, state, started)


async def _ask_and_decide(
    body: bytes, review: Review, facts: Coroutine[Any, Any, Facts], state: State, started: float
) -> Decision:
    try:
        known = await facts
    except Exception as error:  # as in `mutate`
        return _give_up(body, review, state, error, started)
    return _decide(body, review, known, state, started)


def _decide(body: bytes, review: Review, facts: Facts, state: State, started: float) -> Decision:
    try:
        return _decision(review, respond(review, state.config, facts, datetime.now(UTC).date()), state, started)
    except Exception as error:  # as in `mutate`
        return _give_up(body, review, state, error, started)


def _give_up(body: bytes, review: Review | None, state: State, error: Exception, started: float) -> Decision:
    return _decision(review, _last_resort(body, state.config, error), state, started)


def _decision(review: Review | None, answer: Answer, state: State, started: float) -> Decision:
    encoded = encode(answer)
    return Decision(answer.uid, encoded, partial(_account, state, review, answer, perf_counter() - started))


def _account(state: State, review: Review | None, answer: Answer, seconds: float) -> None:
    state.metrics.observe(answer, review.namespace if review is not None else "", seconds)
    record(state.log, review, answer, seconds)


def _last_resort(body: bytes, config: Config, error: Exception) -> Answer:
    """Answer as `onError` says with nothing but the uid; raises the error itself where even that is unknown."""
    try:
        uid = msgspec.json.decode(body, type=_Envelope).request.uid
    except (msgspec.MsgspecError, RecursionError):
        raise error from None
    if config.on_error is OnError.DENY:
        return Answer(uid, Result.DENIED, message="hardener: internal error, and onError is deny", error=error)
    warnings = ["hardener: internal error: the pod was left as it is"]
    return Answer(uid, Result.FAILED, warnings=warnings, error=error)
