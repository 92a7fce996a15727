"""The webhook as an image: the Python that runs the tests, the project's dependencies, and the project as a wheel.

There is nothing else in it, no shell either. Debian's packages or a registry are not needed to make it.
"""

import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution
from itertools import starmap
from pathlib import Path, PurePath, PurePosixPath

from packaging.requirements import Requirement

from tests.e2e.images import File, Image, Layer

ROOT = Path(__file__).parents[2]
REFERENCE = "localhost/hardener:checkout"
SITE = PurePosixPath("/site")
INTERPRETER = Path(sys.executable).resolve()
USER = 65532

_LEFT_OUT = {"site-packages", "test", "tests", "idlelib", "tkinter", "turtledemo", "lib2to3", "ensurepip"}
_LIBRARY = re.compile(r"(/\S+) \(0x")


def webhook_image() -> Image:
    """Built from the checkout each time."""
    return Image(
        REFERENCE,
        [PYTHON, Layer(lambda: starmap(_copy, _packages().items())), Layer(_project)],
        entrypoint=[str(INTERPRETER), "-m", "hardener"],
        user=str(USER),
        environment={"PYTHONPATH": str(SITE)},
    )


def _python() -> Iterator[File]:
    library = list(_standard_library())
    shared = _shared_libraries([INTERPRETER, *library, *_packages()])
    return (_copy(file, file) for file in sorted({INTERPRETER, *library, *shared}))


PYTHON = Layer(_python)
"""The interpreter, its library, and the shared libraries that these and the packages need.

All keep their places on this machine, since the interpreter finds its library from its own.
"""


def _packages() -> dict[Path, PurePosixPath]:
    """Where the files of the dependencies are, and where they go."""
    return {file: SITE / inside for each in _dependencies() for file, inside in _files(each)}


def _copy(file: Path, path: PurePath) -> File:
    status = file.stat()
    return File(str(path), file.read_bytes(), status.st_mode & 0o777 | 0o444, modified=int(status.st_mtime))


def _standard_library() -> Iterator[Path]:
    top = Path(sysconfig.get_path("stdlib"))
    for folder, folders, files in os.walk(top):
        folders[:] = [name for name in folders if name not in _LEFT_OUT and not name.startswith("config-")]
        yield from (Path(folder, name) for name in files if ".opt-" not in name)


def _dependencies() -> list[Distribution]:
    """What the project needs to run, and what that needs in turn."""
    found: dict[str, Distribution] = {}
    missing = list(_needs(distribution("hardener")))
    while missing:
        name = missing.pop()
        if name not in found:
            found[name] = distribution(name)
            missing += _needs(found[name])
    return list(found.values())


def _needs(of: Distribution) -> Iterator[str]:
    for requirement in map(Requirement, of.requires or ()):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield requirement.name.lower()


def _files(of: Distribution) -> Iterator[tuple[Path, PurePosixPath]]:
    """The files of a distribution, on this machine and below its site folder; commands are left out."""
    for inside in of.files or ():
        file = Path(str(inside.locate()))
        if ".." not in inside.parts and file.is_file():
            yield file, inside


def _shared_libraries(files: Iterable[Path]) -> set[Path]:
    """What the programs and extension modules among the files are linked with, by what the dynamic linker finds."""
    linked = [file for file in files if file.name.startswith("python3") or file.suffix == ".so"]
    done = subprocess.run(["ldd", *linked], capture_output=True, text=True, check=False)
    return {Path(path) for path in _LIBRARY.findall(done.stdout)}


def _project() -> Iterator[File]:
    with tempfile.TemporaryDirectory() as folder:
        build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
        subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                yield File(str(SITE / name), archive.read(name))
