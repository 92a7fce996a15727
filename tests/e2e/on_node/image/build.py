"""The image, built from the checkout's Dockerfile with buildah as users build it with docker or podman.

`python -m tests.e2e.on_node.image.build FILE` builds it and writes it into a file as `docker save` does.
"""

import fcntl
import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from tests.e2e.binaries import MissingError
from tests.e2e.cluster import Json
from tests.e2e.on_node.image.base import base, image_cache, require_programs

ROOT = Path(__file__).parents[4]
REFERENCE = "localhost/hardener:dockerfile"
BILL_OF_MATERIALS = "sbom.cdx.json"

PIP_OPTIONS = ("extra-index-url", "index-url", "proxy", "timeout", "trusted-host")
"""What pip is told on this machine, where it is, and what it then has to be told in the build as well."""

AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


class Buildah:
    """A context manager, for one process at a time; needs root. Raises MissingError where the machine lacks something.

    Its storage is kept, so that only what has changed is built again.
    """

    def __init__(self) -> None:
        self._open = ExitStack()

    def __enter__(self) -> Self:
        if sys.platform != "linux" or os.geteuid() != 0:
            raise MissingError("building the image here needs Linux and root")
        require_programs()
        self._storage = image_cache() / "storage"
        self._folder = Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="hardener-image-")))
        lock = self._open.enter_context((image_cache() / ".lock").open("w"))
        fcntl.flock(lock, fcntl.LOCK_EX)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def write_image(self, archive: Path) -> None:
        """Build the image, and write it as `docker save` does."""
        self._build(f"--tag={REFERENCE}")
        archive.unlink(missing_ok=True)  # buildah adds to an archive, or tries to
        self._run("push", REFERENCE, f"docker-archive:{archive}:{REFERENCE}")

    def bill_of_materials(self) -> Json:
        """Build it, and return it."""
        self._build("--target=sbom", f"--output=type=local,dest={self._folder}")
        return json.loads((self._folder / BILL_OF_MATERIALS).read_text())

    def _build(self, *flags: str) -> None:
        # Without a container engine nothing but chroot separates a build from the machine.
        options = ["--isolation=chroot", "--layers", f"--build-arg=BASE={self._base()}", *self._secrets(), *flags]
        self._run("build", *options, str(ROOT))

    def _base(self) -> str:
        """The name of the base in the storage, imported if need be."""
        archive = base()
        name = f"localhost/base:{archive.stem}"
        if name not in self._run("images", "--format={{.Name}}:{{.Tag}}").split():
            container = self._run("from", "scratch").strip()
            self._run("add", container, str(archive), "/")
            self._run("commit", "--rm", container, name)
        return name

    def _secrets(self) -> list[str]:
        """The Dockerfile's two, from what pip and this machine are told."""
        options = _pip_options()
        lines = ["[global]", *(f"{name} = {options[name]}" for name in PIP_OPTIONS if name in options)]
        flags = [f"--secret=id=pip.conf,src={self._folder}/pip.conf"]
        authorities = Path(options.get("cert", AUTHORITIES))
        if authorities.exists():
            lines.append("cert = /run/secrets/ca.crt")
            flags.append(f"--secret=id=ca.crt,src={authorities}")
        (self._folder / "pip.conf").write_text("\n".join(lines))
        return flags

    def _run(self, command: str, *arguments: str) -> str:
        """Run buildah, and return what it printed; RuntimeError with what it complained about where it fails."""
        storage = [f"--root={self._storage}", f"--runroot={self._folder}/run", "--storage-driver=overlay"]
        done = subprocess.run(["buildah", *storage, command, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stdout + done.stderr).strip()[-3000:]
            raise RuntimeError(f"buildah {command} ended with {done.returncode}: {said}")
        return done.stdout


def _pip_options() -> dict[str, str]:
    """What `pip config list` prints, such as `global.index-url='https://...'`; the environment's count most."""
    done = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    settings = (line.partition("=") for line in done.stdout.splitlines())
    found = sorted((":env:" in name, name.rpartition(".")[2], value.strip("'")) for name, _, value in settings)
    return {name: value for _, name, value in found}


def main() -> None:
    try:
        with Buildah() as buildah:
            buildah.write_image(Path(sys.argv[1]).absolute())
    except MissingError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
