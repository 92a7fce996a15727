"""What building the image needs is said in one line."""

import os

import pytest

from tests.e2e.binaries import MissingError
from tests.e2e.on_node.image.base import require_programs
from tests.e2e.on_node.image.build import Buildah


def test_without_root_one_line_says_that_it_is_needed(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(MissingError, match=r"^building the image here needs Linux and root$"):
        Buildah().__enter__()


def test_without_its_programs_one_line_names_the_packages(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(
        MissingError, match=r"^the image is built here with the Debian packages buildah and mmdebstrap: "
    ):
        require_programs()
