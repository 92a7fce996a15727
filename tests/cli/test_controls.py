from pathlib import Path

import pytest

from hardener.controls import CATALOGUE
from tests.cli.command_line import hardener

DOCS = Path(__file__).parents[2] / "docs" / "controls.md"


def test_the_list_names_every_control_with_its_summary():
    out = hardener("controls").out

    for control in CATALOGUE.values():
        assert control.name in out
        assert control.summary in out


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_page_of_a_control_says_all_that_its_file_says(name):
    control = CATALOGUE[name]

    out = hardener("controls", name).out

    for text in (control.summary, control.why, control.changes, control.opt_out_when, *control.all_holds):
        assert text in out


def test_settings_are_shown_with_their_values_and_defaults():
    out = hardener("controls", "readOnlyRootFilesystem").out

    assert '  writablePaths: list of text, default ["/tmp"]\n' in out
    assert "  hostAgents: hold | harden, default hold\n" in out
    assert "  sizeLimit: text | number | null, default null\n" in out
    assert "  requests: quantities by resource, default {}\n" in hardener("controls", "resources").out


def test_an_unknown_control_names_the_nearest_one():
    result = hardener("controls", "runAsRoot")

    assert result.code == 2
    assert "there is no control 'runAsRoot': did you mean runAsNonRoot?" in result.err


def test_one_control_can_be_had_as_markdown_too():
    out = hardener("controls", "capabilities", "-o", "markdown").out

    assert out.startswith("## capabilities\n")
    assert "## resources" not in out


def test_the_documentation_of_the_controls_is_up_to_date():
    assert DOCS.read_text() == hardener("controls", "-o", "markdown").out, "run `make generate`"
