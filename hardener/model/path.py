"""Paths inside a container, as the kubelet understands them."""

import posixpath
from functools import cache


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


@cache
def ancestors(path: str) -> frozenset[str]:
    """The clean path itself and all folders above it; for the few paths that a policy names."""
    parts = path.split("/")
    return frozenset("/".join(parts[:count]) or "/" for count in range(1, len(parts) + 1))
