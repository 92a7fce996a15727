"""Connections within their bounds: who is slow or silent does not stay.

aiohttp bounds what lies between two requests. This adds what lies before the first one, which its older
releases do not bound at all, and newer ones only by the keep-alive time; unread answers; and the number of connections. Over that
number, the connection that has waited longest without ever sending a request is closed to make room; where each has sent
one, the new connection is closed. Connections count from the end of their TLS handshake, which has a time limit of its own.
"""

import asyncio
from typing import Literal, cast

from aiohttp import web

from hardener.server.state import State

BAD_REQUEST = 400
"""What aiohttp gives to a request that is not HTTP."""


class Connection(web.RequestHandler):
    """One connection, with aiohttp's protocol in it.

    Of aiohttp's inner attributes it reads `_request_count`, the requests whose headers have arrived, and `_loop`.
    """

    __slots__ = ("_entrance", "_first_request", "_has_begun", "_unread")

    def __init__(self, entrance: "Entrance", server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        limits = entrance.state.limits
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=limits.keep_alive_seconds,
            lingering_time=limits.linger_seconds,
            # A compressed body is refused; it must not be inflated before that.
            auto_decompress=False,
            access_log=None,  # type: ignore[arg-type]  # aiohttp documents None as the way to turn it off
        )
        self._entrance = entrance
        self._has_begun = False
        self._first_request: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    @property
    def silent(self) -> bool:
        """Whether the headers of a first request are still to come."""
        return self._request_count == 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self._entrance.admit(self, cast("asyncio.Transport", transport)):
            self.force_close()
            transport.close()
            return
        super().connection_made(transport)
        # The API server keeps spare connections, and sends a review on one of them many seconds after the handshake. Were it
        # closed at that moment, the review would fail, since a POST is not sent again (semantics.md 6.5).
        self._expect_request(self._entrance.state.limits.keep_alive_seconds)

    def data_received(self, data: bytes) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._expect_request(self._entrance.state.limits.headers_seconds)
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._entrance.leave(self)
        for timer in (self._first_request, self._unread):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self._loop.call_later(self._entrance.state.limits.write_seconds, self._abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()

    def refuse(self, cause: Literal["silent", "crowded"]) -> None:
        """Close it to stay within a bound."""
        self._entrance.state.metrics.connection_refused(cause)
        self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is not HTTP, or an error of ours that no handler caught, in one line, and close."""
        state = self._entrance.state
        # The client has gone, or has half an answer: aiohttp takes this for both.
        if isinstance(exc, OSError) or request.writer.output_size > 0:
            raise ConnectionError("the connection ended before the answer") from exc
        state.metrics.http_error(status)
        if status == BAD_REQUEST:
            reason = f"this is not HTTP: {(message or '').partition(chr(10))[0].rstrip(':')}"
        else:
            state.log.failure("a request failed", exc, path=request.path)
            reason = "internal error; the log says more"
        response = web.Response(status=status, text=f"{reason}\n")
        response.force_close()
        return response

    def _expect_request(self, seconds: float) -> None:
        """Bound the time to the end of the first request's headers, anew."""
        if self._first_request is not None:
            self._first_request.cancel()
        self._first_request = self._loop.call_later(seconds, self._end_if_silent)

    def _end_if_silent(self) -> None:
        if self.silent:
            self.refuse("silent")

    def _abort(self) -> None:
        if self.transport is not None:
            self._entrance.state.metrics.connection_refused("unread")
            self.transport.abort()


class Entrance:
    """The protocol factory of one port: makes its connections and knows those that are open, oldest first."""

    def __init__(self, state: State, server: web.Server) -> None:
        self.state = state
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._open: dict[Connection, None] = {}
        self._transports: dict[Connection, asyncio.Transport] = {}
        self._emptied: asyncio.Future[None] | None = None

    def __call__(self) -> Connection:
        return Connection(self, self._server, self._loop)

    def admit(self, connection: Connection, transport: asyncio.Transport) -> bool:
        """Let a new connection in, and another one out where there is no room for both."""
        self._transports[connection] = transport
        if len(self._open) >= self.state.limits.connections:
            idle = next((each for each in self._open if each.silent), None)
            if idle is None:
                self.state.metrics.connection_refused("crowded")
                return False
            del self._open[idle]
            idle.refuse("crowded")
        self._open[connection] = None
        return True

    def leave(self, connection: Connection) -> None:
        self._open.pop(connection, None)
        self._transports.pop(connection, None)
        if self._emptied is not None and not self._transports and not self._emptied.done():
            self._emptied.set_result(None)

    async def empty(self) -> None:
        """Wait until each connection that was closed has gone, with its last answer and TLS's farewell.

        aiohttp does not wait for that. Who still listens after `linger_seconds` is cut off.
        """
        if not self._transports:
            return
        self._emptied = self._loop.create_future()
        cut = self._loop.call_later(self.state.limits.linger_seconds, self._cut_off)
        try:
            await self._emptied
        finally:
            cut.cancel()

    def _cut_off(self) -> None:
        for transport in self._transports.values():
            transport.abort()
