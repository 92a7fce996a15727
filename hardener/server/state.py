"""What the handlers of one server share."""

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hardener.model import STANDALONE, Facts
from hardener.policy.config import Config
from hardener.server.counting import Metrics
from hardener.server.limits import InFlight, Limits
from hardener.server.log import Log
from hardener.tls import ServingCertificate

if TYPE_CHECKING:
    from hardener.cluster import Cluster


@dataclass(slots=True)
class State:
    """`config` is replaced as a whole when its file changes; `draining` never goes back.

    Without a `cluster` the server stands alone. `syncing` is true until the cluster's facts are there, or were waited for
    long enough.
    """

    config: Config
    log: Log
    limits: Limits
    metrics: Metrics
    certificate: ServingCertificate = field(default_factory=ServingCertificate)
    in_flight: InFlight = field(init=False)
    draining: bool = False
    cluster: "Cluster | None" = None
    syncing: bool = False

    def __post_init__(self) -> None:
        self.in_flight = InFlight(self.limits.in_flight_bytes)
        self.metrics.watch_in_flight(lambda: self.in_flight.bytes)

    def facts(self, namespace: str) -> Facts | Coroutine[Any, Any, Facts]:
        """What is known of a namespace; one that has only just been made has to be asked for."""
        if self.cluster is None:
            return STANDALONE
        facts = self.cluster.facts(namespace)
        return facts if facts.known or not namespace else self.cluster.ask(namespace)
