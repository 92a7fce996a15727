"""The page as text; what a browser makes of it is in tests/browser."""

import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta, timezone
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from hardener.cli.reports.html import TEXT_LENGTH, page
from hardener.controls import CATALOGUE
from hardener.report.report import State
from hardener.wording import one_line
from tests.browser.made_up import HOSTILE, TAKEN_AT, cluster, large, made_of

VOID = {"meta", "input"}
LARGEST = 10_000_000
"""Bytes that a browser on a phone still opens."""

SECONDS = 4
"""Of processor time, about four times what it takes."""


class Reader(HTMLParser):
    """Tags with their attributes, and the text that people read."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.open = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in {"style", "script", "title"}:
            self.texts.append(data)

    @property
    def text(self):
        return " ".join("".join(self.texts).split())


@pytest.fixture(scope="module")
def read():
    return Reader(page(cluster()))


@pytest.fixture(scope="module")
def hostile():
    return page(made_of())


def test_hostile_texts_are_no_tags_and_no_attributes(hostile):
    harmless = Reader(page(made_of(tuple(f"harmless {index}" for index in range(len(HOSTILE))))))
    read = Reader(hostile)

    assert [(tag, [*attributes]) for tag, attributes in read.tags] == [
        (tag, [*attributes]) for tag, attributes in harmless.tags
    ]
    assert read.open == []


def test_hostile_texts_are_read_as_they_were_written_but_for_characters_nobody_sees(hostile):
    read = Reader(hostile)

    for text in HOSTILE:
        assert read.texts.count(one_line(text)) > 10


@pytest.mark.parametrize("html", [page(cluster()), page(made_of())], ids=["a cluster", "hostile texts"])
def test_nothing_but_printable_characters_and_line_breaks_comes_out(html):
    assert {character for character in html if not character.isprintable()} == {"\n"}
    assert html.encode().decode() == html


def test_a_text_of_any_length_has_an_end():
    html = page(made_of(("x" * 100_000,)))

    assert len(html) < 100_000
    assert "x" * (TEXT_LENGTH - 1) + "…" in html
    assert "x" * TEXT_LENGTH not in html


def test_the_same_report_gives_the_same_bytes_in_any_process():
    code = (
        "import hashlib, sys\n"
        "from hardener.cli.reports.html import page\n"
        "assert 'jinja2' not in sys.modules\n"
        "from tests.browser.made_up import cluster\n"
        "print(hashlib.sha256(page(cluster()).encode()).hexdigest())"
    )
    hashes = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    ]

    assert hashes[0] == hashes[1]
    assert page(cluster()) == page(cluster())


def test_only_the_style_and_the_script_that_stand_in_it_may_run(read):
    (policy,) = [each["content"] for tag, each in read.tags if each.get("http-equiv") == "Content-Security-Policy"]

    assert re.fullmatch(
        r"default-src 'none'; style-src 'sha256-[\w+/]{43}='; script-src 'sha256-[\w+/]{43}='; "
        r"base-uri 'none'; form-action 'none'",
        policy,
    )
    # No attribute holds style or script, which hashes do not cover, and nothing is loaded.
    names = {name for _, attributes in read.tags for name in attributes}
    assert not [name for name in names if name.startswith("on") or name in {"style", "src", "srcset", "action"}]
    assert {"link", "img", "iframe", "object", "form", "base"}.isdisjoint(tag for tag, _ in read.tags)


def test_every_link_leads_to_a_place_of_the_page(read):
    places = [attributes["id"] for _, attributes in read.tags if "id" in attributes]
    links = [attributes["href"] for _, attributes in read.tags if "href" in attributes]
    named = [
        attributes[name] for _, attributes in read.tags for name in ("aria-labelledby", "for") if name in attributes
    ]

    assert len(set(places)) == len(places)
    assert len(links) > 30
    assert {link.removeprefix("#") for link in links} <= set(places)
    assert set(named) <= set(places)


def test_headings_and_table_headers_say_what_they_head(read):
    headings = [int(tag[1]) for tag, _ in read.tags if re.fullmatch("h[1-6]", tag)]

    assert headings.count(1) == 1
    assert headings[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(headings))
    assert {attributes.get("scope") for tag, attributes in read.tags if tag == "th"} == {"col", "row"}


def test_the_headline_says_how_many_namespaces_can_enforce_restricted(read):
    assert (
        "After hardening, 9 of 13 namespaces can enforce the Pod Security level restricted. Today, 4 can." in read.text
    )


def test_it_says_what_it_is_a_report_of(read):
    assert (
        "Hardening report production-eu 2026-11-20 08:30 UTC · 13 namespaces · 173 pods · hardener 0.9.0" in read.text
    )
    assert "This report is not complete" not in read.text


def test_the_numbers_that_matter_stand_on_top(read):
    assert (
        "13 pods lack what their policy enforces 39 pods would change where policies only try "
        "8 workloads have something held back 3 opt-outs are refused 1 opt-out ends soon 3 workloads are likely to break"
    ) in read.text


def test_what_could_not_be_read_stands_before_everything_else():
    html = page(replace(cluster(), problems=("no permission to list replicasets: grant the verb list",)))
    text = Reader(html).text

    assert text.index("no permission to list replicasets: grant the verb list") < text.index("After hardening")
    assert "This report is not complete" in text


def test_every_control_has_its_numbers_and_what_it_does(read):
    report = cluster()

    for name, control in CATALOGUE.items():
        counts = [str(report.coverage(name).get(state, 0)) for state in State]
        assert " ".join([name, control.summary, *counts]) in read.text


def test_a_cluster_without_anything_is_told_in_whole_sentences():
    text = Reader(page(replace(cluster(), namespaces=()))).text

    assert "0 of 0 namespaces" in text
    assert "None: every pod has what its policy enforces." in text
    assert "Nothing is held back." in text


def test_five_hundred_namespaces_with_forty_workloads_each_are_one_page_that_opens():
    report = large()
    started = time.process_time()
    html = page(report)
    seconds = time.process_time() - started

    assert len(html.encode()) < LARGEST
    assert seconds < SECONDS
    assert html.count("<details") == 500
    assert html.count("and 35 more (") == 500
    assert "and 8,300 more:" in html


def test_moments_are_told_in_utc():
    elsewhere = replace(cluster(), taken_at=TAKEN_AT.astimezone(timezone(timedelta(hours=5, minutes=30))))
    assert page(elsewhere) == page(cluster())
