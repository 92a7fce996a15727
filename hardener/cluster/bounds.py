"""What the watches will bear, in seconds, bytes and numbers, and the clock and dice that they use."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import SystemRandom


@dataclass(frozen=True, slots=True)
class Bounds:
    """Every bound, with the value that is in force unless a test asks for another."""

    page_items: int = 500
    """Objects of one page of a list."""
    page_seconds: float = 60.0
    """From asking for a page to its end."""
    connect_seconds: float = 10.0
    """From looking up the address to the end of the TLS handshake."""
    object_seconds: float = 10.0
    """A request about a single object, from its beginning to the end of the answer."""
    connections: int = 32
    """Open connections; the watches hold four of them."""
    watch_seconds: float = 240.0
    """After which the API server is to end a watch, at the earliest; at twice as much at the latest."""
    late_seconds: float = 15.0
    """How much longer a watch may go on than the API server was asked for."""
    silence_seconds: float = 150.0
    """How long a watch may say nothing, before all is listed anew: kube-apiserver sends a bookmark about every minute."""
    shortest_watch_seconds: float = 1.0
    """A watch that ends earlier and has said nothing has failed, or it would be renewed without a pause."""
    line_bytes: int = 16 * 1024 * 1024
    """One event; etcd's limit for an object is 1.5 MiB."""
    failures: int = 3
    """So many failed watches in a row have everything listed anew."""
    first_delay_seconds: float = 0.2
    """The pause after a failure, which doubles with each further one."""
    longest_delay_seconds: float = 30.0
    """No pause is longer, whatever the API server asks for."""
    renew_seconds: float = 10.0
    """Between two readings of credentials that the API server refuses."""
    credentials_seconds: float = 30.0
    """How long a kubeconfig's plugin may take."""
    ask_seconds: float = 0.5
    """How long a pod waits for its namespace (design.md 4)."""
    ask_again_seconds: float = 5.0
    """How long a namespace that is not there, or could not be asked for, is not asked for again."""
    young_seconds: float = 10.0
    """How long a namespace is asked for although its watch has shown it, since the others may be behind."""
    remembered: int = 1024
    """Namespaces whose answers, or missing answers, are kept until the watches have caught up."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds of a steady clock, a wait for some, and a number from 0 to below 1."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    random: Callable[[], float] = SystemRandom().random


@dataclass(slots=True)
class Backoff:
    """Pauses that double from the first to the longest; each is cut by up to a half, so that replicas part."""

    bounds: Bounds
    pace: Pace
    _failures: int = field(default=0, init=False)

    def next(self) -> float:
        """Seconds to wait after one more failure."""
        # The exponent is bounded as well: a float cannot hold any power.
        ceiling = min(
            self.bounds.longest_delay_seconds, self.bounds.first_delay_seconds * 2.0 ** min(self._failures, 32)
        )
        self._failures += 1
        return ceiling * (1 - self.pace.random() / 2)

    def reset(self) -> None:
        self._failures = 0
