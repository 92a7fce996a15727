"""`hardener serve` as a process of its own."""

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

FREE = ("--port", "0", "--metrics-port", "0")


def files(certificate):
    """The options for a certificate with its key beside it."""
    return ("--tls-cert-file", certificate, "--tls-private-key-file", Path(certificate).with_suffix(".key"))


def standalone(certificate, *more):
    return ("--standalone", "--address", "127.0.0.1", *FREE, *files(certificate), *more)


@dataclass
class Process:
    """`lines` are those of its log; what is no JSON has a `message` too."""

    process: asyncio.subprocess.Process
    lines: list[dict]
    reading: asyncio.Task

    def logged(self, message):
        return [line for line in self.lines if line["message"] == message]

    async def exit_code(self):
        await self.reading
        return await asyncio.wait_for(self.process.wait(), 20)


@asynccontextmanager
async def process(*arguments, **environment):
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        "-m",
        "hardener",
        "serve",
        *arguments,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, **environment},
    )
    lines = []

    async def read():
        while line := await started.stderr.readline():
            lines.append(json.loads(line) if line.startswith(b"{") else {"message": line.decode()})

    running = Process(started, lines, asyncio.create_task(read()))
    try:
        yield running
    finally:
        if started.returncode is None:
            started.kill()
        await running.exit_code()
