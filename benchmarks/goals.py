"""What must be reached, and by how much a run may miss it before the machine's noise no longer explains it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.figures import figure, table
from benchmarks.micro import CONTAINERS, ENGINE_AND_RENDER, WHOLE, exponent
from benchmarks.run import Run

DESIGN = "design.md 7"
RELEASE = "a requirement of every release"


@dataclass(frozen=True, slots=True)
class Goal:
    """`of` takes the figure from a run. `margin` is a share of `limit`: how far runs of the same code lie apart.

    The margins are what most of four to seven runs of the same code stayed within, on two cores that other work kept busy.
    `python -m benchmarks spread` tells half of the range of the runs that are kept, to take them anew on a quiet machine.
    """

    name: str
    limit: float
    margin: float
    source: str
    of: Callable[[Run], float | None]
    at_least: bool = False

    def miss(self, measured: float | None) -> float:
        """By what share of the limit it is missed; negative where there is room, none where it was not measured."""
        if measured is None:
            return 0
        return (self.limit - measured if self.at_least else measured - self.limit) / self.limit

    def verdict(self, measured: float | None) -> str:
        """In words."""
        if measured is None:
            return "measured in the long version only"
        miss = self.miss(measured)
        return "met" if miss <= 0 else "missed within the noise" if miss <= self.margin else "MISSED"

    @property
    def bound(self) -> str:
        """The limit in words."""
        return f"at {'least' if self.at_least else 'most'} {self.limit:g}"


def _engine_and_render(containers: int) -> Callable[[Run], float]:
    return lambda run: run.micro.of_containers(containers).ratios[ENGINE_AND_RENDER].median


def _through_api_server(connections: int) -> Callable[[Run], float]:
    return lambda run: run.api_server.creations[connections]["hardener"].to_fixed.median


GOALS: Sequence[Goal] = (
    Goal(
        "requests/s alone, to the fixed handler's",
        0.5,
        0.1,
        DESIGN,
        lambda run: run.webhook["hardener"].throughput_ratio.median,
        at_least=True,
    ),
    Goal("CPU alone, to the fixed handler's", 2, 0.1, DESIGN, lambda run: run.webhook["hardener"].cpu_ratio.median),
    Goal(
        "p99 alone, to the fixed handler's",
        2,
        0.2,
        RELEASE,
        lambda run: run.webhook["hardener"].percentile_ratios[99].median,
    ),
    *(
        Goal(
            f"p50 through the API server, to the fixed handler's, clients: {connections}",
            1.15,
            0.15 if connections == 32 else 0.1,
            DESIGN,
            _through_api_server(connections),
        )
        for connections in (1, 8, 32)
    ),
    *(
        Goal(
            f"engine and render, containers: {containers}, to `orjson.loads`",
            2.5 if containers == 2 else 3.5,
            0.05,
            DESIGN,
            _engine_and_render(containers),
        )
        for containers in CONTAINERS
    ),
    Goal(
        "engine and render, a pod of 1.5 MiB, to `orjson.loads`",
        3.5,
        0.1,
        RELEASE,
        lambda run: run.micro.largest.ratios[ENGINE_AND_RENDER].median,
    ),
    Goal(
        "bytes to bytes, containers: 2, to `orjson.loads`",
        3.5,
        0.1,
        RELEASE,
        lambda run: run.micro.of_containers(2).ratios[WHOLE].median,
    ),
    Goal("exponent of the growth with containers", 1, 0.1, RELEASE, lambda run: exponent(run.micro.containers)),
    Goal("exponent of the growth with volumes", 1, 0.1, RELEASE, lambda run: exponent(run.micro.volumes)),
    Goal("exponent of the growth with annotations", 1, 0.1, RELEASE, lambda run: exponent(run.micro.annotations)),
    Goal("RSS idle, MiB", 64, 0.02, DESIGN, lambda run: run.footprint.idle),
    Goal("RSS under load, MiB", 96, 0.02, DESIGN, lambda run: run.footprint.peak),
    Goal("RSS from the half of the requests to the last, MiB more", 1, 1, RELEASE, lambda run: run.footprint.growth),
    Goal(
        "RSS with a large cluster, MiB",
        128,
        0.02,
        DESIGN,
        lambda run: run.large_cluster.peak if run.large_cluster else None,
    ),
    Goal("exec to first answer, s of CPU", 0.6, 0.1, RELEASE, lambda run: run.start.cpu.median),
    Goal("`preview` of one file, s by the clock", 0.35, 0.2, RELEASE, lambda run: run.preview.one.wall.median),
    Goal("`preview` of 1,000 manifests, to PyYAML's C loader", 3, 0.1, RELEASE, lambda run: run.preview.ratio.median),
)


def missed(run: Run) -> list[Goal]:
    """The goals that a run misses by more than their margins."""
    return [goal for goal in GOALS if goal.miss(goal.of(run)) > goal.margin]


def markdown(run: Run) -> str:
    """All goals with what a run says of them."""
    head = ["", "goal", "measured", "noise", "verdict", "from"]
    rows = []
    for goal in GOALS:
        measured = goal.of(run)
        verdict = goal.verdict(measured)
        told = f"**{verdict}**" if goal.miss(measured) > 0 else verdict
        rows.append(
            [
                goal.name,
                goal.bound,
                "" if measured is None else f"{measured:.2f}",
                f"{goal.margin:.0%}",
                told,
                goal.source,
            ]
        )
    return f"{table(head, rows, rule='---')}\n"


def spread(runs: Sequence[Run]) -> str:
    """How far the runs lie apart, which is what the margins are made of."""
    rows = []
    for goal in GOALS:
        measured = [value for run in runs if (value := goal.of(run)) is not None]
        if not measured:
            continue
        values = figure(measured)
        rows.append([goal.name, goal.bound, values.whole(), f"{(values.most - values.least) / 2 / goal.limit:.0%}"])
    head = ["", "goal", f"of {len(runs)} runs", "half of the range, to the goal"]
    return f"{table(head, rows, rule='---')}\n"
