"""Binaries of Kubernetes and etcd: those of KUBEBUILDER_ASSETS, those in the cache, or else built from Go modules.

`python -m tests.e2e.binaries [VERSION...]` makes sure that they are there and prints their folders.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VERSION = "1.36.3"
"""What the tests run on."""

OLDEST = "1.33.13"
"""The newest patch of the oldest minor that is supported, three back."""

NAMES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kubectl", "pause")

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")


class MissingError(Exception):
    """This machine lacks something; the text is one line that says what, and what to do."""


def binaries(version: str = VERSION) -> Path:
    """The folder with the binaries of a version; builds them where they are in no folder. Raises MissingError."""
    if version == VERSION and (assets := os.environ.get("KUBEBUILDER_ASSETS")):
        return _complete(Path(assets), CONTROL_PLANE)
    folder = cache() / version
    if not _lacking(folder, NAMES):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _lacking(folder, NAMES):
            _build(version, folder)
    return _complete(folder, NAMES)


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hardener" / "kubernetes"


def _lacking(folder: Path, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if not os.access(folder / name, os.X_OK)]


def _complete(folder: Path, names: tuple[str, ...]) -> Path:
    if lacking := _lacking(folder, names):
        raise MissingError(f"{folder} lacks {', '.join(lacking)}")
    return folder


def _build(version: str, folder: Path) -> None:
    raise MissingError(f"building {version} comes in a moment")


def main() -> None:
    try:
        for version in sys.argv[1:] or [VERSION]:
            print(binaries(version))
    except MissingError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
