"""What the hot path costs, as ratios to `orjson.loads` of the same review.

The stages are timed in turn, round after round in one process, and the ratio is taken within each round: a machine that
slows down for a while slows both sides. Medians of the rounds are printed.
"""

import statistics
import timeit
from collections.abc import Callable
from datetime import date

import orjson

from benchmarks.reviews import review
from hardener.admission import decode, encode, respond
from hardener.engine import harden
from hardener.model import STANDALONE, Mode, Pod
from hardener.patch import render
from hardener.policy.reading import embedded_config

CONTAINERS = (1, 2, 10, 50, 200)
ROUNDS = 25
ROUND_SECONDS = 0.02
TODAY = date(2026, 11, 22)


def stages(containers: int) -> tuple[dict[str, Callable[[], object]], int, int]:
    """The functions to time, `loads` first, with the bytes of the review and the operations of its patch."""
    body = review(containers)
    config = embedded_config()
    policy = config.default
    pod = decode(body).pod
    assert pod is not None
    manifest = pod.manifest
    outcome = harden(pod, policy, STANDALONE, TODAY)
    writes = outcome.writes(Mode.ENFORCE)

    def engine_and_render() -> object:
        decided = harden(Pod(manifest), policy, STANDALONE, TODAY)
        return render(decided.writes(Mode.ENFORCE))

    timed: dict[str, Callable[[], object]] = {
        "orjson.loads": lambda: orjson.loads(body),
        "decode": lambda: decode(body),
        "engine": lambda: harden(Pod(manifest), policy, STANDALONE, TODAY),
        "render": lambda: render(writes),
        "engine + render": engine_and_render,
        "bytes to bytes": lambda: encode(respond(decode(body), config, STANDALONE, TODAY)),
    }
    return timed, len(body), len(render(writes))


def ratios(timed: dict[str, Callable[[], object]]) -> tuple[float, dict[str, float]]:
    """Microseconds of the first function, and the median ratio of each to it."""
    names = list(timed)
    once = {name: max(timeit.timeit(function, number=3) / 3, 1e-7) for name, function in timed.items()}
    numbers = {name: max(1, int(ROUND_SECONDS / once[name])) for name in names}
    rounds = [
        {name: timeit.timeit(timed[name], number=numbers[name]) / numbers[name] for name in names}
        for _ in range(ROUNDS)
    ]
    base = names[0]
    medians = {name: statistics.median(times[name] / times[base] for times in rounds) for name in names}
    return statistics.median(times[base] for times in rounds) * 1e6, medians


def main() -> None:
    header = "containers   bytes  operations  loads µs"
    printed = False
    for containers in CONTAINERS:
        timed, size, operations = stages(containers)
        base, medians = ratios(timed)
        names = [name for name in medians if name != "orjson.loads"]
        if not printed:
            print(header + "".join(f"  {name:>16}" for name in names))
            printed = True
        row = "".join(f"  {medians[name]:>16.2f}" for name in names)
        print(f"{containers:>10}  {size:>6}  {operations:>10}  {base:>8.1f}{row}")


if __name__ == "__main__":
    main()
