"""The protocol factory of one port, which keeps the number of connections within its bound, and sees to their end.

Over that number, the connection that has waited longest without ever sending a request is closed to make room; where each
has sent one, the new connection is closed. Connections count from the end of their TLS handshake, which has a time limit
of its own.
"""

import asyncio

from hardener.server.application import Port
from hardener.server.connection import Connection
from hardener.server.state import State
from hardener.server.turn import Turn


class Entrance:
    """Makes the connections of one port, and knows those that are open, oldest first."""

    def __init__(self, state: State, port: Port) -> None:
        self.state = state
        self.port = port
        self.loop = asyncio.get_running_loop()
        self.turn = Turn(self.loop)
        self._open: dict[Connection, None] = {}
        self._leaving: set[Connection] = set()
        """Those that were told to close, and are still there."""
        self._emptied: asyncio.Future[None] | None = None

    def __call__(self) -> Connection:
        return Connection(self)

    def admit(self, connection: Connection) -> bool:
        """Let a new connection in, and another one out where there is no room for both."""
        if len(self._open) >= self.state.limits.connections:
            silent = next((each for each in self._open if each.is_silent), None)
            self.state.metrics.connection_refused("crowded")
            self._dismiss(connection if silent is None else silent)
            if silent is None:
                return False
        self._open[connection] = None
        return True

    def leave(self, connection: Connection) -> None:
        """Forget a connection, which has ended."""
        self._open.pop(connection, None)
        self._leaving.discard(connection)
        if self._emptied is not None and not self._leaving and not self._emptied.done():
            self._emptied.set_result(None)

    async def close(self) -> None:
        """Close every connection, and wait until each has gone, with its last answer and TLS's farewell.

        Who still listens after `linger_seconds` is cut off.
        """
        for connection in [*self._open]:
            self._dismiss(connection)
        if not self._leaving:
            return
        self._emptied = self.loop.create_future()
        cut = self.loop.call_later(self.state.limits.linger_seconds, self._cut_off)
        try:
            await self._emptied
        finally:
            cut.cancel()

    def _dismiss(self, connection: Connection) -> None:
        self._open.pop(connection, None)
        self._leaving.add(connection)
        connection.close()

    def _cut_off(self) -> None:
        for connection in self._leaving:
            connection.abort()
