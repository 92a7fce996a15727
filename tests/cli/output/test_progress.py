import os
import pty
import subprocess
import sys
import threading

import pytest

from hardener.cli.output.progress import Counter, wants_progress
from tests.cli.command_line import DEPLOYMENT

PROGRAM = """
import sys
from hardener.cli import run
from hardener.cli.output import progress
progress.PATIENCE, progress.Counter.__init__.__defaults__ = 0.0, (0.0,)
sys.exit(run(sys.argv[1:], "hardener"))
"""


def on_a_terminal(*arguments, stdout_too=False, **environment):
    """What `hardener preview` writes to a terminal on its standard error, and to its standard output beside it."""
    ours, theirs = pty.openpty()
    seen = []

    def read():
        try:
            while data := os.read(ours, 65_536):
                seen.append(data)
        except OSError:  # the other end is closed
            pass

    reader = threading.Thread(target=read)
    reader.start()
    variables = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "preview", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs if stdout_too else subprocess.PIPE,
        stderr=theirs,
        env={**variables, "TERM": "xterm", "COLUMNS": "100", **environment},
        timeout=60,
        check=False,
    )
    os.close(theirs)
    reader.join(timeout=60)
    os.close(ours)
    return b"".join(seen).decode(), (done.stdout or b"").decode()


@pytest.fixture
def manifests(tmp_path):
    (tmp_path / "a.yaml").write_text(DEPLOYMENT)
    (tmp_path / "b.yaml").write_text("a: b: c\n")
    (tmp_path / "c.yaml").write_text(DEPLOYMENT)
    return tmp_path


def test_a_line_counts_documents_and_is_gone_in_the_end(manifests):
    seen, out = on_a_terminal(str(manifests), "-o", "json")

    assert "3 documents, " in seen
    assert seen.endswith("\x1b[?25h\r\x1b[1A\x1b[2K")
    assert out.startswith("[\n")


def test_an_error_stands_on_a_line_of_its_own(manifests):
    seen, _ = on_a_terminal(str(manifests), "-o", "json")

    assert "\x1b[2Khardener: " in seen


def test_what_is_printed_on_the_same_terminal_ends_it(manifests):
    seen, _ = on_a_terminal(str(manifests), stdout_too=True)

    assert "1 document, " in seen
    assert "2 documents" not in seen


@pytest.mark.parametrize("environment", [{"CI": "true"}, {"TERM": "dumb"}])
def test_nothing_moves_where_nobody_looks(manifests, environment):
    seen, _ = on_a_terminal(str(manifests), "-o", "json", **environment)

    assert "documents" not in seen
    assert seen.startswith("hardener: ")


def test_there_is_no_progress_without_a_terminal(monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: False)
    monkeypatch.delenv("CI", raising=False)

    assert wants_progress() is False


def test_who_need_not_wait_sees_nothing(capsys):
    with Counter(True, patience=60) as counter:
        for _ in range(1_000):
            counter.count("a.yaml")

    assert capsys.readouterr().err == ""
