"""World: one Secret, one replica, and what API servers trust."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hardener.tls.authority import Terms
from hardener.tls.clocks import Now
from hardener.tls.rotation import Holding, Serving, renewed
from hardener.tls.trust import named, pem_of, read_authorities

MOMENT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
NAMES = ("hardener.hardener-system.svc", "hardener.hardener-system")
TERMS = Terms()
EMPTY = Holding()
NOBODY = frozenset()


@dataclass
class World:
    """One Secret and one replica. `settled` is what API servers trust; time passes as a test says."""

    day: float = 0
    held: Holding = EMPTY
    in_use: Serving | None = None
    names: tuple[str, ...] = NAMES
    settled: set[bytes] = field(default_factory=set)

    @property
    def now(self):
        return Now.at(MOMENT + self.day * DAY)

    def look(self, **changes):
        """Write what a replica finds that must be written, and return why."""
        renewal = renewed(
            changes.get("held", self.held),
            self.in_use,
            changes.get("names", self.names),
            changes.get("now", self.now),
            TERMS,
            self.settled,
        )
        self.held = renewal.holding
        return renewal.reasons

    def serve(self):
        """Go over to what the Secret holds."""
        self.in_use = renewed(self.held, None, self.names, self.now, TERMS, NOBODY).serving

    def settle(self):
        """Time enough passes for every API server to hear of all authorities."""
        self.settled |= named(self.held.authorities, self.now)

    @property
    def authority(self):
        """The one whose key is held."""
        key = load_pem_private_key(self.held.authority_key, None).public_key()
        (found,) = [each for each in read_authorities(self.held.authorities, self.now) if each.public_key() == key]
        return pem_of(found)

    @property
    def signer(self):
        """The one that has signed the certificate that is held."""
        return renewed(self.held, None, self.names, self.now, TERMS, NOBODY).serving.authority
