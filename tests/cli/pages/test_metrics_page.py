"""hardener metrics, and docs/metrics.md."""

import re

import pytest

from hardener.admission import Explained, Result
from hardener.controls import CATALOGUE
from hardener.metrics import TABLE
from hardener.model import OptOutCause
from hardener.policy.config import Doubt
from tests.cli.command_line import hardener
from tests.cli.pages.markdown_pages import DOCS, Page

PAGE = DOCS / "metrics.md"


@pytest.fixture(scope="module")
def page():
    return Page(hardener("metrics", "-o", "markdown").out)


@pytest.fixture(scope="module")
def rows(page):
    """The rows of the metrics by their names."""
    return {row[0]: row for row in page.tables[0][1:]}


def test_the_page_of_the_metrics_is_up_to_date(page):
    assert PAGE.read_text() == page.text, "run `make generate`"


def test_tables_and_links_of_the_page_of_metrics_are_whole(page):
    assert [len(numbers) for numbers in page.bars] == [1, 1]
    assert page.links
    assert page.dead_links == []


@pytest.mark.parametrize("metric", TABLE, ids=lambda metric: metric.name)
def test_each_metric_has_a_row_that_says_all_about_it(metric, rows):
    _, kind, labels, counts, rise = rows[metric.name]

    assert (kind, labels, rise) == (metric.kind, ", ".join(metric.labels), metric.rise)
    assert counts.startswith(metric.help)
    assert metric.flag in counts


@pytest.mark.parametrize("metric", TABLE, ids=lambda metric: metric.name)
def test_the_list_of_metrics_says_the_same_in_a_terminal(metric):
    listed = re.sub(r"\s+", " ", hardener("metrics").out)

    assert f"{metric.name} {metric.kind}" in listed
    for text in (*metric.labels, metric.help, metric.rise, metric.flag):
        assert text in listed


def test_each_label_is_explained_and_no_other(page):
    explained = [label for label, _ in page.tables[1][1:]]

    assert explained == sorted({label for metric in TABLE for label in metric.labels})


@pytest.mark.parametrize("value", [*CATALOGUE, *OptOutCause, *Result, *Explained, *Doubt])
def test_the_values_of_bounded_labels_are_told(value, page):
    cells = " ".join(cell for table in page.tables for row in table for cell in row)

    assert re.search(rf"\b{re.escape(value)}\b", cells)


def test_names_stand_out_where_colours_are_wanted():
    assert f"\x1b[1m{TABLE[0].name}\x1b[0m" in hardener("metrics", "--color", "always").out
    assert "\x1b" not in hardener("metrics").out
