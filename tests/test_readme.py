"""README.md and the other pages that are written by hand: samples and links."""

import re

import pytest

from hardener.policy.reading import parse_config
from tests.cli.pages.markdown_pages import Page
from tests.transcripts import README, ROOT, commands, run_blocks

PAGES = [
    README,
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *ROOT.glob("config/**/*.md"),
    *ROOT.glob("docs/**/*.md"),
]


def test_the_samples_are_what_the_programs_print():
    page = README.read_text()

    assert len(commands(page)) == 2
    assert page == run_blocks(page, ROOT), "run `make generate`"


def test_the_configuration_that_it_shows_is_valid():
    config = parse_config(Page(README.read_text()).blocks("yaml")[0], "README.md")

    assert config.select("shop").policy.name == "observe"
    assert config.select("shop", {"environment": "production"}).policy.name == "standard"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_within_the_repository_lead_somewhere(path):
    links = [link.partition("#")[0] for link in Page(path.read_text()).links if not re.match(r"https?:", link)]

    assert [link for link in links if link and not (path.parent / link).exists()] == []
