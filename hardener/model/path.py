"""Paths inside a container, as the kubelet understands them."""

import posixpath
from collections.abc import Iterable


def clean(path: str) -> str:
    """Make a path absolute and plain as the kubelet does: `tmp`, `//tmp/` and `/var/../tmp` are all `/tmp`.

    Source: kubelet `MakeAbsolutePath`, Go's `filepath.Clean("/" + path)` (semantics.md 3.4).
    """
    if path[:1] == "/" and path[-1] != "/" and "//" not in path and "/." not in path:
        return path
    return posixpath.normpath("/" + path.lstrip("/"))


def holds(folder: str, path: str) -> bool:
    """Say whether a clean path is the clean folder itself or lies below it."""
    return path == folder or path.startswith("/" if folder == "/" else folder + "/")


def lies_in_any(path: str, folders: Iterable[str]) -> bool:
    """Say whether a clean path is one of the clean folders or lies below one."""
    return any(path.startswith(folder) and holds(folder, path) for folder in folders)
