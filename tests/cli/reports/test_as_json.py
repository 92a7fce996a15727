"""The shape that programs rely on."""

import json

from hardener.cli.reports.as_json import encode_report
from hardener.controls import CATALOGUE
from tests.cli.reports.reported import REPORT

TEXT = encode_report(REPORT)


def test_totals_stand_at_the_top():
    told = json.loads(TEXT)

    assert list(told) == [
        *("cluster", "takenAt", "version", "config", "pods", "finishedPods", "mirrorPods", "states", "podSecurity"),
        *("controls", "namespaces", "problems"),
    ]
    assert told["takenAt"] == "2026-11-22T13:30:00+00:00"
    assert told["states"] == {"in place": 3, "unhardened": 6, "would change": 5}
    assert told["podSecurity"] == {
        "namespaces": 3,
        "now": {"baseline": 2, "restricted": 1},
        "hardened": {"baseline": 2, "restricted": 2},
    }
    assert told["controls"]["resources"] == {"in place": 3, "unhardened": 6, "would change": 5}
    assert (told["pods"], told["finishedPods"], told["mirrorPods"], len(told["problems"])) == (14, 2, 1, 1)


def test_a_finding_tells_everything():
    late = json.loads(TEXT)["namespaces"][0]["findings"][1]

    assert list(late) == [
        *("kind", "name", "pods", "examples", "state", "controls", "now", "hardened", "violations", "remaining"),
        *("changes", "held", "optOuts", "exempt", "risks", "errors"),
    ]
    assert (late["kind"], late["name"], late["pods"], late["examples"]) == (
        "Deployment",
        "late",
        2,
        ["late-0", "late-1"],
    )
    assert set(late["controls"]) == set(CATALOGUE)
    assert late["optOuts"][0] == {
        "control": "resources",
        "container": None,
        "accepted": False,
        "cause": "expired",
        "text": "it ended on 2020-01-01",
        "endsSoon": False,
    }
    assert {"control": "capabilities", "container": "agent", "reason": "the container is privileged"} in late["held"]
    (change,) = [each for each in late["changes"] if each["control"] == "runAsNonRoot"]
    assert change.pop("reason")
    assert change == {
        "control": "runAsNonRoot",
        "mode": "enforce",
        "container": "app",
        "path": "securityContext.runAsNonRoot",
    }
    assert any(risk["control"] == "capabilities" and "port 80" in risk["reason"] for risk in late["risks"])


def test_the_same_report_is_the_same_bytes():
    assert encode_report(REPORT) == TEXT
    assert TEXT.endswith(b"}\n")
