"""Programs that judge what is deployed: Helm 3 and 4, promtool, and the definitions of the custom resources.

Helm and the definitions are built from Go modules, promtool comes from Debian's package; all are kept in the cache.
`python -m tests.deploy.tools` gets all of them and prints where they are.
"""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from tests.e2e.binaries import MissingError, cache

HELM = {"3": "3.22.0", "4": "4.3.1"}
"""The versions that render the chart, by their majors."""

HELM_3_KUBERNETES = "37"
"""The minor version of Kubernetes that this Helm 3 takes for the cluster's where it asks none."""

MODULE = Path(__file__).with_name("custom_resources")
"""A Go module that imports the API types whose definitions are generated from it."""

API_PACKAGES = (
    "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1",
    "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1",
)
"""Where the types of the custom resources are that the chart makes; their versions stand in the module's go.mod."""

DEFINITIONS = (
    "cert-manager.io_certificates.yaml",
    "cert-manager.io_issuers.yaml",
    "monitoring.coreos.com_prometheusrules.yaml",
    "monitoring.coreos.com_servicemonitors.yaml",
)
"""The files that define them, as controller-gen names them."""


def helm(major: str) -> Path:
    """Helm of a major version. Raises MissingError."""
    return _kept(f"helm-{HELM[major]}", lambda path: _build_helm(major, path))


def promtool() -> Path:
    """The one that is installed, or else that of Debian's package. Raises MissingError."""
    installed = shutil.which("promtool")
    return Path(installed) if installed else _kept("promtool", _unpack_promtool)


def custom_resource_definitions() -> Path:
    """The folder of the definitions. Raises MissingError."""
    versions = sha256((MODULE / "go.mod").read_bytes()).hexdigest()[:8]
    return _kept(f"custom-resource-definitions-{versions}", _generate_definitions)


def _kept(name: str, make: Callable[[Path], None]) -> Path:
    """What stands in the cache under a name, made if need be; only one process makes at a time."""
    folder = cache().parent / "deploy"
    path = folder / name
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            sys.stderr.write(f"making {path}: minutes, once\n")
            make(path)
    return path


def _build_helm(major: str, path: Path) -> None:
    package = f"helm.sh/helm/v{major}/cmd/helm@v{HELM[major]}"
    with _scratch(path) as scratch:
        flags = f"-ldflags=-s -w {_helm_stamps(major)}"
        _go(scratch, "install", "-trimpath", flags, package, environment={"GOBIN": str(scratch)})
        (scratch / "helm").replace(path)


def _helm_stamps(major: str) -> str:
    """As in Helm's own Makefile. Helm 3 takes Kubernetes for 1.20 without, and refuses charts that want a newer one."""
    stamps = {"internal/version.version": f"v{HELM[major]}"}
    if major == "3":
        stamps |= {f"{package}.k8sVersionMinor": HELM_3_KUBERNETES for package in ("pkg/chartutil", "pkg/lint/rules")}
    return " ".join(f"-X helm.sh/helm/v{major}/{name}={value}" for name, value in stamps.items())


def _generate_definitions(path: Path) -> None:
    with _scratch(path) as scratch:
        module = scratch / "module"
        shutil.copytree(MODULE, module)
        paths = [f"paths={package}" for package in API_PACKAGES]
        target = f"output:crd:artifacts:config={scratch}/all"
        _go(module, "tool", "controller-gen", "crd:maxDescLen=0", *paths, target)
        chosen = scratch / "chosen"
        chosen.mkdir()
        for name in DEFINITIONS:
            (scratch / "all" / name).replace(chosen / name)
        chosen.replace(path)


def _unpack_promtool(path: Path) -> None:
    if shutil.which("apt-get") is None:
        raise MissingError("no promtool: install Prometheus, which brings it")
    with _scratch(path) as scratch:
        # Without lists of packages the download fails; they are fetched then, and only then.
        for commands in (["download"], ["update", "download"]):
            done = [_apt(scratch, command) for command in commands][-1]
            if not done.returncode:
                break
        packages = list(scratch.glob("*.deb"))
        if not packages:
            raise MissingError(f"no promtool, and Debian's package prometheus cannot be had: {done.stderr.strip()}")
        subprocess.run(["dpkg", "-x", packages[0], scratch / "unpacked"], check=True)
        (scratch / "unpacked/usr/bin/promtool").replace(path)


def _apt(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    packages = ["prometheus"] if command == "download" else []
    arguments = ["apt-get", command, "--quiet=2", *packages]
    return subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False)


@contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    """A folder beside a path, in which it is made: half of it must never stand in its place."""
    with tempfile.TemporaryDirectory(prefix=".making-", dir=path.parent) as folder:
        yield Path(folder)


def _go(folder: Path, *arguments: str, environment: dict[str, str] | None = None) -> None:
    if shutil.which("go") is None:
        raise MissingError("no Go: install it (https://go.dev/dl) to have Helm built")
    whole = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", **(environment or {})}
    done = subprocess.run(["go", *arguments], cwd=folder, env=whole, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise MissingError(f"go {' '.join(arguments[:2])} failed: {' '.join(reason)}")


def main() -> None:
    try:
        made = {"helm 3": helm("3"), "helm 4": helm("4"), "promtool": promtool()}
        made["custom resource definitions"] = custom_resource_definitions()
    except MissingError as error:
        sys.exit(str(error))
    sys.stdout.write(json.dumps({name: str(path) for name, path in made.items()}, indent=2) + "\n")


if __name__ == "__main__":
    main()
