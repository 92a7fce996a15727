"""Writing a file anew: whole or not at all."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from hardener.errors import EditError, Problem


def rewrite(name: str, old: bytes, new: bytes) -> None:
    """Give a file another content, by a rename in its folder; its mode stays, and its owner where that is allowed.

    A symbolic link stays one. Raises EditError if the file cannot be written, or no longer holds what was read from it.
    """
    path = Path(os.path.realpath(name))
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise _error(name, "is no regular file")
        if not os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
            raise _error(name, "is read-only")
        if path.read_bytes() != old:
            raise _error(name, "was changed by somebody else since it was read: run it again")
        _replace(path, new, found)
    except OSError as error:
        raise _error(name, str(error.strerror)) from error


def _replace(path: Path, data: bytes, like: os.stat_result) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            _take_after(file.fileno(), like)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _take_after(descriptor: int, like: os.stat_result) -> None:
    if (like.st_uid, like.st_gid) != (os.geteuid(), os.getegid()):
        with suppress(PermissionError):
            os.fchown(descriptor, like.st_uid, like.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(like.st_mode))


def _sync_folder(folder: Path) -> None:
    """Let the rename outlive a loss of power, where folders can be synchronized."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _error(name: str, why: str) -> EditError:
    return EditError(Problem(name, 0, "", f"cannot be written: {why}"), why)
