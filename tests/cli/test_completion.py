"""What a shell and kubectl are told to complete: asked as they ask."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hardener.controls import CATALOGUE
from tests.cli.command_line import hardener

PROGRAMS = Path(sys.executable).parent


def asked(shell, *words):
    """What the program answers to the script that it prints for a shell."""
    variables = {"_HARDENER_COMPLETE": f"{shell}_complete", "COMP_WORDS": " ".join(words)}
    # bash and zsh give the index of the word, fish the word itself.
    variables["COMP_CWORD"] = words[-1] if shell == "fish" else str(len(words) - 1)
    done = subprocess.run(
        [PROGRAMS / "hardener"], env={**os.environ, **variables}, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    return done.stdout


def test_bash_completes_by_the_script_that_is_printed():
    script = (
        f'PATH="{PROGRAMS}:$PATH"; eval "$(hardener completion bash)"; complete -p hardener; '
        'COMP_WORDS=(hardener controls read); COMP_CWORD=2; _hardener_completion hardener; echo "${COMPREPLY[@]}"'
    )

    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.splitlines() == [
        "complete -o nosort -F _hardener_completion hardener",
        "readOnlyRootFilesystem",
    ]


@pytest.mark.parametrize(
    ("shell", "answer"),
    [
        ("bash", "plain,readOnlyRootFilesystem\n"),
        ("zsh", "plain\nreadOnlyRootFilesystem\n_\n"),
        ("fish", "plain,readOnlyRootFilesystem\n"),
    ],
)
def test_each_shell_is_answered_in_its_own_form(shell, answer):
    assert hardener("completion", shell).out.count("_HARDENER_COMPLETE") >= 1
    assert asked(shell, "hardener", "controls", "read") == answer


def test_another_shell_is_refused_with_those_that_are_known():
    result = hardener("completion", "powershell")

    assert result.code == 2
    assert "'powershell' is not one of 'bash', 'zsh', 'fish'" in result.err


def plugin(*words):
    """What kubectl hears: completions, and at last what to do about files."""
    done = subprocess.run(
        [PROGRAMS / "kubectl_complete-hardener", *words], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_kubectl_completes_commands_with_their_meaning():
    *found, end = plugin("con")

    assert [line.partition("\t")[0] for line in found] == ["controls", "config"]
    assert all(line.partition("\t")[2] for line in found)
    assert end == ":4"


def test_kubectl_completes_names_and_values():
    assert plugin("controls", "") == [*CATALOGUE, ":4"]
    assert plugin("config", "schema", "-o", "") == ["json", "markdown", ":4"]


def test_kubectl_completes_files_itself():
    assert plugin("config", "check", "") == [":0"]


@pytest.mark.parametrize("words", [[], ["preveiw", ""], ["--nonsense", ""], ["controls", "nothing-like-it"]])
def test_whatever_was_typed_kubectl_gets_an_answer(words):
    assert plugin(*words)[-1] == ":4"
