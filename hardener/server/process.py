"""The server as a process of its own: event loop, signals, log."""

import asyncio
import gc
import logging
import os
import signal
from collections.abc import Callable

from prometheus_client import disable_created_metrics

from hardener.server.log import ForeignLines, Log
from hardener.server.running import Options, Server


def run(options: Options, shutdown_delay: float, log: Log) -> None:
    """Serve until SIGTERM or SIGINT, then drain for `shutdown_delay` seconds; a second signal ends the process at once.

    What libraries log goes into `log` too. Raises what `Server.start` raises.
    """
    # The time when a counter was made doubles what is scraped, and nobody reads it.
    disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no types there
    logging.basicConfig(level=logging.WARNING, handlers=[ForeignLines(log)], force=True)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(Server(options, log), shutdown_delay))
    finally:
        log.flush()


async def _serve(server: Server, shutdown_delay: float) -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _on_signal, number, asked, server.log)
    await server.start()
    # What has been made so far stays for good, and need not be looked through again and again.
    gc.collect()
    gc.freeze()
    await asked.wait()
    await server.stop(shutdown_delay)


def _on_signal(number: signal.Signals, asked: asyncio.Event, log: Log) -> None:
    if asked.is_set():
        log.warning("ended by a second signal", signal=number.name)
        log.flush()
        # As process 1 of a container, the default action of a signal would be nothing.
        os._exit(128 + number)
    asked.set()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where there is one for this platform."""
    try:
        import uvloop  # noqa: PLC0415  it may be missing
    except ImportError:
        return None
    return uvloop.new_event_loop
