"""Programs of Kubernetes: those of KUBEBUILDER_ASSETS, those in the cache, or else built from Go modules.

`python -m tests.e2e.binaries [VERSION...]` makes sure that a control plane's are there and prints their folders.
"""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

VERSION = "1.36.3"
"""What the tests run on."""

OLDEST = "1.33.13"
"""The newest patch of the oldest minor that is supported, three back."""

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")
NODE = (*CONTROL_PLANE, "kube-scheduler", "kubelet", "pause")

PACKAGES = {"etcd": "go.etcd.io/etcd/server/v3", "pause": "./pause"}
"""Go packages of the programs that are not `k8s.io/kubernetes/cmd/<name>`."""

MODULE = Path(__file__).with_name("kubernetes")
_VERSION_PACKAGE = "k8s.io/component-base/version"


class MissingError(Exception):
    """This machine lacks something; the text is one line that says what, and what to do."""


def binaries(version: str = VERSION, names: Iterable[str] = NODE) -> Path:
    """The folder that holds the named programs in a version, built if need be. Raises MissingError.

    KUBEBUILDER_ASSETS counts in place of VERSION, whatever version it holds; what it lacks, as envtest's lack
    kube-controller-manager, is built in the version of its kube-apiserver.
    """
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and version == VERSION:
        return _completed(Path(assets), tuple(names))
    return _built(version, tuple(names))


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hardener" / "kubernetes"


def _lacking(folder: Path, names: Iterable[str]) -> list[str]:
    return [name for name in names if not os.access(folder / name, os.X_OK)]


def _completed(assets: Path, names: tuple[str, ...]) -> Path:
    """The folder of assets, or one with links to them and to what has to be built beside them."""
    lacking = _lacking(assets, names)
    if not lacking:
        return assets
    if "kube-apiserver" in lacking:
        raise MissingError(f"KUBEBUILDER_ASSETS is {assets}, where there is no kube-apiserver: mend it or unset it")
    said = subprocess.run([assets / "kube-apiserver", "--version"], capture_output=True, text=True, check=True).stdout
    version = said.strip().rpartition("v")[2]
    built = _built(version, tuple(lacking))
    folder = cache() / f"{version}-assets"
    folder.mkdir(exist_ok=True)
    for name in names:
        link = folder / f".{name}.{os.getpid()}"
        link.symlink_to((built if name in lacking else assets.absolute()) / name)
        link.replace(folder / name)
    return folder


def _built(version: str, names: tuple[str, ...]) -> Path:
    """The folder in the cache; only one process builds at a time."""
    folder = cache() / version
    if not _lacking(folder, names):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if lacking := _lacking(folder, names):
            _build(version, lacking, folder)
    return folder


def _build(version: str, names: list[str], folder: Path) -> None:
    if shutil.which("go") is None:
        raise MissingError(
            f"no {', '.join(names)} of Kubernetes {version} in {folder}: install Go (https://go.dev/dl) to have them built, "
            "or set KUBEBUILDER_ASSETS to a folder that holds them"
        )
    sys.stderr.write(f"building {', '.join(names)} of Kubernetes {version} in {folder}: minutes, once\n")
    with tempfile.TemporaryDirectory(prefix="hardener-build-") as scratch:
        module = Path(scratch) / "module"
        shutil.copytree(MODULE, module)
        _write_requirements(module, version)
        for name in names:
            package = PACKAGES.get(name, f"k8s.io/kubernetes/cmd/{name}")
            # Beside its place first: half a program must never stand there.
            _go(module, "build", "-trimpath", f"-ldflags={_linker_flags(version)}", f"-o={folder}/.{name}", package)
            (folder / f".{name}").replace(folder / name)


def _write_requirements(module: Path, version: str) -> None:
    """Make go.mod and go.sum.

    k8s.io/kubernetes asks for its staging modules as v0.0.0, which exist in its own repository only; the published ones
    have its version with another major.
    """
    _go(module, "mod", "init", "hardener.dev/kubernetes")
    _go(module, "mod", "edit", f"-require=k8s.io/kubernetes@v{version}")
    downloaded = json.loads(_go(module, "mod", "download", "-json", f"k8s.io/kubernetes@v{version}"))
    required = Path(downloaded["GoMod"]).read_text(encoding="utf-8")
    staging = sorted(set(re.findall(r"^\s+(k8s\.io/\S+) v0\.0\.0$", required, re.MULTILINE)))
    published = f"v0.{version.partition('.')[2]}"
    _go(module, "mod", "edit", *(f"-replace={name}={name}@{published}" for name in staging))
    _go(module, "mod", "tidy")


def _linker_flags(version: str) -> str:
    major, minor, _ = version.split(".")
    stamps = {"gitVersion": f"v{version}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    return " ".join(["-s -w", *(f"-X {_VERSION_PACKAGE}.{name}={value}" for name, value in stamps.items())])


def _go(module: Path, *arguments: str) -> str:
    # A build that is stamped with the state of somebody's checkout is never the same again.
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"}
    done = subprocess.run(["go", *arguments], cwd=module, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise MissingError(f"go {' '.join(arguments[:2])} failed: {' '.join(reason)}")
    return done.stdout


def main() -> None:
    try:
        for version in sys.argv[1:] or [VERSION]:
            sys.stdout.write(f"{binaries(version, CONTROL_PLANE)}\n")
    except MissingError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
