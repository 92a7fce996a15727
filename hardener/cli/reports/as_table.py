"""Report -> an overview for people: totals first, then control by control, namespace by namespace, and what is to be done."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from hardener.cli.output.table import printed
from hardener.model import Mode
from hardener.pss import Level
from hardener.report.report import Finding, Namespace, Report, State
from hardener.wording import THE_POD, one_line

ROWS = 20
"""Workloads and reasons of one list that are shown; `-o json` and `-o html` have all of them."""

SHOWN = (State.UNHARDENED, State.WOULD_CHANGE, State.HELD, State.OPTED_OUT, State.EXEMPT, State.IN_PLACE)
STYLES = {State.UNHARDENED: "bold red", State.WOULD_CHANGE: "yellow", State.HELD: "magenta", State.IN_PLACE: "green"}

Each = tuple[Namespace, Finding]


def overview(report: Report) -> str:
    """The text, in colours; whoever writes it out takes them away where none are wanted."""
    parts = [*_totals(report), "", printed(_controls(report)), printed(_namespaces(report))]
    findings = [(namespace, finding) for namespace in report.namespaces for finding in namespace.findings]
    parts += _list("un-hardened", _unhardened(findings))
    parts += _list("opt-outs that are refused or end soon", _opt_outs(findings))
    parts += _list("held back", _held(findings))
    parts += _list("what workloads may not bear, and what points to it", _risks(findings))
    return "\n".join(part.rstrip("\n") for part in parts).rstrip("\n") + "\n"


def _totals(report: Report) -> Iterator[str]:
    total = len(report.inhabited)
    empty = len(report.namespaces) - total
    aside = f"; {empty} without workloads not counted" if empty else ""
    yield f"{one_line(report.cluster)}, {report.taken_at:%Y-%m-%d %H:%M} UTC, configuration: {one_line(report.config)}"
    for level in (Level.RESTRICTED, Level.BASELINE):
        now, then = (report.able(level, hardened=hardened) for hardened in (False, True))
        yield f"after hardening, {then} of {_number(total, 'namespace')} can enforce {level.value} ({now} as they are{aside})"
    lacking = report.count(State.UNHARDENED)
    verb = "lacks" if lacking == 1 else "lack"
    todo = ": make them anew, as with kubectl rollout restart" if lacking else ""
    yield f"{lacking} of {_number(report.pods, 'pod')} {verb} what the policy enforces{todo}"
    left_out = [
        f"{_number(number, 'pod')} {what}"
        for number, what in ((report.finished, "that ended"), (report.mirrors, "of the kubelets' own files"))
        if number
    ]
    if left_out:
        yield f"left out: {', '.join(left_out)}"


def _controls(report: Report) -> Table:
    table = _table("control", *(state.value for state in SHOWN))
    for control in report.controls:
        coverage = report.coverage(control)
        table.add_row(Text(control), *(_count(coverage.get(state, 0), state) for state in SHOWN))
    return table


def _namespaces(report: Report) -> Table:
    table = _table("namespace", "policy", "pods", *(state.value for state in SHOWN), "level", "hardened")
    for namespace in report.namespaces:
        mode = "" if namespace.mode is Mode.ENFORCE else f" ({namespace.mode.value})"
        table.add_row(
            Text(one_line(namespace.name)),
            Text(f"{namespace.policy.partition('@')[0]}{mode}"),
            Text(str(namespace.pods)),
            *(_count(namespace.count(state), state) for state in SHOWN),
            Text(namespace.now.value),
            Text(namespace.hardened.value, style="" if namespace.hardened is namespace.now else "green"),
        )
    return table


def _unhardened(findings: Sequence[Each]) -> list[str]:
    """The largest workloads first."""
    lacking = [each for each in findings if each[1].state is State.UNHARDENED]
    return [
        f"{_title(namespace, finding)} {_lacks(finding)}"
        for namespace, finding in sorted(lacking, key=lambda each: -each[1].pods)
    ]


def _lacks(finding: Finding) -> str:
    enabled = [control for control, state in finding.controls.items() if state is not State.OFF]
    missing = [control for control in enabled if finding.controls[control] is State.UNHARDENED]
    return "lacks all controls" if missing == enabled else f"lacks {', '.join(missing)}"


def _opt_outs(findings: Sequence[Each]) -> list[str]:
    controls: dict[tuple[str, str, str], list[str]] = {}
    for namespace, finding in findings:
        for word in finding.opt_outs:
            if not word.accepted or word.ends_soon:
                key = _title(namespace, finding), word.container or THE_POD, word.text
                controls.setdefault(key, []).append(word.control)
    return [f"{title}, {', '.join(names)} on {place}: {text}" for (title, place, text), names in controls.items()]


def _held(findings: Sequence[Each]) -> list[str]:
    return _counted(findings, lambda finding: [(each.control, each.reason) for each in finding.held])


def _risks(findings: Sequence[Each]) -> list[str]:
    return _counted(findings, lambda finding: [(each.control, each.reason) for each in finding.risks])


def _counted(findings: Sequence[Each], reasons: Callable[[Finding], Iterable[tuple[str, str]]]) -> list[str]:
    """How many workloads each reason concerns, and one of them; the most frequent reason first."""
    workloads: dict[tuple[str, str], list[str]] = {}
    for namespace, finding in findings:
        for reason in dict.fromkeys(reasons(finding)):
            workloads.setdefault(reason, []).append(_title(namespace, finding))
    return [
        f"{control}: {reason}: {_examples(titles)}"
        for (control, reason), titles in sorted(workloads.items(), key=lambda item: -len(item[1]))
    ]


def _examples(titles: Sequence[str]) -> str:
    return titles[0] if len(titles) == 1 else f"{len(titles)} workloads, as {titles[0]}"


def _list(heading: str, lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    more = [f"  and {len(lines) - ROWS} more, which -o json and -o html show"] if len(lines) > ROWS else []
    return ["", f"{heading} ({len(lines)}):", *(f"  {one_line(line)}" for line in lines[:ROWS]), *more]


def _title(namespace: Namespace, finding: Finding) -> str:
    return f"{finding.kind} {namespace.name}/{finding.name} ({_number(finding.pods, 'pod')})"


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    texts = {"control", "namespace", "policy", "level", "hardened"}
    for heading in headings:
        table.add_column(heading, justify="left" if heading in texts else "right", overflow="fold")
    return table


def _count(number: int, state: State) -> Text:
    return Text(str(number) if number else "·", style=STYLES.get(state, "") if number else "dim")


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
