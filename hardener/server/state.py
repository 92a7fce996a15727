"""What the handlers of one server share."""

from dataclasses import dataclass, field

from aiohttp import web

from hardener.metrics import Metrics
from hardener.policy.config import Config
from hardener.server.limits import InFlight, Limits
from hardener.server.log import Log
from hardener.tls import ServingCertificate


@dataclass(slots=True)
class State:
    """`config` is replaced as a whole when its file changes; `draining` never goes back."""

    config: Config
    log: Log
    limits: Limits
    metrics: Metrics
    certificate: ServingCertificate = field(default_factory=ServingCertificate)
    in_flight: InFlight = field(init=False)
    draining: bool = False

    def __post_init__(self) -> None:
        self.in_flight = InFlight(self.limits.in_flight_bytes)
        self.metrics.watch_in_flight(lambda: self.in_flight.bytes)


STATE = web.AppKey("state", State)
