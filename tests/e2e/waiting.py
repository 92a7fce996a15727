"""Wait for a condition, with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

SHORTEST, LONGEST = 0.02, 0.5
"""Seconds between two looks: often at first, since most waits are short."""


def eventually(condition: Callable[[], T], seconds: float = 30, what: str = "the condition") -> T:
    """Ask until the answer is true, and return it; AssertionError with `what` and the last answer at the deadline.

    An AssertionError of the condition counts as a no, so that it may hold several asserts.
    """
    deadline, pause = time.monotonic() + seconds, SHORTEST
    while True:
        try:
            last: object = (value := condition())
            if value:
                return value
        except AssertionError as error:
            last = error
        if time.monotonic() >= deadline:
            raise AssertionError(f"{what}: not within {seconds} s; the last answer was {last!r}")
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST)
