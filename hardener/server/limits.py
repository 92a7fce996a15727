"""What one server will bear: sizes in bytes, times in seconds."""

import asyncio
from dataclasses import dataclass

from hardener.errors import OverloadError

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Every bound, with the value that is in force unless a test asks for another (design.md 5, semantics.md 6.5)."""

    body_bytes: int = 8 * MIB
    """One request's body: the API server sends two objects of about 3 MiB at most."""
    in_flight_bytes: int = 32 * MIB
    """The bodies of all requests that are being handled."""
    head_bytes: int = 32 * 1024
    """One request's line and headers; what a single read holds may go beyond."""
    connections: int = 1000
    """Open connections of one port."""
    handshake_seconds: float = 10.0
    """From connecting to the end of the TLS handshake."""
    headers_seconds: float = 10.0
    """From a request's first byte to the end of its headers."""
    body_seconds: float = 10.0
    """From the end of a request's headers to the end of its body."""
    write_seconds: float = 10.0
    """How long a client may leave an answer unread that does not fit into the buffers."""
    keep_alive_seconds: float = 120.0
    """From the handshake, or an answer, to the first byte of the next request: the API server closes an idle connection after 90 seconds
    itself."""
    linger_seconds: float = 2.0
    """How long the rest of a refused body is read and dropped, so that the client comes to read the refusal."""
    sync_seconds: float = 30.0
    """How long readiness waits for the facts of the cluster; later they are as good as unknown."""
    finish_seconds: float = 10.0
    """How long requests that are being handled may take at the end of a drain."""
    poll_seconds: float = 2.0
    """How often files are looked at for a change."""


class InFlight:
    """The requests that are being handled, and the memory that their bodies together take."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._idle: asyncio.Future[None] | None = None
        self.bytes = 0
        self.requests = 0

    def enter(self) -> None:
        """Count a request, which holds no bytes yet."""
        self.requests += 1

    def take(self, count: int) -> None:
        """Set `count` bytes aside, or raise OverloadError and set none aside."""
        if self.bytes + count > self._limit:
            raise OverloadError(
                f"{self.bytes} bytes are in flight, and {count} more would be over {self._limit}; try again"
            )
        self.bytes += count

    def leave(self, held: int) -> None:
        """Count a request out, with all the bytes that it has taken."""
        self.bytes -= held
        self.requests -= 1
        if self._idle is not None and not self.requests and not self._idle.done():
            self._idle.set_result(None)

    async def idle(self) -> None:
        """Wait until no request is being handled."""
        if self.requests:
            self._idle = asyncio.get_running_loop().create_future()
            await self._idle
