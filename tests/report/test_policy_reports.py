"""One object per namespace, in two published shapes; what has no room is counted."""

from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest

from hardener.controls import CATALOGUE
from hardener.report.policy_reports import FORMS, RESULTS_BYTES, policy_report
from hardener.report.report import Namespace, Report
from tests.report.findings import BARE, SAFE, assess, assess_with, config, failing

WORKING_GROUP, OPEN_REPORTS = FORMS


def write(*findings, form=WORKING_GROUP):
    policy = config().default
    namespace = Namespace("shop", policy.label, policy.mode, findings)
    report = Report(
        "https://cluster", datetime(2026, 11, 22, tzinfo=UTC), "1", tuple(CATALOGUE), (namespace,), config="test.yaml"
    )
    return policy_report(form, namespace, report)


def results(written, **fields):
    return [each for each in written["results"] if fields.items() <= each.items()]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.group)
def test_every_control_of_a_workload_is_a_result(form):
    written = write(replace(assess(BARE), pods=3), form=form)

    assert (written["apiVersion"], written["kind"]) == (form.api_version, form.kind)
    assert written["metadata"] == {
        "name": "hardener",
        "namespace": "shop",
        "labels": {"app.kubernetes.io/managed-by": "hardener"},
    }
    assert written["summary"] == {"pass": 0, "fail": 7, "warn": 0, "error": 0, "skip": 0}
    (result,) = results(written, rule="runAsNonRoot")
    assert result["result"] == "fail"
    assert result["message"] == "unhardened: securityContext.runAsNonRoot on app"
    assert result["resources"] == [{"kind": "Pod", "name": "web", "namespace": "shop", "apiVersion": "v1"}]
    assert result["properties"] == {"state": "unhardened", "pods": "3"}
    assert result["timestamp"] == {"seconds": 1795305600, "nanos": 0}


def test_only_the_successor_names_the_source_of_the_whole_object():
    assert "source" not in write(assess(SAFE))
    assert write(assess(SAFE), form=OPEN_REPORTS)["source"] == "hardener"


def test_states_become_results():
    def summary(pod, given="default: standard"):
        return {name: number for name, number in write(assess(pod, given))["summary"].items() if number}

    assert summary(SAFE) == {"pass": 7}
    assert summary(BARE, "default: observe") == {"warn": 7}
    assert summary(BARE, "default: none") == {}
    assert summary('{metadata: {annotations: {hardener.dev/opt-out: "*"}}, spec: {containers: [{name: app}]}}') == {
        "skip": 7
    }


def test_a_reason_to_hold_back_is_the_message():
    (result,) = results(
        write(assess("{spec: {containers: [{name: app, securityContext: {privileged: true}}]}}")), rule="capabilities"
    )

    assert result["message"] == "held back: app: the container is privileged"


def test_a_control_that_has_failed_inside_is_an_error():
    written = write(assess_with(failing(config(), "capabilities"), SAFE))

    assert written["summary"] == {"pass": 6, "fail": 0, "warn": 0, "error": 1, "skip": 0}


def test_what_has_no_room_is_left_out_and_counted_and_the_worst_is_kept():
    safe, bare = assess(SAFE), assess(BARE)
    written = write(*(replace(safe, name=f"{'s' * 200}-{number}") for number in range(1000)), bare)

    shown = written["results"]
    assert written["summary"] == {"pass": 7000, "fail": 7, "warn": 0, "error": 0, "skip": 0}
    assert len(orjson.dumps(shown)) < RESULTS_BYTES + 10_000
    assert [each["result"] for each in shown[:8]] == ["fail"] * 7 + ["pass"]
    assert shown[-1]["message"] == f"{7007 - len(shown) + 1} more results have no room here: `hardener scan` shows them"


def test_a_kind_that_kubernetes_does_not_know_has_no_version():
    (result,) = results(write(replace(assess(BARE), kind="Rollout")), rule="resources")

    assert result["resources"] == [{"kind": "Rollout", "name": "web", "namespace": "shop"}]
