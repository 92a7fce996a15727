"""Report -> PolicyReport objects, as dashboards and other tools of clusters read them: one per namespace.

The shapes are those of the Kubernetes policy working group (`wgpolicyk8s.io/v1alpha2`) and of its successor
(`openreports.io/v1alpha1`), which differ in little.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import orjson

from hardener.model.workloads import TEMPLATES
from hardener.report.report import Finding, Namespace, Report, State
from hardener.wording import NAME, THE_POD, one_line

RESULTS_BYTES = 1024 * 1024
"""All results of one object together: etcd takes 1.5 MiB, and the API server adds who wrote which field."""

MESSAGE_LENGTH = 1000
"""Characters of one message."""

MANAGED_BY = "app.kubernetes.io/managed-by"
"""The label by which objects of ours are known from those of others with the same name."""

CATEGORY = "Pod hardening"

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Form:
    """One kind of reports."""

    group: str
    version: str
    kind: str
    plural: str
    names_source: bool

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}"

    def path(self, namespace: str) -> str:
        """That of the report of a namespace."""
        return f"/apis/{self.api_version}/namespaces/{namespace}/{self.plural}/{NAME}"


FORMS = (
    Form("wgpolicyk8s.io", "v1alpha2", "PolicyReport", "policyreports", names_source=False),
    Form("openreports.io", "v1alpha1", "Report", "reports", names_source=True),
)

RESULTS: Mapping[State, str] = {
    State.UNHARDENED: "fail",
    State.WOULD_CHANGE: "warn",
    State.HELD: "skip",
    State.OPTED_OUT: "skip",
    State.EXEMPT: "skip",
    State.IN_PLACE: "pass",
}
"""What a state is called there; a control that the policy does not have is no result at all."""

_WORST_FIRST = ("fail", "error", "warn", "skip", "pass")
_SEVERITIES = {"fail": "high", "warn": "medium", "error": "medium"}
_API_VERSIONS = {kind: f"{group}/v1" if group else "v1" for group, kind in TEMPLATES}


def policy_report(form: Form, namespace: Namespace, report: Report) -> Json:
    """The object of one namespace; the summary counts all results, also those that have no room."""
    results = sorted(_results(namespace, report), key=lambda result: _WORST_FIRST.index(str(result["result"])))
    counts = Counter(str(result["result"]) for result in results)
    written: Json = {
        "apiVersion": form.api_version,
        "kind": form.kind,
        "metadata": {"name": NAME, "namespace": namespace.name, "labels": {MANAGED_BY: NAME}},
        "scope": {"apiVersion": "v1", "kind": "Namespace", "name": namespace.name},
        "summary": {name: counts[name] for name in _WORST_FIRST},
        "results": _bounded(results, namespace),
    }
    return {**written, "source": NAME} if form.names_source else written


def _results(namespace: Namespace, report: Report) -> Iterator[Json]:
    moment = {"seconds": int(report.taken_at.timestamp()), "nanos": 0}
    for finding in namespace.findings:
        reference = {"kind": finding.kind, "name": finding.name, "namespace": namespace.name}
        if version := _API_VERSIONS.get(finding.kind):
            reference["apiVersion"] = version
        held = {each.control for each in finding.held}
        for control, state in finding.controls.items():
            # What is held back without a reason has failed inside.
            result = "error" if state is State.HELD and control not in held else RESULTS.get(state)
            if result is None:
                continue
            told: Json = {
                "source": NAME,
                "policy": namespace.policy.partition("@")[0],
                "rule": control,
                "category": CATEGORY,
                "result": result,
                "scored": result != "warn",
                "message": one_line(_message(finding, control, state), MESSAGE_LENGTH),
                "resources": [reference],
                "timestamp": moment,
                "properties": {"state": state.value, "pods": str(finding.pods)},
            }
            if severity := _SEVERITIES.get(result):
                told["severity"] = severity
            yield told


def _message(finding: Finding, control: str, state: State) -> str:
    """What a control would change, or why it does not."""
    parts = [
        *(f"{each.path} on {each.container or THE_POD}" for each in finding.changes if each.control == control),
        *(f"{each.container or THE_POD}: {each.reason}" for each in finding.held if each.control == control),
        *(f"{each.container or THE_POD}: {each.text}" for each in finding.opt_outs if each.control == control),
        *(finding.exempt if state is State.EXEMPT else ()),
    ]
    return f"{state.value}: {'; '.join(dict.fromkeys(parts))}" if parts else state.value


def _bounded(results: list[Json], namespace: Namespace) -> list[Json]:
    """As many as there is room for, the worst first; the last one says how many are left out."""
    room = RESULTS_BYTES
    for count, result in enumerate(results):
        room -= len(orjson.dumps(result))
        if room < 0:
            left_out: Json = {
                "source": NAME,
                "policy": namespace.policy.partition("@")[0],
                "result": "skip",
                "message": f"{len(results) - count} more results have no room here: `hardener scan` shows them",
            }
            return [*results[:count], left_out]
    return results
