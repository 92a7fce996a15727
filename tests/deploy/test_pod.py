"""The pod that the chart makes fits the program that runs in it, and needs no hardening."""

import json
import re
from datetime import date
from pathlib import PurePosixPath

import click
import pytest
import yaml

import hardener
from hardener.admission.workload import judge
from hardener.cli.serve import serve
from hardener.model import STANDALONE
from hardener.policy.reading import embedded_config
from hardener.server.limits import Limits
from tests.deploy.chart import CHART, NAMESPACE, objects, the
from tests.deploy.value_sets import VALUE_SETS


def deployment(manifests):
    return the("Deployment", objects(manifests))


def container(manifests):
    return deployment(manifests)["spec"]["template"]["spec"]["containers"][0]


@pytest.mark.parametrize("name", VALUE_SETS)
def test_hardener_finds_nothing_to_change_in_its_own_pod(render, name):
    made = deployment(render(VALUE_SETS[name]))
    judgement = judge(
        made, "Deployment", ("spec", "template"), NAMESPACE, embedded_config(), STANDALONE, date(2026, 1, 1)
    )

    held = [(verdict.control, skip.reason) for verdict in judgement.outcome.verdicts for skip in verdict.skips]
    assert [write for verdict in judgement.outcome.verdicts for write in verdict.writes] == []
    assert held == [("automountServiceAccountToken", "automountServiceAccountToken is explicitly true")]


@pytest.mark.parametrize("name", VALUE_SETS)
def test_every_option_is_one_of_the_program_s(render, name):
    known = {option for parameter in serve.params if isinstance(parameter, click.Option) for option in parameter.opts}
    verb, *options = container(render(VALUE_SETS[name]))["args"]

    assert verb == "serve"
    assert {option.partition("=")[0] for option in options} <= known


def test_values_that_are_choices_are_the_program_s_choices():
    schema = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))["properties"]["logging"][
        "properties"
    ]
    choices = {
        parameter.name: parameter.type.choices for parameter in serve.params if parameter.name.startswith("log_")
    }

    assert schema["format"]["enum"] == list(choices["log_format"])
    assert schema["level"]["enum"] == list(choices["log_level"])


def test_defaults_are_the_program_s_own():
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    default = {parameter.name: parameter.default for parameter in serve.params}

    assert values["ports"] == {"webhook": default["port"], "metrics": default["metrics_port"]}
    assert values["shutdownDelaySeconds"] == default["shutdown_delay"]
    assert values["logging"] == {"format": default["log_format"], "level": default["log_level"]}


def test_chart_and_program_have_one_number():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))

    assert chart["version"] == chart["appVersion"] == hardener.__version__


@pytest.mark.parametrize("delay", [0, 10, 300])
def test_the_pod_has_time_to_answer_what_it_was_asked(render, delay):
    grace = deployment(render({"shutdownDelaySeconds": delay}))["spec"]["template"]["spec"][
        "terminationGracePeriodSeconds"
    ]

    assert grace >= delay + Limits().finish_seconds + 5


def test_ports_are_the_same_for_container_arguments_service_and_network(render):
    manifests = render({"ports": {"webhook": 10250, "metrics": 9090}})
    made, pod = objects(manifests), container(manifests)

    assert {"--port=10250", "--metrics-port=9090"} <= set(pod["args"])
    assert {port["name"]: port["containerPort"] for port in pod["ports"]} == {"webhook": 10250, "metrics": 9090}
    assert {port["targetPort"] for port in the("Service", made)["spec"]["ports"]} == {"webhook", "metrics"}
    inward = the("NetworkPolicy", made)["spec"]["ingress"]
    assert [port["port"] for rule in inward for port in rule["ports"]] == ["webhook", "metrics"]
    probes = {name: probe for name, probe in pod.items() if name.endswith("Probe")}
    assert {name: probe["httpGet"]["path"] for name, probe in probes.items()} == {
        "startupProbe": "/healthz",
        "readinessProbe": "/readyz",
        "livenessProbe": "/healthz",
    }


@pytest.mark.parametrize("name", VALUE_SETS)
def test_every_file_that_it_reads_is_mounted(render, name):
    pod = container(render(VALUE_SETS[name]))
    folders = {PurePosixPath(mount["mountPath"]) for mount in pod["volumeMounts"]}
    files = {match[1] for argument in pod["args"] if (match := re.search(r"=(/.+)", argument))}
    volumes = deployment(render(VALUE_SETS[name]))["spec"]["template"]["spec"]["volumes"]

    assert {PurePosixPath(file).parent for file in files} == folders
    assert {mount["name"] for mount in pod["volumeMounts"]} == {volume["name"] for volume in volumes}


def test_the_service_the_budget_and_the_policy_choose_the_pods_and_a_release_beside_it_does_not(render):
    made, other = objects(render()), objects(render(release="other"))
    labels = the("Deployment", made)["spec"]["template"]["metadata"]["labels"]
    of_other = the("Deployment", other)["spec"]["template"]["metadata"]["labels"]
    selectors = [
        the("Service", made)["spec"]["selector"],
        *(the(kind, made)["spec"]["selector"]["matchLabels"] for kind in ("Deployment", "PodDisruptionBudget")),
        the("NetworkPolicy", made)["spec"]["podSelector"]["matchLabels"],
    ]

    for selector in selectors:
        assert selector.items() <= labels.items()
        assert not selector.items() <= of_other.items()


def test_memory_is_what_was_measured_with_room_above(render):
    resources = container(render())["resources"]

    assert resources == {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}}
