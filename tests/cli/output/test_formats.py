import subprocess
import sys

import pytest

from hardener.cli.output.formats import FORMATS, SUMMARIES, make_format
from hardener.cli.output.tally import Tally
from tests.cli.command_line import DEPLOYMENT

TABLES = {"table"}
"""Formats that are drawn by rich, which takes long to import."""


@pytest.mark.parametrize("named", [*FORMATS.values(), *SUMMARIES.values()])
def test_every_format_of_the_tables_can_be_made_and_shows_an_empty_run(named):
    made = make_format(named)

    assert isinstance(made.end(Tally()), str)
    assert isinstance(made.for_people, bool)


@pytest.mark.parametrize("output", sorted({*FORMATS} - TABLES))
def test_nothing_heavy_is_imported_for_a_format_that_needs_it_not(output):
    program = (
        "import sys; from hardener.cli import run; run(['preview', '-o', sys.argv[1]], 'hardener');"
        "print(*[name for name in ('rich', 'asyncio', 'importlib.metadata') if name in sys.modules], file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, output],
        input=DEPLOYMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stderr.splitlines()[-1].split() == (["importlib.metadata"] if output == "sarif" else [])
