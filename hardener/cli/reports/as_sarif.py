"""Report -> results of SARIF: what pods lack of their policy, and opt-outs that are refused."""

from collections.abc import Iterator

from hardener.cli.output.rules import OPT_OUTS
from hardener.cli.output.sarif import Level, Notification, Result, sarif_log
from hardener.model import Mode
from hardener.report.report import Finding, Namespace, Report
from hardener.wording import THE_POD

LEVELS: dict[Mode, Level] = {Mode.ENFORCE: "warning", Mode.DRY_RUN: "note"}


def encode_sarif(report: Report) -> bytes:
    """One log. There are no files: a result says in its logical location which workload it is about."""
    results = [
        result
        for namespace in report.namespaces
        for finding in namespace.findings
        for result in _results(namespace, finding)
    ]
    return sarif_log(results, [Notification(problem) for problem in report.problems])


def _results(namespace: Namespace, finding: Finding) -> Iterator[Result]:
    workload = f"{namespace.name}/{finding.kind}/{finding.name}"
    pods = f" ({finding.pods} {'pod' if finding.pods == 1 else 'pods'})" if finding.pods else " (no pods now)"
    for each in finding.changes:
        level = LEVELS[each.mode] if finding.pods else "note"
        text = f"{each.path} of {each.container or THE_POD} is not as the policy says{pods}: {each.reason}"
        identity = f"{workload}/{each.container}/{each.path}"
        yield Result(each.control, level, text, None, 0, _logical(workload, each.container), identity)
    for word in finding.opt_outs:
        if not word.accepted:
            text = f"the opt-out of {word.control} on {word.container or THE_POD} is refused{pods}: {word.text}"
            identity = f"{workload}/{word.container}/{word.control}"
            yield Result(OPT_OUTS, "error", text, None, 0, _logical(workload, word.container), identity)


def _logical(workload: str, container: str) -> str:
    return f"{workload}/{container}" if container else workload
