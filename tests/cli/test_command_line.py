import os
import signal
import subprocess
import sys

from hardener import __version__
from tests.cli.command_line import DEPLOYMENT, hardener

COMMAND = [sys.executable, "-m", "hardener"]
HEAVY = ("aiohttp", "cryptography", "kubernetes", "prometheus_client")


def test_a_preview_does_not_import_the_servers_libraries():
    program = (
        "import sys; from hardener.cli import run; code = run(['preview', '-'], 'hardener');"
        f"print(code, *[name for name in {HEAVY} if name in sys.modules], file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], input=DEPLOYMENT, capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stderr.splitlines()[-1] == "1"


def test_every_command_is_listed_with_its_help():
    result = hardener("--help")

    assert result.code == 0
    for command in ("serve", "preview", "controls", "config", "demo"):
        assert f"\n  {command} " in result.out


def test_the_version_is_that_of_the_package():
    assert hardener("--version").out == f"hardener {__version__}\n"


def test_an_unknown_command_names_the_nearest_one():
    result = hardener("preveiw")

    assert result.code == 2
    assert "there is no command 'preveiw': did you mean preview?" in result.err


def test_an_unknown_option_names_the_nearest_one():
    result = hardener("preview", "--namespac", "shop")

    assert result.code == 2
    assert "Did you mean" in result.err
    assert "--namespace" in result.err


def test_a_plugin_of_kubectl_calls_itself_one():
    result = hardener("preview", "--help", program="/usr/local/bin/kubectl-hardener")

    assert result.out.startswith("Usage: kubectl hardener preview ")


def test_options_are_environment_variables_with_the_commands_name(monkeypatch):
    monkeypatch.setenv("HARDENER_PREVIEW_OUTPUT", "patch")

    assert hardener("preview", "-", stdin=DEPLOYMENT).out.startswith('[{"op":"add"')


def test_an_error_in_the_configuration_is_one_line_and_exit_code_2(tmp_path):
    result = hardener("preview", "--config", tmp_path / "absent.yaml", "-", stdin=DEPLOYMENT)

    assert result.code == 2
    assert len(result.problems) == 1
    assert "absent.yaml" in result.problems[0]


def test_a_bug_is_one_line_that_says_how_to_see_more(monkeypatch):
    monkeypatch.setattr("hardener.cli.preview.documents", lambda _: 1 / 0)

    result = hardener("preview", "-")

    assert result.code == 3
    assert result.problems == [
        "internal error: ZeroDivisionError: division by zero; set HARDENER_DEBUG=1 for the traceback"
    ]


def test_a_bug_shows_its_traceback_when_asked(monkeypatch):
    monkeypatch.setattr("hardener.cli.preview.documents", lambda _: 1 / 0)
    monkeypatch.setenv("HARDENER_DEBUG", "1")

    result = hardener("preview", "-")

    assert result.code == 3
    assert result.err.startswith("Traceback")


def test_the_exit_code_reaches_the_shell():
    done = subprocess.run(
        [*COMMAND, "preview", "-"], input=DEPLOYMENT, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 1
    assert done.stderr == "1 object, 1 would change, 0 held back\n"


def test_a_reader_that_leaves_early_ends_it_quietly(tmp_path):
    many = tmp_path / "many.yaml"
    many.write_text("---\n".join([DEPLOYMENT] * 200))
    read_end, write_end = os.pipe()
    os.close(read_end)

    done = subprocess.run(
        [*COMMAND, "preview", many], stdout=write_end, stderr=subprocess.PIPE, text=True, timeout=60, check=False
    )
    os.close(write_end)

    assert done.returncode == 141
    assert done.stderr == ""


def test_an_interrupt_ends_it_with_130():
    # A test run that was started in the background hands on a SIGINT that is ignored.
    process = subprocess.Popen(
        [*COMMAND, "preview", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  one system call
    )

    process.stdin.write(b"#" * 2**20)  # more than a pipe holds: it is written once the command reads
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert b"Traceback" not in err
