"""`hardener preview` of one manifest, and of a thousand beside PyYAML's C loader, which only reads them."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import msgspec
import yaml

from benchmarks.figures import Figure, figure, interleaved, ratio, table
from benchmarks.reviews import manifest
from benchmarks.servers import ROOT

MANIFESTS = 1_000
ONE_ROUNDS, LONG_ONE_ROUNDS = 9, 31
MANY_ROUNDS, LONG_MANY_ROUNDS = 3, 9
WOULD_CHANGE = 1

_READ = """
import sys, yaml
from pathlib import Path
for path in sorted(Path(sys.argv[1]).iterdir()):
    for _ in yaml.load_all(path.read_bytes(), yaml.CSafeLoader):
        pass
"""


class Taken(msgspec.Struct, frozen=True):
    """Seconds of whole processes, by the clock and of the processors."""

    wall: Figure
    cpu: Figure


class PreviewTimes(msgspec.Struct, frozen=True):
    """One manifest and `MANIFESTS`, what reading them takes alone, and the ratio of the processors' times."""

    one: Taken
    many: Taken
    reading: Taken
    ratio: Figure


def measure(long: bool) -> PreviewTimes:
    """Run both programs in turn, each as a process of its own that starts from nothing but compiled modules."""
    with tempfile.TemporaryDirectory(prefix="hardener-bench-") as parent:
        folder = Path(parent, "manifests")
        folder.mkdir()
        for number in range(MANIFESTS):
            # What a mapping shares with another would be written as an alias, which nobody does by hand.
            plain = msgspec.json.decode(msgspec.json.encode(manifest(number)))
            text = yaml.dump(plain, Dumper=yaml.CSafeDumper, sort_keys=False)
            (folder / f"{number:04}.yaml").write_text(text)
        preview = ("-m", "hardener", "preview")
        one = interleaved(
            {"one": lambda: _run(parent, *preview, f"{folder}/0000.yaml", code=WOULD_CHANGE)},
            LONG_ONE_ROUNDS if long else ONE_ROUNDS,
        )["one"]
        many = interleaved(
            {
                "preview": lambda: _run(parent, *preview, str(folder), code=WOULD_CHANGE),
                "reading": lambda: _run(parent, "-c", _READ, str(folder), code=0),
            },
            LONG_MANY_ROUNDS if long else MANY_ROUNDS,
        )
    cpu = {name: [cpu for _, cpu in taken] for name, taken in many.items()}
    return PreviewTimes(
        _taken(one), _taken(many["preview"]), _taken(many["reading"]), ratio(cpu["preview"], cpu["reading"])
    )


def _run(parent: str, *arguments: str, code: int) -> tuple[float, float]:
    """Seconds by the clock and of the processors. RuntimeError where it ends with another code.

    The first, uncounted round compiles the modules, as an installation does, whatever the environment says of that.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(Path(parent, "compiled"))
    before, started = os.times(), perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    wall, after = perf_counter() - started, os.times()
    if done.returncode != code:
        raise RuntimeError(f"{arguments} ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, cpu


def _taken(rounds: Sequence[tuple[float, float]]) -> Taken:
    return Taken(figure([wall for wall, _ in rounds]), figure([cpu for _, cpu in rounds]))


def markdown(times: PreviewTimes) -> str:
    """The section of the page."""
    rows = [
        [name, taken.wall.whole(), taken.cpu.whole()]
        for name, taken in (
            ("`preview` of one manifest", times.one),
            (f"`preview` of {MANIFESTS:,} manifests", times.many),
            ("PyYAML's C loader reads these", times.reading),
        )
    ]
    return f"""\
{table(["", "s by the clock", "s of CPU"], rows)}

A thousand manifests take {times.ratio.whole()} times the CPU that reading them takes.
"""


if __name__ == "__main__":
    print(markdown(measure(long="--long" in sys.argv)))
