"""Private Linux namespaces: what runs in them has mounts, network, processes and a host name of its own.

They live as long as their first process (`first_process.py`), which dies with the process that made them.
"""

import asyncio
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Self, TypeVar

from tests.e2e.processes import Process
from tests.e2e.waiting import eventually

READY = "namespaces.ready"
FIRST_PROCESS = Path(__file__).with_name("first_process.py")
CGROUPS = Path("/sys/fs/cgroup")
CGROUP_PREFIX = "hardener-node-"

LOOPBACK = "127.0.0.1"
Address = tuple[str, int]
T = TypeVar("T")

_CLONE_NEWNET = 0x40000000


class Namespaces:
    """A context manager; needs root. `folder` holds the files of the processes inside, which see it at the same path.

    No interface leads out: `forward` is the only way in and out, and the network inside is set up by `first_process.py`.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.cgroup = f"{CGROUP_PREFIX}{os.getpid()}"
        self._forwarders: list[Forwarder] = []

    def __enter__(self) -> Self:
        _make_cgroups(self.cgroup)
        new = ["--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child=KILL", "--mount-proc"]
        self._unshare = Process(
            ["unshare", *new, "--propagation", "private", sys.executable, FIRST_PROCESS, self.folder, READY],
            self.folder / "namespaces.log",
        )
        self._unshare.wait_until((self.folder / READY).exists)
        self.pid = int(Path(f"/proc/{self._unshare.pid}/task/{self._unshare.pid}/children").read_text())
        return self

    def __exit__(self, *_: object) -> None:
        for forwarder in self._forwarders:
            forwarder.close()
        self._unshare.end(signal.SIGKILL)  # unshare itself does not listen to SIGTERM while its child lives
        eventually(lambda: _remove_cgroups([self.cgroup]), what="the last process inside has ended")

    @property
    def prefix(self) -> list[str]:
        """What makes a command run inside."""
        return ["nsenter", f"--target={self.pid}", "--mount", "--net", "--pid", "--ipc", "--uts", "--"]

    def run(self, *command: str | Path, seconds: float = 60) -> str:
        """Run a command inside and return its output; RuntimeError with what it complained about where it fails."""
        done = subprocess.run([*self.prefix, *command], capture_output=True, text=True, timeout=seconds, check=False)
        if done.returncode:
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def forward(self, port: int) -> None:
        """Whoever connects to this port of the loopback address out here reaches the same port inside."""
        listener = socket.create_server((LOOPBACK, port), reuse_port=True)
        self._forwarders.append(Forwarder(listener, (LOOPBACK, port), self.pid))

    def forward_inside(self, listen: Address, connect: Address) -> None:
        """Join two addresses inside."""
        listener = in_network(self.pid, lambda: socket.create_server(listen))
        self._forwarders.append(Forwarder(listener, connect, self.pid))


class Forwarder:
    """Copies bytes between the connections that a listener accepts and connections that are made inside."""

    def __init__(self, listener: socket.socket, connect: Address, pid: int):
        self._listener = listener
        self._connect = connect
        self._joined: set[asyncio.Task[None] | None] = set()
        self._stop = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(pid,), name=f"forwarder to {connect}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()

    def _run(self, pid: int) -> None:
        enter_network(pid)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        self._loop.set_exception_handler(lambda *_: None)  # connections may break off at any time, on both sides
        server = await asyncio.start_server(self._accept, sock=self._listener)
        await self._stop.wait()
        server.close()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Once a side has ended, asyncio itself holds the task weakly only, and it could be collected in the middle.
        self._joined.add(task := asyncio.current_task())
        try:
            await self._join(reader, writer)
        finally:
            self._joined.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            inner_reader, inner_writer = await asyncio.open_connection(*self._connect)
        except OSError:
            writer.close()
            return
        try:
            await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))
        finally:
            inner_writer.transport.abort()
            writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


def in_network(pid: int, action: Callable[[], T]) -> T:
    """Do something in the network of a process; a socket stays in the network that it was made in."""
    with ThreadPoolExecutor(1, initializer=enter_network, initargs=(pid,)) as executor:
        return executor.submit(action).result()


def enter_network(pid: int) -> None:
    """Bring the calling thread, and only it, into the network namespace of a process (setns(2))."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(f"/proc/{pid}/ns/net").open() as namespace:
        if libc.setns(namespace.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns into the network of process {pid}")


def _hierarchies() -> list[Path]:
    """The one tree of cgroup v2, or each one of v1."""
    if (CGROUPS / "cgroup.controllers").exists():
        return [CGROUPS]
    return [folder for folder in CGROUPS.iterdir() if (folder / "cgroup.procs").exists()]


def _make_cgroups(name: str) -> None:
    _remove_cgroups(
        {
            each.name
            for top in _hierarchies()
            for each in top.glob(f"{CGROUP_PREFIX}*")
            if not Path("/proc", each.name.removeprefix(CGROUP_PREFIX)).exists()
        }
    )
    for top in _hierarchies():
        (top / name).mkdir(exist_ok=True)
        for file in ("cpuset.cpus", "cpuset.mems"):  # in v1 a new group may use none until it is told
            if (top / "cpuset.sched_load_balance").exists():
                (top / name / file).write_text((top / file).read_text())


def _remove_cgroups(names: Iterable[str]) -> bool:
    """Remove groups and all below them; False where processes are still in one."""
    gone = True
    for name in names:
        for top in _hierarchies():
            for folder, _, _ in os.walk(top / name, topdown=False):
                try:
                    Path(folder).rmdir()
                except FileNotFoundError:
                    continue
                except OSError:
                    gone = False
    return gone
