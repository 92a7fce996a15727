"""One request and its answer, the same for every endpoint that takes reviews."""

import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from functools import lru_cache

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

from hardener.errors import ReviewError
from hardener.server.body import Body, refusal
from hardener.server.state import State

Decide = Callable[[bytes, State], Awaitable[bytes]]
"""A whole request body to the encoded answer; raises ReviewError where the body holds no review.

It waits for nothing but what the cluster says about a namespace that is new.
"""


class Reply(web.StreamResponse):
    """A 200 with JSON, whose few headers are written as text.

    `web.Response` keeps headers in a mapping and writes them out for each response, which takes longer than a control
    does (docs/decisions/0017).
    """

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self._content = content
        self._persists = True

    @property
    def keep_alive(self) -> bool:
        """Whether the connection is kept once this is sent; known from `prepare` on."""
        return self._persists

    def force_close(self) -> None:
        self._persists = False

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Send all of it. HTTP/1.0 gets no second request."""
        writer = request.writer
        self._persists = self._persists and request.keep_alive and request.version >= HttpVersion11
        connection = b"" if self._persists else b"Connection: close\r\n"
        await writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b%b\r\n%b"
            % (len(self._content), _date(int(time.time())), connection, self._content)
        )
        return writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing, since all has been sent."""


@lru_cache(maxsize=1)
def _date(second: int) -> bytes:
    """The header with the time of an answer."""
    return f"Date: {formatdate(second, usegmt=True)}\r\n".encode()


async def exchange(request: web.BaseRequest, decide: Decide, state: State) -> web.StreamResponse:
    """Answer a review. The `timeout` that the API server appends is of no use here, since nothing waits for long."""
    body = Body(request, state.limits, state.in_flight)
    response: web.StreamResponse
    try:
        response = Reply(await decide(await body.read(), state))
    except ReviewError as error:
        state.metrics.http_error(error.status)
        response = refusal(error)
    finally:
        body.release()
    # The rest of a body that nobody wants would stand before the next request.
    if state.draining or not request.content.is_eof():
        response.force_close()
    return response
