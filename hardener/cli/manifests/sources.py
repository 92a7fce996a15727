"""Names on the command line -> the bytes behind them, in bounded time and memory."""

import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

STDIN = "-"
STDIN_NAME = "<stdin>"
SUFFIXES = frozenset({".yaml", ".yml", ".json"})

FILE_LIMIT = 64 * 2**20
"""Bytes of one file, or of standard input."""

_PIPES = ("/dev/fd/", "/dev/stdin", "/proc/self/fd/")
"""Where a shell puts what it pipes in by name, as in `hardener preview <(helm template .)`."""

_KINDS = {
    stat.S_IFIFO: "a named pipe: pipe it into `-`",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A file with its content, or with what is wrong with it."""

    name: str
    data: bytes = b""
    problem: str = ""


def sources(name: str) -> Iterator[Source]:
    """Read a file, standard input (`-`), or all manifests of a folder, sorted."""
    if name == STDIN:
        yield _bounded(STDIN_NAME, sys.stdin.buffer.read(FILE_LIMIT + 1))
    # `os.path` says no to a name that is too long, where `Path.is_dir` raises.
    elif os.path.isdir(name):  # noqa: PTH112  see above
        yield from _folder(name)
    else:
        yield _file(name)


def _folder(name: str) -> Iterator[Source]:
    unreadable: list[OSError] = []
    found: list[Path] = []
    for folder, _, names in os.walk(name, onerror=unreadable.append):
        found += [Path(folder, each) for each in names if Path(each).suffix.lower() in SUFFIXES]
    for error in unreadable:
        yield Source(str(error.filename), problem=_words(error))
    for file in sorted(found):
        yield _file(str(file))


def _file(name: str) -> Source:
    try:
        found = os.stat(name)  # noqa: PTH116  a name may be too long for a Path
        kind = stat.S_IFMT(found.st_mode)
        if kind != stat.S_IFREG and not (kind == stat.S_IFIFO and name.startswith(_PIPES)):
            return Source(name, problem=f"is no file, but {_KINDS.get(kind, 'something else')}")
        if found.st_size > FILE_LIMIT:
            return _too_large(name)
        with open(name, "rb") as file:  # noqa: PTH123  see above
            return _bounded(name, file.read(FILE_LIMIT + 1))
    except OSError as error:
        return Source(name, problem=_words(error))


def _bounded(name: str, data: bytes) -> Source:
    return Source(name, data) if len(data) <= FILE_LIMIT else _too_large(name)


def _too_large(name: str) -> Source:
    return Source(name, problem=f"is larger than {FILE_LIMIT // 2**20} MiB: split it")


def _words(error: OSError) -> str:
    return f"cannot be read: {error.strerror}"
