"""What answers on the two ports: reviews over TLS, probes and metrics in plain HTTP."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from hardener.server.decision import Decide, Decision
from hardener.server.explain import explain
from hardener.server.mutate import mutate
from hardener.server.probes import healthz, metrics, readyz
from hardener.server.reply import Reply, line
from hardener.server.request import Headers, Request
from hardener.server.state import State

MUTATE = "/mutate"
EXPLAIN = "/explain"

Show = Callable[[Headers, State], Reply]
"""The headers of a request to what it asked to see."""


@dataclass(frozen=True, slots=True)
class Port:
    """What is served at which path: reviews, which are posted, and pages, which are read."""

    reviews: Mapping[str, Decide] = field(default_factory=dict)
    pages: Mapping[str, Show] = field(default_factory=dict)

    def open(self, request: Request) -> Reply | None:
        """Look at the head of a request: the answer for one that is served nowhere, or room for its body.

        Raises ReviewError where the body cannot be taken.
        """
        if request.path in self.reviews:
            if request.method != "POST":
                return line(405, "use POST", ("Allow", "POST"))
            request.expect_review()
            return None
        if request.path in self.pages:
            return None if request.method in {"GET", "HEAD"} else line(405, "use GET", ("Allow", "GET"))
        return line(404, f"there is nothing here; known are {', '.join([*self.reviews, *self.pages])}")

    def answer(self, request: Request, state: State) -> Reply | Decision | Coroutine[Any, Any, Decision]:
        """Answer a whole request that was let in; raises ReviewError where it holds no review."""
        decide = self.reviews.get(request.path)
        return self.pages[request.path](request.headers, state) if decide is None else decide(request.body(), state)


WEBHOOK = Port(reviews={MUTATE: mutate, EXPLAIN: explain})
"""The TLS port, which the API server reaches. The `timeout` that it appends is of no use, since nothing waits for long."""

PROBES = Port(pages={"/healthz": healthz, "/readyz": readyz, "/metrics": metrics})
"""The plain port, which the node's kubelet and Prometheus reach without a certificate."""
