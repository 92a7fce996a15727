"""The report's page in a real browser. A machine that cannot have one leaves these tests out."""

import os
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, sync_playwright

from hardener.cli.reports.html import page
from tests.browser.chromium import chromium
from tests.e2e.binaries import MissingError

INSTALL_SECONDS = 600
"""The first test waits for the browser's installation."""

DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 740}


@dataclass
class Visit:
    """A page in the browser, with what it asked the network for and what the browser complained of."""

    page: Page
    url: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.goto(self.url)


def pytest_addoption(parser):
    parser.addoption(
        "--write-docs", action="store_true", help="Write docs/report.png anew, from what the browser shows."
    )


def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.timeout(INSTALL_SECONDS))


@pytest.fixture(scope="session")
def browser():
    try:
        program = chromium()
    except MissingError as error:
        # Where decisions are made, nothing may be left out.
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    # Chromium refuses to make its sandbox for root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser, tmp_path):
    """`visit(report_or_html, **how)` opens it from a file; `how` is what Playwright knows about contexts."""
    contexts = []

    def opened(shown, **how):
        path = tmp_path / f"{len(contexts)}.html"
        path.write_text(shown if isinstance(shown, str) else page(shown), encoding="utf-8")
        contexts.append(browser.new_context(**{"viewport": DESKTOP, "color_scheme": "light"} | how))
        return Visit(contexts[-1].new_page(), path.as_uri())

    yield opened
    for context in contexts:
        context.close()
