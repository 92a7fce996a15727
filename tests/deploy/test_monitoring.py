"""Alerts fire when they should, and alerts and dashboard ask for nothing that is not there."""

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from hardener.metrics import TABLE
from tests.deploy.chart import CHART, objects, the
from tests.deploy.series import TARGET, known_labels
from tests.deploy.value_sets import VALUE_SETS

RULES = CHART / "files" / "alerts.yaml"
DASHBOARD = CHART / "files" / "dashboard.json"
UNIT_TESTS = Path(__file__).with_name("alerts_test.yaml")

_METRIC = re.compile(r"\b((?:hardener|process|apiserver)_\w+)(?:\{([^}]*)\})?")
_MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"[^"]*"')
_GROUPING = re.compile(r"\b(?:by|without|ignoring|on)\s*\(([^)]*)\)")
_LEGEND = re.compile(r"\{\{(\w+)\}\}")


def alerts():
    return {rule["alert"]: rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]}


def panels():
    return [panel for panel in json.loads(DASHBOARD.read_text())["panels"] if panel["type"] != "row"]


def queries():
    """Each query, by where it stands."""
    found = {name: rule["expr"] for name, rule in alerts().items()}
    for panel in panels():
        found |= {f"{panel['title']}, {target['refId']}": target["expr"] for target in panel["targets"]}
    return found


@pytest.mark.parametrize(("place", "query"), queries().items())
def test_a_query_names_only_series_and_labels_that_exist(place, query):
    known = known_labels()
    asked = _METRIC.findall(query)
    assert asked

    possible = set(TARGET)
    for name, matchers in asked:
        assert name in known
        assert set(_MATCHER.findall(matchers)) <= known[name] | TARGET
        possible |= known[name]
    for labels in _GROUPING.findall(query):
        assert {label.strip() for label in labels.split(",") if label.strip()} <= possible


@pytest.mark.parametrize("panel", panels(), ids=lambda panel: panel["title"])
def test_a_legend_names_only_labels_that_are_left(panel):
    for target in panel["targets"]:
        groups = _GROUPING.findall(target["expr"])
        left = {label.strip() for labels in groups for label in labels.split(",")} if groups else TARGET
        assert set(_LEGEND.findall(target["legendFormat"])) <= left


def test_every_metric_is_on_the_dashboard_unless_it_is_asked_for_by_an_option():
    shown = {name for panel in panels() for target in panel["targets"] for name, _ in _METRIC.findall(target["expr"])}
    missing = [m.name for m in TABLE if not m.flag and not any(name.startswith(m.name) for name in shown)]

    assert missing == []


def test_panels_do_not_lie_upon_one_another():
    taken = [
        (x, y)
        for panel in json.loads(DASHBOARD.read_text())["panels"]
        for at in [panel["gridPos"]]
        for x in range(at["x"], at["x"] + at["w"])
        for y in range(at["y"], at["y"] + at["h"])
    ]

    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24


def test_prometheus_understands_every_query(promtool_program, tmp_path):
    filled = [query.replace("$__rate_interval", "5m").replace("$job", ".+") for query in queries().values()]
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(filled)]
    file = tmp_path / "queries.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))

    for each in (file, RULES):
        checked = subprocess.run(
            [promtool_program, "check", "rules", each], capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_alerts_fire_when_they_should(promtool_program, tmp_path):
    rules = yaml.safe_load(RULES.read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            del rule["annotations"]
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump(rules))
    (tmp_path / "test.yaml").write_text(UNIT_TESTS.read_text())
    command = [promtool_program, "test", "rules", tmp_path / "test.yaml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", alerts())
def test_an_alert_is_tested_to_fire_and_to_be_quiet_and_tells_what_to_do(name):
    cases = [case for test in yaml.safe_load(UNIT_TESTS.read_text())["tests"] for case in test["alert_rule_test"]]
    fires = {bool(case["exp_alerts"]) for case in cases if case["alertname"] == name}
    rule = alerts()[name]

    assert fires == {True, False}
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert len(rule["annotations"]["description"]) > len(rule["annotations"]["summary"]) > 10


def test_the_operator_and_grafana_get_the_files_as_they_are(render):
    made = objects(render(VALUE_SETS["monitored"]))

    assert the("PrometheusRule", made)["spec"] == yaml.safe_load(RULES.read_text())
    assert json.loads(the("ConfigMap", made, "hardener-dashboard")["data"]["hardener.json"]) == json.loads(
        DASHBOARD.read_text()
    )
    monitor = the("ServiceMonitor", made)["spec"]
    assert monitor["selector"]["matchLabels"].items() <= the("Service", made)["metadata"]["labels"].items()
    assert monitor["endpoints"][0]["port"] in [port["name"] for port in the("Service", made)["spec"]["ports"]]
