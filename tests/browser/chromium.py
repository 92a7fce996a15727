"""A browser without a window: one that is installed, or Debian's package, which is installed where CI runs."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.e2e.binaries import MissingError

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""What it is called, the smallest first."""

PACKAGES = ("chromium-headless-shell", "fonts-liberation")


def chromium() -> Path:
    """The program. Raises MissingError."""
    if found := _installed():
        return found
    if os.environ.get("CI") and os.geteuid() == 0 and shutil.which("apt-get"):
        _install()
        if found := _installed():
            return found
    raise MissingError(f"no Chromium: install it, on Debian with `apt-get install {' '.join(PACKAGES)}`")


def _installed() -> Path | None:
    return next((Path(path) for name in NAMES if (path := shutil.which(name))), None)


def _install() -> None:
    install = ["apt-get", "install", "--quiet=2", "--yes", "--no-install-recommends", *PACKAGES]
    # Without lists of packages it fails; they are fetched then, and only then.
    for command in (install, ["apt-get", "update", "--quiet=2"], install):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if command is install and not done.returncode:
            return
    raise MissingError(f"no Chromium, and Debian's package cannot be installed: {done.stderr.strip()}")
