"""A moment by which something has to happen, and which is put off again and again."""

import asyncio
import math
from collections.abc import Callable


class Deadline:
    """One timer of the event loop for all the deadlines of a connection, one after another.

    A later deadline leaves the timer as it is, which finds out when it wakes: a timer for each request would cost more
    than what it bounds.
    """

    __slots__ = ("_at", "_loop", "_missed", "_timer", "_wakes_at")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._at = self._wakes_at = math.inf
        self._missed: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float, missed: Callable[[], None]) -> None:
        """Have `missed` called in so many seconds, in place of what was set before."""
        self._at, self._missed = self._loop.time() + seconds, missed
        if self._at < self._wakes_at:
            self._wake_at(self._at)

    def clear(self) -> None:
        """Let nothing be late until the next `set`."""
        self._at = math.inf

    def end(self) -> None:
        """Let nothing be late ever again."""
        self._at, self._missed = math.inf, None
        if self._timer is not None:
            self._timer.cancel()

    def _wake_at(self, moment: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._wakes_at = moment
        self._timer = self._loop.call_at(moment, self._wake)

    def _wake(self) -> None:
        self._timer, self._wakes_at = None, math.inf
        if self._at <= self._loop.time() and self._missed is not None:
            self._at = math.inf
            self._missed()
        elif self._at < math.inf:
            self._wake_at(self._at)
