"""ApiServer: the few requests that the watches need, as JSON; what goes wrong is told in one kind of error."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp
import msgspec
from kubernetes.aio.config import ConfigException

from hardener.cluster.bounds import Bounds, Pace
from hardener.cluster.credentials import Credentials
from hardener.cluster.objects import PAGE, STATUS, Page
from hardener.cluster.pool import NO_OTHERS, Headers, Method, Pool, Query, Request, leave
from hardener.cluster.status import Log
from hardener.errors import HardenerError, StartError

OK, CREATED, UNAUTHORIZED, NOT_FOUND, GONE = 200, 201, 401, 404, 410

REFUSAL_BYTES = 64 * 1024
"""How much of a refusal is read for its reason."""

_NO_ANSWER = (aiohttp.ClientError, ConfigException, OSError, TimeoutError, ValueError)
"""What a request can end with; ValueError is a token that no header can hold."""


class ApiError(HardenerError):
    """The API server has not answered, not wholly, or not with what was asked for.

    `status` is the HTTP status, 0 where none came; `retry_after` is the pause in seconds that it asks for; `is_expired`
    says that the position asked for is of no use any more, so that everything has to be listed anew.
    """

    def __init__(
        self, message: str, status: int = 0, retry_after: float = 0.0, *, is_expired: bool | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.is_expired = status == GONE if is_expired is None else is_expired


class ApiServer:
    """One API server. Credentials that are refused are read anew."""

    def __init__(
        self, credentials: Credentials, bounds: Bounds, pace: Pace, log: Log, headers: Headers = NO_OTHERS
    ) -> None:
        self._headers = headers
        self._credentials = credentials
        self._bounds = bounds
        self._pace = pace
        self._log = log
        self._pool: Pool | None = None
        self._former: Pool | None = None
        self._renewal: asyncio.Task[None] | None = None
        self._renew_at = 0.0
        self._told_time: tuple[datetime, float] | None = None

    async def open(self) -> None:
        """Read the credentials; nothing is sent yet. Raises StartError."""
        self._pool = await self._read()

    async def close(self) -> None:
        """Break every connection off, and return when the last one is gone. Cancel what still asks before."""
        if self._renewal is not None:
            self._renewal.cancel()
        for pool in (self._former, self._pool):
            if pool is not None:
                await pool.close()

    async def get(self, path: str) -> bytes:
        """One object; raises ApiError."""
        return await self._get(path, {})

    @property
    def time(self) -> datetime | None:
        """The time by the API server's own clock: what it told with its last answer, and what has passed since."""
        if self._told_time is None:
            return None
        told, at = self._told_time
        return told + timedelta(seconds=self._pace.clock() - at)

    async def send(self, method: Method, path: str, body: Mapping[str, object] | None = None) -> bytes:
        """Get, create, change or delete one object; raises ApiError. PATCH is a strategic merge of what has to change."""
        request = Request(path, {}, method, body)
        async with self._answer(request, self._within(self._bounds.object_seconds)) as response:
            with _told(path):
                return await response.read()

    async def pages(self, path: str) -> AsyncIterator[Page]:
        """A whole list, page by page; raises ApiError, whose status is 410 where the rest is no longer to be had."""
        query: dict[str, str | int] = {"limit": self._bounds.page_items}
        while True:
            body = await self._get(path, query)
            try:
                page = PAGE.decode(body)
            except msgspec.MsgspecError as error:
                raise ApiError(f"{path}: a page cannot be read: {error}") from error
            yield page
            if not page.metadata.rest:
                return
            query["continue"] = page.metadata.rest

    @asynccontextmanager
    async def watch(
        self, path: str, position: int, seconds: int, *, name: str = ""
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """The lines of a watch from a position on, which the API server is asked to end after so many seconds.

        With a `name`, it is about that object only.

        Raises ApiError, also where the watch stays silent, which counts as expired, or goes on for too long.
        """
        bounds = self._bounds
        query: dict[str, str | int] = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": position,
            "timeoutSeconds": seconds,
        }
        if name:
            query["fieldSelector"] = f"metadata.name={name}"
        allowed = aiohttp.ClientTimeout(
            total=seconds + bounds.late_seconds,
            sock_connect=bounds.connect_seconds,
            sock_read=bounds.silence_seconds,
        )
        async with self._answer(Request(path, query), allowed) as response:
            yield _lines(path, response.content, bounds.line_bytes)

    async def _get(self, path: str, query: Query) -> bytes:
        async with self._answer(Request(path, query), self._within(self._bounds.page_seconds)) as response:
            with _told(path):
                return await response.read()

    def _note_time(self, response: aiohttp.ClientResponse) -> None:
        try:
            told = parsedate_to_datetime(response.headers.get("Date", ""))
        except ValueError:
            return
        # One without a zone cannot be compared.
        if told.tzinfo is not None:
            self._told_time = told, self._pace.clock()

    def _within(self, seconds: float) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(total=seconds, sock_connect=self._bounds.connect_seconds)

    @asynccontextmanager
    async def _answer(self, request: Request, allowed: aiohttp.ClientTimeout) -> AsyncIterator[aiohttp.ClientResponse]:
        """A good answer, whose body is still to be read; raises ApiError for any other."""
        path = request.path
        with _told(path):
            response = await self._send(request, allowed)
        self._note_time(response)
        try:
            if response.status not in (OK, CREATED):
                with _told(path):
                    body = await response.content.read(REFUSAL_BYTES)
                raise _refusal(path, response, body)
            yield response
        finally:
            leave(response)

    async def _send(self, request: Request, allowed: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        pool = self._pool
        if pool is None:
            raise ApiError("the connection has not been opened; call open() first")
        try:
            response = await pool.request(request, allowed)
        except aiohttp.ClientSSLError:
            # The authority that signs for the API server may be another one by now.
            renewed = await self._renewed(pool)
            if renewed is None:
                raise
            return await renewed.request(request, allowed)
        if response.status == UNAUTHORIZED:
            renewed = await self._renewed(pool)
            if renewed is not None:
                leave(response)
                return await renewed.request(request, allowed)
        return response

    async def _renewed(self, refused: Pool) -> Pool | None:
        """A pool with other credentials than those that were refused, if it is time to read them again."""
        if self._pool is refused and self._renewal is None:
            now = self._pace.clock()
            if now < self._renew_at:
                return None
            self._renew_at = now + self._bounds.renew_seconds
            self._renewal = asyncio.create_task(self._renew())
        if self._renewal is not None:
            # Others wait for it too, and whoever asked first may have no more time.
            await asyncio.wait([self._renewal])
        return None if self._pool is refused else self._pool

    async def _renew(self) -> None:
        try:
            pool = await self._read()
        except StartError as error:
            self._log.warning("the credentials were refused, and cannot be read again", reason=str(error))
        else:
            former, self._former, self._pool = self._former, self._pool, pool
            if former is not None:
                await former.close()
        finally:
            self._renewal = None

    async def _read(self) -> Pool:
        try:
            async with asyncio.timeout(self._bounds.credentials_seconds):
                configuration = await self._credentials()
            return Pool(configuration, self._bounds, self._headers)
        except TimeoutError as error:
            seconds = self._bounds.credentials_seconds
            raise StartError(f"the credentials could not be read within {seconds:g} s; see to the plugin") from error
        except (OSError, ValueError) as error:
            raise StartError(f"the certificates of the API server cannot be used ({error})") from error


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Whatever ends a request early is an ApiError that says of which."""
    try:
        yield
    except _NO_ANSWER as error:
        raise ApiError(f"{path}: no whole answer came ({type(error).__name__}: {error})") from error


@contextmanager
def _silence(path: str) -> Iterator[None]:
    """A watch on which not even a bookmark comes may wait for a position that is ahead of the API server's own.

    That is so where the cluster's store was brought back to an older state: a watch from the future is accepted, and
    says nothing until that future comes (seen on kube-apiserver 1.36.3).
    """
    try:
        yield
    except aiohttp.SocketTimeoutError as error:
        raise ApiError(f"{path}: the watch has said nothing for too long", is_expired=True) from error


def _refusal(path: str, response: aiohttp.ClientResponse, body: bytes) -> ApiError:
    try:
        message = STATUS.decode(body).message
    except msgspec.MsgspecError:
        message = ""
    wait = response.headers.get("Retry-After", "")
    return ApiError(
        f"{path}: {response.status} {message or response.reason or 'without a reason'}",
        response.status,
        float(wait) if wait.isascii() and wait.isdecimal() else 0.0,
    )


async def _lines(path: str, content: aiohttp.StreamReader, longest: int) -> AsyncIterator[bytes]:
    """Whole lines; one that the connection's end has cut off is dropped."""
    rest = bytearray()
    with _told(path), _silence(path):
        async for chunk in content.iter_any():
            rest += chunk
            if b"\n" in chunk:
                *lines, rest = rest.split(b"\n")
                for line in lines:
                    yield bytes(line)
            if len(rest) > longest:
                raise ApiError(f"{path}: an event has more than {longest} bytes")
