"""The CronJob that looks for what slipped through fits the program, needs no hardening, and may only read."""

from datetime import date

import click
import pytest

from hardener.admission.workload import judge
from hardener.cli.scan import scan
from hardener.model import STANDALONE
from hardener.policy.reading import embedded_config
from hardener.pss import Level, stand
from tests.deploy.chart import NAMESPACE, objects, the
from tests.deploy.value_sets import VALUE_SETS

SCANNED = [name for name, values in VALUE_SETS.items() if values.get("scan", {}).get("enabled")]
TEMPLATE = ("spec", "jobTemplate", "spec", "template")


@pytest.fixture(params=SCANNED)
def made(render, request):
    return objects(render(VALUE_SETS[request.param]))


def pod(made):
    return the("CronJob", made)["spec"]["jobTemplate"]["spec"]["template"]


def test_there_is_none_unless_it_is_asked_for(render):
    made = objects(render())

    assert "CronJob" not in {each["kind"] for each in made}
    assert [each["metadata"]["name"] for each in made if each["kind"] == "ServiceAccount"] == ["hardener"]


def test_hardener_finds_nothing_to_change_in_it(made):
    judgement = judge(
        the("CronJob", made), "CronJob", TEMPLATE, NAMESPACE, embedded_config(), STANDALONE, date(2026, 1, 1)
    )

    held = [(verdict.control, skip.reason) for verdict in judgement.outcome.verdicts for skip in verdict.skips]
    assert [write for verdict in judgement.outcome.verdicts for write in verdict.writes] == []
    assert held == [("automountServiceAccountToken", "automountServiceAccountToken is explicitly true")]
    assert stand(pod(made)).level is Level.RESTRICTED


def test_every_option_is_one_of_the_program_s(made):
    known = {option: parameter for parameter in scan.params for option in parameter.opts}
    verb, *options = pod(made)["spec"]["containers"][0]["args"]

    assert verb == "scan"
    for option in options:
        name, _, value = option.partition("=")
        kind = known[name].type
        assert not isinstance(kind, click.Choice) or value in kind.choices


def test_it_reads_the_configuration_of_the_webhook(made):
    (volume,) = pod(made)["spec"]["volumes"]

    assert volume["configMap"]["name"] == the("ConfigMap", made)["metadata"]["name"]


def test_the_service_does_not_choose_its_pods(made):
    chosen = the("Service", made)["spec"]["selector"]

    assert not chosen.items() <= pod(made)["metadata"]["labels"].items()


def test_its_account_reads_and_writes_nothing_but_reports(made):
    name = the("CronJob", made)["metadata"]["name"]
    assert pod(made)["spec"]["serviceAccountName"] == name
    (subject,) = the("ClusterRoleBinding", made, name)["subjects"]
    assert (subject["name"], subject["namespace"]) == (name, NAMESPACE)

    for rule in the("ClusterRole", made, name)["rules"]:
        reports = rule["apiGroups"] in (["wgpolicyk8s.io"], ["openreports.io"])
        assert rule["verbs"] == (["get", "create", "patch", "delete"] if reports else ["list"])
        assert "secrets" not in rule["resources"]


def test_it_has_no_right_to_write_reports_unless_it_shall(render):
    rules = the("ClusterRole", objects(render({"scan": {"enabled": True}})), "hardener-scan")["rules"]

    assert {verb for rule in rules for verb in rule["verbs"]} == {"list"}


def test_a_long_name_is_cut_to_what_a_cron_job_may_have(render):
    name = the("CronJob", objects(render({"scan": {"enabled": True}}, release="x" * 53)))["metadata"]["name"]

    assert name.endswith("-scan")
    assert len(name) <= 52
