"""Report -> the sections of its page: what is counted together, what comes first, and where a list ends.

A list ends where a person would no longer read on, so that the page of a large cluster still opens; what is left out
is counted.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hardener.cli.reports.details import Overview, overviews
from hardener.cli.reports.parts import Part, Segment, bar, first
from hardener.model import Mode
from hardener.pss import Level
from hardener.report.report import Finding, Namespace, Report, Risk, State, Word

EXAMPLES = 4
"""Workloads that stand for all others."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was found; `index` is the namespace's place in the report."""

    index: int
    namespace: Namespace
    finding: Finding

    @property
    def workload(self) -> tuple[int, str, str]:
        """The same for all findings of one workload."""
        return self.index, self.finding.kind, self.finding.name


@dataclass(frozen=True, slots=True)
class Broken:
    """One check of the Pod Security Standards, and the workloads and namespaces that break it, now and hardened."""

    check: str
    workloads: int
    namespaces: int
    workloads_hardened: int
    namespaces_hardened: int


@dataclass(frozen=True, slots=True)
class HeldTogether:
    """What is held back for one reason."""

    reason: str
    controls: Sequence[str]
    pods: int
    workloads: int
    namespaces: int
    examples: Part[Place]


@dataclass(frozen=True, slots=True)
class Step:
    """Some namespaces that can follow together in a roll-out, with the workloads in them that may break."""

    title: str
    text: str
    namespaces: Part[tuple[int, Namespace, int]]


@dataclass(frozen=True, slots=True)
class Sections:
    """All that the page shows beside the report's own numbers."""

    levels: Mapping[str, Sequence[Segment]]
    restricted: Mapping[str, int]
    unhardened: Part[Place]
    risks: Part[tuple[Place, Risk]]
    risky: int
    coverage: Mapping[str, tuple[Mapping[State, int], Sequence[Segment]]]
    overviews: Sequence[Overview]
    checks: Part[Broken]
    held: Part[HeldTogether]
    holding: int
    refused: int
    ending: int
    opt_outs: Part[tuple[Place, Word]]
    errors: Part[tuple[Place, str]]
    steps: Sequence[Step]


def sections(report: Report) -> Sections:
    """What the page of a report shows."""
    places = [
        Place(index, namespace, finding)
        for index, namespace in enumerate(report.namespaces)
        for finding in namespace.findings
    ]
    words = [(place, word) for place in places for word in place.finding.opt_outs]
    unhardened = [place for place in places if place.finding.state is State.UNHARDENED and place.finding.pods]
    coverage = {control: report.coverage(control) for control in report.controls}
    namespaces = [*overviews(report.namespaces)]
    levels = {
        "today": [each.now for each in report.inhabited],
        "hardened": [each.hardened for each in report.inhabited],
    }
    return Sections(
        levels={when: _levels(met) for when, met in levels.items()},
        restricted={when: met.count(Level.RESTRICTED) for when, met in levels.items()},
        unhardened=first(sorted(unhardened, key=lambda place: -place.finding.pods)),
        risks=first([(place, risk) for place in places for risk in place.finding.risks]),
        risky=_workloads(place for place in places if place.finding.risks),
        coverage={control: (counts, bar(counts, State)) for control, counts in coverage.items()},
        overviews=namespaces,
        checks=first(_checks(places)),
        held=first(_held(places)),
        holding=_workloads(place for place in places if place.finding.held),
        refused=sum(not word.accepted for _, word in words),
        ending=sum(word.accepted and word.ends_soon for _, word in words),
        opt_outs=first(sorted(words, key=lambda each: (each[1].accepted, not each[1].ends_soon))),
        errors=first([(place, error) for place in places for error in place.finding.errors]),
        steps=[*_steps(namespaces)],
    )


def _levels(levels: Sequence[Level]) -> Sequence[Segment]:
    return bar({level: levels.count(level) for level in Level}, [*Level][::-1])


def _checks(places: Sequence[Place]) -> list[Broken]:
    now = _by_text(places, lambda finding: finding.violations)
    hardened = _by_text(places, lambda finding: finding.remaining)
    rows = [
        Broken(check, *_extent(now.get(check, ())), *_extent(hardened.get(check, ()))) for check in {**now, **hardened}
    ]
    return sorted(rows, key=lambda row: (-row.workloads_hardened, -row.workloads, row.check))


def _by_text(places: Iterable[Place], texts: Callable[[Finding], Iterable[str]]) -> dict[str, list[Place]]:
    found: dict[str, list[Place]] = {}
    for place in places:
        for text in dict.fromkeys(texts(place.finding)):
            found.setdefault(text, []).append(place)
    return found


def _extent(places: Sequence[Place]) -> tuple[int, int]:
    """Workloads and namespaces."""
    return _workloads(places), len({place.index for place in places})


def _workloads(places: Iterable[Place]) -> int:
    return len({place.workload for place in places})


def _held(places: Sequence[Place]) -> list[HeldTogether]:
    controls: dict[str, set[str]] = {}
    for held in (held for place in places for held in place.finding.held):
        controls.setdefault(held.reason, set()).add(held.control)
    rows = [
        HeldTogether(
            reason,
            sorted(controls[reason]),
            sum(place.finding.pods for place in found),
            *_extent(found),
            first(found, EXAMPLES),
        )
        for reason, found in _by_text(places, lambda finding: [held.reason for held in finding.held]).items()
    ]
    return sorted(rows, key=lambda row: (-row.pods, -row.workloads, row.reason))


def _steps(overviews: Sequence[Overview]) -> Iterator[Step]:
    """The order of a roll-out for what policies only try. What they leave out altogether, nothing is known about."""
    ready, easy, risky = [], [], []
    for index, overview in enumerate(overviews):
        namespace, findings = overview.namespace, overview.namespace.findings
        tried = any(change.mode is Mode.DRY_RUN for finding in findings for change in finding.changes)
        if overview.risky or any(finding.errors for finding in findings):
            if tried:
                risky.append((index, namespace, overview.risky))
        elif tried:
            easy.append((index, namespace, 0))
        elif namespace.mode is Mode.DRY_RUN:
            ready.append((index, namespace, 0))
    risky.sort(key=lambda each: each[2])
    for title, text, namespaces in (
        ("Nothing would change", "Enforcing changes nothing for the pods that run now.", ready),
        ("Changes, and nothing speaks against them", "No workload looks likely to break.", easy),
        ("Look first", "Some workloads look likely to break; the namespaces with the fewest come first.", risky),
    ):
        if namespaces:
            yield Step(title, text, first(namespaces))
