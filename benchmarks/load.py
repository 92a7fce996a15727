"""Load on the loopback address, over TLS, in a closed loop and in an open one.

Requests are whole bytes, made beforehand, and of an answer only its status and its end are looked for: with the client of
a library, the processors that client and servers share would be busy with the client. A status that is not the expected
one ends the run with an error.
"""

import asyncio
import math
import random
import ssl
import statistics
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import cycle
from time import perf_counter

import uvloop

SEED = 8
"""Of the moments at which an open loop sends."""

OPEN_CONNECTIONS = 32
"""Connections of an open loop, which are as many requests as can wait for their answers at a time."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests go, in turn over the ports as a Service spreads connections, and what they are."""

    ports: tuple[int, ...]
    requests: tuple[bytes, ...]
    status: int = 200


@dataclass(frozen=True, slots=True)
class Round:
    """One round of load; `latencies` in seconds, in the order of the answers."""

    seconds: float
    latencies: tuple[float, ...]

    @property
    def requests_per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, percent: int) -> float:
        """Milliseconds that this share of the requests took at most."""
        return percentile(self.latencies, percent)


def percentile(latencies: Sequence[float], percent: int) -> float:
    """The same in milliseconds, of latencies in seconds."""
    return statistics.quantiles(latencies, n=100)[percent - 1] * 1e3


def http_request(path: str, body: bytes, headers: Sequence[str] = ()) -> bytes:
    """A POST of JSON as the API server's client writes it."""
    head = (
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "User-Agent: kube-apiserver-admission",
        f"Content-Length: {len(body)}",
        "Accept: application/json, */*",
        "Content-Type: application/json",
        *headers,
    )
    return "\r\n".join((*head, "", "")).encode() + body


def reviews_as_requests(bodies: Sequence[bytes]) -> tuple[bytes, ...]:
    """AdmissionReviews as requests to `/mutate`."""
    return tuple(http_request("/mutate?timeout=10s", body) for body in bodies)


def closed_loop(target: Target, connections: int, seconds: float, most: float = math.inf) -> Round:
    """Send for so many seconds, or `most` requests; each connection sends the next when it has the answer to the last."""
    return uvloop.run(_closed_loop(target, connections, seconds, most))


def open_loop(target: Target, rate: float, seconds: float) -> Round:
    """Send `rate` requests a second at random moments, whether or not others have been answered.

    A request that finds no free connection waits, and its wait counts.
    """
    return uvloop.run(_open_loop(target, rate, seconds))


async def _closed_loop(target: Target, connections: int, seconds: float, most: float) -> Round:
    bodies = cycle(target.requests)
    latencies: list[float] = []

    async def work(connection: "_Connection", end: float) -> None:
        while (started := perf_counter()) < end and len(latencies) < most:
            await connection.exchange(next(bodies))
            latencies.append(perf_counter() - started)

    async with _connected(target, connections) as opened:
        started = perf_counter()
        await asyncio.gather(*(work(connection, started + seconds) for connection in opened))
        return Round(perf_counter() - started, tuple(latencies))


async def _open_loop(target: Target, rate: float, seconds: float) -> Round:
    bodies = cycle(target.requests)
    latencies: list[float] = []

    async def work(connection: "_Connection", moments: Iterator[float], origin: float) -> None:
        for moment in moments:
            planned = origin + moment
            if (ahead := planned - perf_counter()) > 0:
                await asyncio.sleep(ahead)
                # The loop's timers tick in milliseconds: that it wakes late is not the server's fault.
                planned = perf_counter()
            await connection.exchange(next(bodies))
            latencies.append(perf_counter() - planned)

    async with _connected(target, OPEN_CONNECTIONS) as opened:
        moments, origin = _moments(rate, seconds), perf_counter()
        await asyncio.gather(*(work(connection, moments, origin) for connection in opened))
        return Round(perf_counter() - origin, tuple(latencies))


def _moments(rate: float, seconds: float) -> Iterator[float]:
    generator, moment = random.Random(SEED), 0.0
    while (moment := moment + generator.expovariate(rate)) < seconds:
        yield moment


@asynccontextmanager
async def _connected(target: Target, count: int) -> AsyncIterator[list["_Connection"]]:
    """So many connections, each with its handshake and a first request behind it."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    ports = cycle(target.ports)
    opened = [_Connection(target.status) for _ in range(count)]
    for connection in opened:
        await connection.open(next(ports), context)
    await asyncio.gather(*(connection.exchange(target.requests[0]) for connection in opened))
    yield opened
    for connection in opened:
        connection.close()


class _Connection:
    """One connection of HTTP/1.1."""

    def __init__(self, status: int) -> None:
        self._expected = f"HTTP/1.1 {status} ".encode()

    async def open(self, port: int, context: ssl.SSLContext) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)

    def close(self) -> None:
        self._writer.transport.abort()

    async def exchange(self, request: bytes) -> None:
        """Send a request and read its answer; RuntimeError where its status is not the expected one."""
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(self._expected.lower()):
            body = await self._reader.read(2000)
            raise RuntimeError(f"{self._expected.decode()}was expected: {(head + body).decode(errors='replace')}")
        _, named, length = head.partition(b"content-length:")
        if named:
            await self._reader.readexactly(int(length.partition(b"\r")[0]))
        else:
            await self._skip_chunks()

    async def _skip_chunks(self) -> None:
        size = -1
        while size:
            size = int(await self._reader.readline(), 16)
            await self._reader.readexactly(size + 2)
