"""What preview prints in each format is what is kept here."""

import pytest

from hardener.cli.output.formats import FORMATS
from tests.cli.golden.outputs import COMMAND, GOLDENS, HERE, REAL

SIZE_LIMIT = 200_000
"""Bytes of all goldens together."""


@pytest.mark.parametrize("golden", GOLDENS, ids=lambda golden: golden.name)
def test_preview_prints_what_is_kept(golden):
    if not golden.available:
        pytest.skip("no corpus")

    assert golden.made() == golden.file.read_text(encoding="utf-8"), f"look at what `{COMMAND}` changes"


def test_every_format_is_kept():
    assert {golden.arguments[0] for golden in GOLDENS} == {*FORMATS}
    assert len(REAL) >= 12


def test_nothing_else_is_kept_and_all_of_it_is_small():
    kept = {path for path in HERE.iterdir() if path.is_file() and path.suffix != ".py"}

    assert kept == {golden.file for golden in GOLDENS}
    assert sum(path.stat().st_size for path in kept) < SIZE_LIMIT
