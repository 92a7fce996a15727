"""The options of `hardener serve`, given to a process of its own."""

import re

import aiohttp
import pytest

from hardener.cli.serve import LOG_FORMATS
from hardener.server.log import FORMATS
from tests.cli.command_line import hardener
from tests.server.serving import JSON, body, until
from tests.server.test_drain import process

FREE = ("--port", "0", "--metrics-port", "0")
CONSOLE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d (info|warning|error) +\S.*\n")


async def test_a_dry_run_for_people_at_a_terminal_can_be_asked_for_in_the_environment():
    environment = {
        "HARDENER_SERVE_DRY_RUN": "1",
        "HARDENER_SERVE_LOG_FORMAT": "console",
        "HARDENER_SERVE_LOG_LEVEL": "info",
    }
    async with process("--dev", *FREE, "--shutdown-delay", "0", **environment) as running:
        await until(lambda: running.lines, 20)
        serving = running.lines[0]["message"]
        assert serving.rstrip().endswith(" dryRun=true")
        url = re.search(r"mutate=(\S+)", serving)[1]
        async with (
            aiohttp.ClientSession(headers=JSON) as client,
            client.post(url, data=body(uid="u-1"), ssl=False) as answer,
        ):
            response = (await answer.json())["response"]
        running.process.terminate()

        assert await running.exit_code() == 0
        assert "patch" not in response
        lines = [line["message"] for line in running.lines]
        assert [line for line in lines if not CONSOLE.fullmatch(line)] == []
        assert len([line for line in lines if " uid=u-1 result=announced " in line]) == 1


async def test_the_level_debug_shows_reviews_in_which_nothing_was_done():
    async with process("--dev", *FREE, "--shutdown-delay", "0", "--log-level", "debug") as running:
        await until(lambda: running.logged("serving"), 20)
        url = running.logged("serving")[0]["mutate"]
        async with (
            aiohttp.ClientSession(headers=JSON) as client,
            client.post(url, data=body(uid="u-1", namespace="kube-system"), ssl=False) as answer,
        ):
            assert answer.status == 200
        running.process.terminate()

        assert await running.exit_code() == 0
        (line,) = [line for line in running.lines if line.get("uid") == "u-1"]
        assert (line["level"], line["result"]) == ("debug", "unchanged")


def test_every_form_of_the_log_can_be_chosen():
    assert sorted(LOG_FORMATS) == sorted(FORMATS)


@pytest.mark.parametrize(
    ("option", "word", "known"),
    [("--log-format", "xml", "'json', 'console'"), ("--log-level", "loud", "'info', 'debug'")],
)
def test_a_word_that_an_option_does_not_know_is_named_with_those_that_it_does(option, word, known):
    result = hardener("serve", "--dev", option, word)

    assert result.code == 2
    assert f"'{word}' is not one of {known}" in result.err


def test_the_help_says_what_a_dry_run_is_for():
    assert "first day in a cluster" in " ".join(hardener("serve", "--help").out.split())
