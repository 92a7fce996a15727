"""Processes that end when the test does, also when it crashes."""

import atexit
import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.e2e.waiting import eventually

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class Process:
    """A program in a process group of its own, with its output in a file. Start it in a thread that lasts.

    `end()` ends it and waits. Where this process dies without, the kernel kills the program (Linux), and at a normal
    exit without `end()` it is killed too.
    """

    def __init__(self, arguments: Sequence[str | Path], output: Path, environment: Mapping[str, str] | None = None):
        self.name = Path(arguments[0]).name
        self.output = output
        with output.open("ab") as stream:
            self._process = subprocess.Popen(
                [str(argument) for argument in arguments],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env=dict(environment) if environment is not None else None,
                start_new_session=True,
                preexec_fn=_die_with_the_parent,  # noqa: PLW1509  one system call, and no lock is taken
            )
        atexit.register(self.end, signal.SIGKILL)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wait_until(self, ready: Callable[[], object], seconds: float = 60) -> None:
        """Wait until it is ready; AssertionError with the end of its output where it ends before, or never is."""

        def look() -> bool:
            if not self.alive:
                raise RuntimeError(f"{self.name} ended with {self._process.returncode}: {self._tail()}")
            return bool(ready())

        try:
            eventually(look, seconds, f"{self.name} is ready")
        except AssertionError as error:
            raise RuntimeError(f"{error}: {self._tail()}") from error

    def end(self, number: signal.Signals = signal.SIGTERM, seconds: float = 20) -> None:
        """Send a signal to the group and wait; after `seconds`, kill it."""
        atexit.unregister(self.end)
        if self.alive:
            self._signal(number)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGKILL)
                self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return

    def _tail(self) -> str:
        return self.output.read_text(errors="replace")[-2000:]


class Port:
    """A free TCP port of the loopback address, kept for programs that bind it with SO_REUSEPORT."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]

    def close(self) -> None:
        self._socket.close()


def _die_with_the_parent() -> None:
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
