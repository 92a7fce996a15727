"""Balancer: several servers behind one address, as a Service has them."""

import asyncio
from contextlib import suppress
from typing import Self

LOOPBACK = "127.0.0.1"


class Balancer:
    """An async context manager. Connections go to the `backends`, which are ports, in turn; `url` is the one address."""

    def __init__(self) -> None:
        self.backends: list[int] = []
        self.connections = 0
        self.port = 0
        self._listener: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._accept, LOOPBACK, 0)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._listener is not None
        self._listener.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"https://{LOOPBACK}:{self.port}"

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        backend = self.backends[self.connections % len(self.backends)]
        self.connections += 1
        opened = [writer]
        try:
            other_reader, other_writer = await asyncio.open_connection(LOOPBACK, backend)
            opened.append(other_writer)
            await asyncio.gather(_pump(reader, other_writer), _pump(other_reader, writer))
        finally:
            for each in opened:
                each.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on to their end, and then the end."""
    with suppress(ConnectionError):
        while data := await reader.read(64 * 1024):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
