"""What figures depend on: the machine, by nothing that names it, and the versions."""

import os
import platform
from importlib.metadata import version

import msgspec

from hardener import __version__

LIBRARIES = ("httptools", "uvloop", "aiohttp", "orjson", "msgspec", "prometheus-client", "pyyaml")


class Machine(msgspec.Struct, frozen=True):
    """`busy` is the load average of the last minute before the run: processes that wanted a processor."""

    cores: int
    kernel: str
    python: str
    hardener: str
    libraries: dict[str, str]
    busy: float


def machine() -> Machine:
    """This one, now."""
    kernel = ".".join(platform.release().split(".")[:2])
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        kernel=f"{platform.system()} {kernel}",
        python=platform.python_version(),
        hardener=__version__,
        libraries={name: version(name) for name in LIBRARIES},
        busy=round(os.getloadavg()[0], 1),
    )


def sentence(of: Machine) -> str:
    """One line of the page."""
    libraries = ", ".join(f"{name} {number}" for name, number in of.libraries.items())
    return (
        f"hardener {of.hardener} on {of.cores} cores, {of.kernel}, Python {of.python}, {libraries}; "
        f"load average before the run: {of.busy:.1f}"
    )
