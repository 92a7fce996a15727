"""Helm and promtool for the tests of what is deployed. A machine that cannot have them leaves out what needs them."""

import os

import pytest

from tests.deploy.chart import template
from tests.deploy.tools import HELM, helm, promtool
from tests.e2e.binaries import MissingError

BUILD_SECONDS = 1200
"""Helm is built once, in minutes, and every test waits for it."""


def pytest_collection_modifyitems(items):
    for item in items:
        if {"helm_programs", "promtool_program"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.timeout(BUILD_SECONDS))


@pytest.fixture(scope="session")
def helm_programs():
    """Both versions of Helm, by their majors."""
    return {major: or_skip(helm, major) for major in HELM}


@pytest.fixture(scope="session")
def promtool_program():
    return or_skip(promtool)


@pytest.fixture(scope="session", params=sorted(HELM))
def major(request, helm_programs):
    """Each major version of Helm in turn."""
    return request.param


@pytest.fixture(scope="session")
def render(helm_programs):
    """The manifests for some values, as `template` has them."""
    return template


def or_skip(get, *arguments):
    """Where decisions are made, nothing may be left out."""
    try:
        return get(*arguments)
    except MissingError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
