"""A closed-loop load on loopback: each connection sends the next request when it has the answer to the last.

The request is written as bytes made beforehand, and of the answer only status and length are read, so that the client
leaves the processors to the servers that are measured.
"""

import asyncio
import ssl
import statistics
from dataclasses import dataclass
from time import perf_counter


@dataclass(frozen=True, slots=True)
class Round:
    """One round of load; latencies in seconds, sorted."""

    requests_per_second: float
    latencies: tuple[float, ...]

    def percentile(self, percent: int) -> float:
        """Milliseconds that this share of the requests took at most."""
        return statistics.quantiles(self.latencies, n=100)[percent - 1] * 1e3


async def run(port: int, path: str, body: bytes, connections: int, requests: int) -> Round:
    """Send so many requests in all over so many connections; any status but 200 raises."""
    head = (
        f"POST {path}?timeout=10s HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: kube-apiserver-admission\r\n"
        f"Content-Type: application/json\r\nAccept: application/json, */*\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    request = head.encode() + body
    latencies: list[float] = []
    left = [requests]
    started = perf_counter()
    await asyncio.gather(*(_connection(port, request, left, latencies) for _ in range(connections)))
    return Round(len(latencies) / (perf_counter() - started), tuple(sorted(latencies)))


async def _connection(port: int, request: bytes, left: list[int], latencies: list[float]) -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    while left[0] > 0:
        left[0] -= 1
        started = perf_counter()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        length = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))
        latencies.append(perf_counter() - started)
    writer.close()
