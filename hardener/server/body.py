"""The body of one request, read within its bounds."""

import asyncio

from aiohttp import HttpVersion11, hdrs, web

from hardener.errors import MediaTypeError, OverloadError, ReviewError, SlowBodyError, TooLargeError
from hardener.server.limits import InFlight, Limits

JSON = "application/json"


class Body:
    """A request's body and its share of the bytes in flight, held from the headers to `release`."""

    __slots__ = ("_held", "_in_flight", "_limits", "_request")

    def __init__(self, request: web.BaseRequest, limits: Limits, in_flight: InFlight) -> None:
        self._request = request
        self._limits = limits
        self._in_flight = in_flight
        self._held = 0
        in_flight.enter()

    async def read(self) -> bytes:
        """Read it whole; raises the ReviewError whose status answers a body that cannot be taken."""
        request = self._request
        _check_media_type(request)
        length = request.content_length
        if length is not None:
            self._hold(length)
        content = request.content
        try:
            # Most bodies have arrived with their headers, and then need no timer.
            if content.is_eof():
                data = content.read_nowait()
                if length is None:
                    self._hold(len(data))
                return data
            async with asyncio.timeout(self._limits.body_seconds):
                return await self._collect(counted=length is not None)
        except TimeoutError as error:
            raise SlowBodyError(f"the body did not arrive within {self._limits.body_seconds:g} seconds") from error
        except web.RequestPayloadError as error:
            raise ReviewError("the body is not transferred as its headers say") from error

    def release(self) -> None:
        """Give its share back."""
        self._in_flight.leave(self._held)

    async def _collect(self, counted: bool) -> bytes:
        """Read until the end; without a declared length, what arrives is counted as it does."""
        await self._tell_to_go_on()
        content = self._request.content
        parts = bytearray()
        while not content.at_eof():
            part = await content.readany()
            if not counted:
                self._hold(len(part))
            parts += part
        return bytes(parts)

    async def _tell_to_go_on(self) -> None:
        """Answer who asks before sending a body, as curl does with a long one."""
        request = self._request
        if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue" and request.version >= HttpVersion11:
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            # What is counted from here on is the answer itself.
            request.writer.output_size = 0

    def _hold(self, count: int) -> None:
        if self._held + count > self._limits.body_bytes:
            raise TooLargeError(f"the body is over {self._limits.body_bytes} bytes")
        self._in_flight.take(count)
        self._held += count


def refusal(error: ReviewError) -> web.Response:
    """Answer a request that holds no usable review, in one line."""
    headers = {"Retry-After": "1"} if isinstance(error, OverloadError) else None
    return web.Response(status=error.status, text=f"{' '.join(str(error).split())}\n", headers=headers)


def _check_media_type(request: web.BaseRequest) -> None:
    headers = request.headers
    if headers.get(hdrs.CONTENT_TYPE) != JSON and request.content_type != JSON:
        raise MediaTypeError(f"the Content-Type is {request.content_type}; send {JSON}")
    if headers.get(hdrs.CONTENT_ENCODING, "identity") != "identity":
        raise MediaTypeError("the body is compressed; send it as it is")
