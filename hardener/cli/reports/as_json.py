"""Report -> JSON, for programs. docs/operations.md describes its shape, which keeps its names."""

from collections.abc import Mapping

import orjson

from hardener.pss import Level
from hardener.report.report import Finding, Namespace, Report, State

Json = dict[str, object]

LEVELS = (Level.BASELINE, Level.RESTRICTED)
"""Those that a namespace can enforce."""


def encode_report(report: Report) -> bytes:
    """One document, ending with a newline."""
    return orjson.dumps(_report(report), option=orjson.OPT_INDENT_2) + b"\n"


def _report(report: Report) -> Json:
    return {
        "cluster": report.cluster,
        "takenAt": report.taken_at.isoformat(timespec="seconds"),
        "version": report.version,
        "config": report.config,
        "pods": report.pods,
        "finishedPods": report.finished,
        "mirrorPods": report.mirrors,
        "states": {state.value: report.count(state) for state in State if report.count(state)},
        "podSecurity": {
            "namespaces": len(report.inhabited),
            "now": {level.value: report.able(level, hardened=False) for level in LEVELS},
            "hardened": {level.value: report.able(level, hardened=True) for level in LEVELS},
        },
        "controls": {control: _counts(report.coverage(control)) for control in report.controls},
        "namespaces": [_namespace(namespace, report.controls) for namespace in report.namespaces],
        "problems": report.problems,
    }


def _namespace(namespace: Namespace, controls: tuple[str, ...]) -> Json:
    return {
        "name": namespace.name,
        "policy": namespace.policy,
        "mode": namespace.mode.value,
        "pods": namespace.pods,
        "now": namespace.now.value,
        "hardened": namespace.hardened.value,
        "states": {state.value: namespace.count(state) for state in State if namespace.count(state)},
        "controls": {control: _counts(namespace.coverage(control)) for control in controls},
        "notes": namespace.notes,
        "findings": [_finding(finding) for finding in namespace.findings],
    }


def _finding(finding: Finding) -> Json:
    return {
        "kind": finding.kind,
        "name": finding.name,
        "pods": finding.pods,
        "examples": finding.examples,
        "state": finding.state.value,
        "controls": {control: state.value for control, state in finding.controls.items()},
        "now": finding.now.value,
        "hardened": finding.hardened.value,
        "violations": finding.violations,
        "remaining": finding.remaining,
        "changes": [
            {
                "control": each.control,
                "mode": each.mode.value,
                "container": each.container or None,
                "path": each.path,
                "reason": each.reason,
            }
            for each in finding.changes
        ],
        "held": [
            {"control": each.control, "container": each.container or None, "reason": each.reason}
            for each in finding.held
        ],
        "optOuts": [
            {
                "control": each.control,
                "container": each.container or None,
                "accepted": each.accepted,
                "cause": each.cause.value,
                "text": each.text,
                "endsSoon": each.ends_soon,
            }
            for each in finding.opt_outs
        ],
        "exempt": finding.exempt,
        "risks": [
            {"control": each.control, "container": each.container or None, "reason": each.reason}
            for each in finding.risks
        ],
        "errors": finding.errors,
    }


def _counts(coverage: Mapping[State, int]) -> Json:
    return {state.value: coverage[state] for state in State if coverage.get(state)}
