"""The image of the Dockerfile, for the tests of this folder."""

import os
from dataclasses import dataclass

import pytest

from tests.e2e.binaries import MissingError
from tests.e2e.cluster import Json
from tests.e2e.on_node.image.archive import Archive
from tests.e2e.on_node.image.build import Buildah

BUILD_SECONDS = 1200
"""The first build takes minutes, and every test waits for it."""


@dataclass(frozen=True)
class Built:
    image: Archive
    bill_of_materials: Json


def pytest_collection_modifyitems(items):
    for item in items:
        if "built" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.timeout(BUILD_SECONDS))


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Where decisions are made, it may not be left out."""
    path = tmp_path_factory.mktemp("image") / "image.tar"
    try:
        with Buildah() as buildah:
            buildah.write_image(path)
            return Built(Archive.open(path), buildah.bill_of_materials())
    except MissingError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def image(built):
    return built.image
