"""`hardener help`, and the page that is made of all commands' help."""

import re

from hardener.cli import COMMANDS
from tests.cli.command_line import hardener
from tests.cli.pages.markdown_pages import DOCS


def test_the_page_of_the_commands_is_up_to_date():
    result = hardener("help", "-o", "markdown")

    assert result.code == 0
    assert result.out == (DOCS / "cli.md").read_text("utf-8"), "docs/cli.md is out of date: run `make generate`"


def test_the_page_has_every_command_with_its_exit_codes():
    sections = re.split(r"^## ", hardener("help", "-o", "markdown").out, flags=re.MULTILINE)[1:]

    assert {section.split()[1] for section in sections} == {*COMMANDS}
    groups = {"hardener config"}
    assert [each for each in sections if "Exit code" not in each and each.partition("\n")[0] not in groups] == []


def test_the_help_of_a_command_is_what_its_option_prints():
    assert hardener("help", "config", "check").out == hardener("config", "check", "--help").out
    assert hardener("help").out == hardener("--help").out


def test_an_unknown_command_names_the_nearest_one():
    result = hardener("help", "config", "chek")

    assert result.code == 2
    assert "there is no command 'chek' here: did you mean check?" in result.err
