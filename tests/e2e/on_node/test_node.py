"""The node leaves no trace on the machine that runs it, and says what it lacks there."""

import os
from pathlib import Path

import pytest

from tests.e2e.binaries import MissingError
from tests.e2e.first_process import KERNEL
from tests.e2e.node import require_node

SETTINGS = {name: Path("/proc/sys", name).read_text() for name in KERNEL if Path("/proc/sys", name).exists()}
"""As this module was read, before the node started."""


def test_the_settings_of_the_kernel_stay_as_they_were(node):
    inside = {name: node.namespaces.run("cat", f"/proc/sys/{name}").strip() for name in KERNEL}
    now = {name: Path("/proc/sys", name).read_text() for name in SETTINGS}

    assert inside == KERNEL
    assert now == SETTINGS


def test_the_node_cannot_reach_anything_outside(node):
    links = node.namespaces.run("ip", "-brief", "link").split("\n")
    names = {line.split()[0].partition("@")[0] for line in links if line}

    assert {name for name in names if not name.startswith("veth")} == {"lo", "cni0"}
    assert "default" not in node.namespaces.run("ip", "route")


def test_without_root_one_line_says_that_it_is_needed(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(MissingError, match=r"^the node of the end-to-end tests needs Linux and root$"):
        require_node()


def test_without_its_programs_one_line_names_the_packages(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(
        MissingError, match=r"^the node of the end-to-end tests needs the Debian packages containerd runc "
    ):
        require_node()
