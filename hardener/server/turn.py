"""What has become due in one turn of the event loop is decided first, then sent, then counted and logged.

A decision runs through a megabyte of code and data, and so do encryption and the kernel: one after another, each finds the
processor's caches full of the other. Decisions in a row find their own (docs/decisions/0019).
"""

import asyncio
from collections import deque
from typing import Protocol

MOST_BYTES = 128 * 1024
"""Of bodies that are decided before the first of their answers is sent: a score of pods, or one that is very large."""


class Due(Protocol):
    """A connection whose next request is due."""

    def decide(self) -> int:
        """Decide on the answer, and return how many bytes that took into account. Raises nothing."""

    def answer(self) -> None:
        """Send the answer, if there is one by now."""

    def account(self) -> None:
        """Count and log what was decided. Raises nothing."""


class Turn:
    """The connections of one port that are due."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._due: deque[Due] = deque()

    def add(self, connection: Due) -> None:
        """Have a connection's next request answered before the event loop waits again."""
        self._due.append(connection)
        if len(self._due) == 1:
            self._loop.call_soon(self._run)

    def _run(self) -> None:
        decided = []
        size = 0
        while self._due and size < MOST_BYTES:
            connection = self._due.popleft()
            decided.append(connection)
            size += connection.decide()
        # Answering makes connections due again, and those wait for the others.
        if self._due:
            self._loop.call_soon(self._run)
        for connection in decided:
            connection.answer()
        for connection in decided:
            connection.account()
