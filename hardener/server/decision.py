"""What came of one review: the bytes of its answer, and the bookkeeping that follows."""

from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from hardener.metrics import ENGINE
from hardener.server.state import State


class Decision(NamedTuple):
    """The encoded answer to the review `uid`; `account` counts and logs it, once it was sent."""

    uid: str
    content: bytes
    account: Callable[[], None]

    def book(self, state: State) -> None:
        """Count and log; where that fails, the answer was sent all the same."""
        try:
            self.account()
        except Exception as error:
            state.metrics.internal_error(ENGINE)
            state.log.failure("a review was answered, but not counted and logged", error, uid=self.uid)


Decide = Callable[[bytes, State], Decision | Coroutine[Any, Any, Decision]]
"""A whole request body to what came of it; raises ReviewError where the body holds no review.

It is a coroutine where the cluster has to be asked about a namespace that is new, and there is nothing else to wait for.
"""
