"""Where the time of a server under load goes: a flame graph, and the functions that take most: `python -m benchmarks.flame`.

py-spy samples the server from outside, from its parent process, which needs no rights of root. It writes one form at a
time, so that the server is started and loaded twice.
"""

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from benchmarks.load import Target, closed_loop, reviews_as_requests
from benchmarks.reviews import reviews
from benchmarks.servers import ROOT, certificate, hardener_arguments, logged_port, started

PROGRAM = Path(sys.executable).with_name("py-spy")
FOLDER = ROOT / "benchmarks" / "results" / "profile"
RATE, CONNECTIONS, SECONDS = 500, 8, 10
SHOWN = 25
LOOP = "Runner.run (asyncio/runners.py"
"""The frame from which the event loop calls everything else."""

FORMS = {"flamegraph": FOLDER / "flame.svg", "raw": FOLDER / "stacks.txt"}


def main() -> None:
    """Record both forms, and print which functions take most, by themselves and with what they call."""
    if not PROGRAM.exists():
        sys.exit("py-spy is not installed: run make profile")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for form, path in FORMS.items():
        _record(form, path)
    own, whole = _samples(FORMS["raw"].read_text().splitlines())
    total = sum(own.values())
    for title, counts in (("by themselves", own), ("with what they call", whole)):
        print(f"\n{title}, share of {total:,} samples")
        for function, count in counts.most_common(SHOWN):
            print(f"{count / total:7.1%}  {function}")
    print(f"\n{FORMS['flamegraph'].relative_to(ROOT)} is the flame graph")


def _record(form: str, path: Path) -> None:
    path.unlink(missing_ok=True)
    options = ["record", f"--rate={RATE}", f"--format={form}", f"--output={path}", "--"]
    with (
        certificate() as pair,
        started(*options, sys.executable, *hardener_arguments(pair), port_of=logged_port, program=PROGRAM) as served,
    ):
        closed_loop(Target((served.port,), reviews_as_requests(reviews())), CONNECTIONS, SECONDS)
        for child in Path(f"/proc/{served.pid}/task/{served.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGTERM)
        _wait_for(path)


def _wait_for(path: Path) -> None:
    """py-spy writes when its child has ended."""
    deadline = time.monotonic() + 60
    while not path.exists() or path.stat().st_size == 0:
        if time.monotonic() > deadline:
            raise RuntimeError(f"py-spy has not written {path}; it may lack the right to look into its own children")
        time.sleep(0.1)


def _samples(stacks: list[str]) -> tuple[Counter[str], Counter[str]]:
    """Samples of each function that ran, and of each that stood on the stack, from lines `outer;inner count`."""
    own: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    for frames, count in _parsed(stacks):
        own[frames[-1]] += count
        whole.update(dict.fromkeys(frames, count))
    return own, whole


def _parsed(stacks: list[str]) -> Iterator[tuple[list[str], int]]:
    """What runs in the event loop, without the start."""
    for line in stacks:
        stack, _, count = line.rpartition(" ")
        _, in_loop, inner = stack.partition(LOOP)
        if in_loop:
            # A frame is `function (file:line)`, and lines of one function belong together.
            frames = (in_loop + inner).split(";")
            yield [f"{frame.rpartition(':')[0]})" for frame in frames], int(count)


if __name__ == "__main__":
    main()
