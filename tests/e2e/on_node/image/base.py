"""The base that the image is built on here: Debian with its own Python, from the mirror that apt is set up for.

No registry is asked for it. It is made once and kept.
"""

import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.e2e.binaries import MissingError, cache

PACKAGES = ("python3", "python3-venv", "ca-certificates")
"""What images such as python:slim have, beside Debian's own minimum."""

PROGRAMS = ("buildah", "mmdebstrap")
"""What makes the base and the image, each from the Debian package of its name."""

DISTRIBUTIONS = ("Debian", "Ubuntu")


def image_cache() -> Path:
    """The folder that holds what building leaves for the next time. It may be deleted."""
    folder = cache().with_name("image")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def require_programs() -> None:
    """Raise MissingError where there is no buildah or no mmdebstrap; as root on Debian, install them."""
    missing = _missing_programs()
    if missing and shutil.which("apt-get"):
        _apt_get("update", "-qq")
        _apt_get("install", "-qq", "--yes", "--no-install-recommends", *missing)
        missing = _missing_programs()
    if missing:
        raise MissingError(f"the image is built here with the Debian packages {' and '.join(missing)}: install them")


def base() -> Path:
    """The root of the base as a tar, made if need be. Raises MissingError."""
    release, *sources = _sources()
    key = hashlib.sha256("\n".join([release, *sources, *PACKAGES]).encode()).hexdigest()[:8]
    path = image_cache() / f"{release}-{key}.tar"
    if not path.exists():
        made = path.with_name(f".making-{path.name}")
        command = ["mmdebstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", release, made, *sources]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            made.unlink(missing_ok=True)
            raise MissingError(f"mmdebstrap cannot make {path}: {done.stderr.strip()[-1000:]}")
        made.replace(path)
    return path


def _sources() -> list[str]:
    """The release that is installed here, and the sources of its distribution, as lines of sources.list."""
    lines = _sources_of_apt()
    if not lines:
        _apt_get("update", "-qq")
        lines = _sources_of_apt()
    if not lines:
        raise MissingError("apt names no mirror of Debian or Ubuntu to make the image's base from")
    releases = [line.split()[2] for line in lines]
    return [min(releases, key=len), *lines]


def _sources_of_apt() -> list[str]:
    command = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI) $(CODENAME) $(COMPONENT)"]
    said = subprocess.run([*command, "Created-By: Packages"], capture_output=True, text=True, check=False).stdout
    targets = [line.split() for line in said.splitlines()]
    lines = (f"deb {' '.join(target)}" for origin, *target in targets if origin in DISTRIBUTIONS)
    return sorted(set(lines))


def _missing_programs() -> list[str]:
    return [program for program in PROGRAMS if not shutil.which(program)]


def _apt_get(*arguments: str) -> None:
    waiting = "-oDPkg::Lock::Timeout=300"  # somebody else may be installing at the same time
    subprocess.run(["apt-get", waiting, *arguments], capture_output=True, check=False)
