"""What the image holds is what the tests run with. `make lock` writes the files that are compared here."""

import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.image.locks import ROOT, versions

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["run", "build"])
def test_the_image_gets_versions_that_development_uses(name):
    assert versions(name)
    assert versions(name).items() <= versions("dev").items()


@pytest.mark.parametrize(
    ("name", "requirements"),
    [
        ("run", PROJECT["project"]["dependencies"]),
        ("build", PROJECT["build-system"]["requires"]),
    ],
)
def test_what_the_project_asks_for_is_locked_in_a_version_that_it_allows(name, requirements):
    asked = [Requirement(each) for each in requirements]
    found = versions(name)

    assert [
        str(each) for each in asked if not each.specifier.contains(found.get(canonicalize_name(each.name), "0"))
    ] == []
