"""Namespaces -> their details: each workload with what is to be said about it, what needs a person first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hardener.cli.reports.parts import Part, Segment, bar, css_class, first
from hardener.pss import Level
from hardener.report.report import Finding, Namespace, State
from hardener.wording import THE_POD

DETAILS = 2500
"""Findings that are told of one by one; each namespace has an equal share."""

LINES = 20
"""Of what is said about one workload."""

CONTAINERS = 4
"""Containers that are named in one line."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is said about a workload: `tag` says what it is, `subjects` are the controls that it is about."""

    kind: str
    tag: str
    subjects: Sequence[str]
    containers: Part[str]
    text: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One finding in the details of its namespace."""

    finding: Finding
    lines: Part[Line]


@dataclass(frozen=True, slots=True)
class Overview:
    """One namespace: its row in the table of all, and its details.

    `risky` counts workloads that are likely to break, `left_out` the findings without an entry by their states.
    """

    namespace: Namespace
    now: Level
    hardened: Level
    bar: Sequence[Segment]
    counts: Mapping[State, int]
    risky: int
    entries: Sequence[Entry]
    left_out: Mapping[State, int]


def overviews(namespaces: Sequence[Namespace]) -> Iterator[Overview]:
    """One for each namespace, in the same order."""
    room = DETAILS // max(len(namespaces), 1)
    for namespace in namespaces:
        counts = {state: namespace.count(state) for state in State}
        findings = sorted(namespace.findings, key=_urgency)
        rest = [finding.state for finding in findings[room:]]
        yield Overview(
            namespace,
            namespace.now,
            namespace.hardened,
            bar(counts, State),
            counts,
            risky=len({(finding.kind, finding.name) for finding in findings if finding.risks}),
            entries=[Entry(finding, first(_lines(finding), LINES)) for finding in findings[:room]],
            left_out={state: rest.count(state) for state in State if state in rest},
        )


def _urgency(finding: Finding) -> tuple[bool, int, bool]:
    return not finding.errors, finding.state.rank, not finding.risks


def _lines(finding: Finding) -> list[Line]:
    """What is said about a workload, what needs a person first; what is the same for some of them, once."""
    containers: dict[tuple[str, str, str, str], dict[str, None]] = {}
    for kind, tag, subject, container, text in _remarks(finding):
        containers.setdefault((kind, tag, subject, text), {})[container or THE_POD] = None
    subjects: dict[tuple[str, str, str, tuple[str, ...]], list[str]] = {}
    for (kind, tag, subject, text), names in containers.items():
        subjects.setdefault((kind, tag, text, tuple(names)), []).append(subject)
    return [
        Line(kind, tag, [*filter(None, controls)], first(names, CONTAINERS), text)
        for (kind, tag, text, names), controls in subjects.items()
    ]


def _remarks(finding: Finding) -> Iterator[tuple[str, str, str, str, str]]:
    for error in finding.errors:
        yield "failed", "error", "", "", error
    for risk in finding.risks:
        yield "risk", "likely breakage", risk.control, risk.container, risk.reason
    for word in finding.opt_outs:
        if not word.accepted:
            yield "refused", "opt-out refused", word.control, word.container, word.text
    for change in finding.changes:
        state = finding.controls.get(change.control, finding.state)
        yield css_class(state), state, change.control, change.container, ""
    for held in finding.held:
        yield css_class(State.HELD), State.HELD, held.control, held.container, held.reason
    for word in finding.opt_outs:
        if word.accepted:
            tag = "opt-out ends soon" if word.ends_soon else State.OPTED_OUT
            yield css_class(State.OPTED_OUT), tag, word.control, word.container, word.text
    for exempt in finding.exempt:
        yield css_class(State.EXEMPT), State.EXEMPT, "", "", exempt
