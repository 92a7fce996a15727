"""hardener config check, schema, resolve."""

import json

import pytest
from click.testing import CliRunner

from hardener.cli.config import config
from hardener.errors import ConfigError
from hardener.policy.schema import config_schema
from tests.policy.configs import EVERY_KEY, HEADER


def line_of(text, path):
    """Where a line stands in a file."""
    return f"{path}:{path.read_text().splitlines().index(text) + 1}"


def run(*arguments):
    return CliRunner().invoke(config, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture
def example(tmp_path):
    path = tmp_path / "example.yaml"
    path.write_text(HEADER + EVERY_KEY)
    return path


def test_check_counts_what_a_good_file_holds(example):
    result = run("check", example)

    assert (result.exit_code, result.stdout) == (0, f"{example}: 2 policies, 3 rules: ok\n")


def test_check_without_a_file_reads_the_built_in_configuration():
    assert run("check").stdout == "default.yaml: 0 policies, 1 rule: ok\n"


def test_check_fails_with_every_mistake(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text(f"{HEADER}onError: maybe\ndefault: nowhere\n")

    with pytest.raises(ConfigError) as caught:
        run("check", path)

    assert [problem.line for problem in caught.value.problems] == [3, 4]
    assert caught.value.exit_code == 2


def test_schema_prints_the_schema():
    assert json.loads(run("schema").stdout) == config_schema()


def test_resolve_names_rule_and_policy_and_every_setting(example):
    rule, label_rule, policy, requests = (
        line_of(text, example)
        for text in (
            '- names: ["team-*"]',
            "- matchLabels: {environment: production}",
            "  legacy: {extends: production, mode: dry-run, warnings: changes}",
            "        requests: {cpu: 50m, memory: 64Mi}",
        )
    )

    lines = run("resolve", "team-a", "--config", example).stdout.splitlines()

    assert lines[0].startswith("team-a: policy legacy@")
    assert lines[0].endswith(f", mode dry-run, chosen by namespaces[2] ({rule})")
    assert lines[1] == f"  unless its labels match namespaces[1] ({label_rule})"
    assert lines[2] == "  unless its label hardener.dev/policy names one of compatible, observe, standard"
    rows = {line.split()[0]: line.split(maxsplit=2)[1:] for line in lines[4:]}
    assert rows["mode"] == ["dry-run", policy]
    assert rows["controls.resources.requests.cpu"] == ["50m", f"{requests} (extended from production)"]
    assert rows["controls.readOnlyRootFilesystem.writablePaths"][0] == '["/tmp"]'


def test_resolve_without_a_file_explains_the_built_in_configuration():
    assert run("resolve", "kube-system").stdout.startswith("kube-system: policy none@")


def test_resolve_asks_the_rules_for_the_labels_that_are_given(example):
    lines = run("resolve", "team-a", "--config", example, "--label", "environment=production").stdout.splitlines()

    place = line_of("- matchLabels: {environment: production}", example)
    assert lines[0].startswith("team-a: policy production@")
    assert lines[0].endswith(f", mode enforce, chosen by namespaces[1] ({place})")
    assert lines[1] == ""


def test_resolve_takes_several_labels_and_the_one_that_chooses(example):
    labels = ("--label", "environment=production", "--label", "hardener.dev/policy=compatible")

    lines = run("resolve", "team-a", "--config", example, *labels).stdout.splitlines()

    assert lines[0].startswith("team-a: policy compatible@")
    assert lines[0].endswith(", mode enforce, chosen by its label hardener.dev/policy")
    assert lines[1] == ""


def test_resolve_tells_that_a_label_is_refused(example):
    lines = run("resolve", "team-a", "--config", example, "--label", "hardener.dev/policy=none").stdout.splitlines()

    assert lines[0].startswith("team-a: policy legacy@")
    assert lines[1:3] == [
        "  the namespace's hardener.dev/policy=none is not selectable: policy legacy applies",
        "",
    ]


def test_resolve_lists_what_is_exempt_with_its_line(example):
    lines = run("resolve", "shop", "--config", example).stdout.splitlines()

    place = line_of('  - {name: istio-proxy, image: "docker.io/istio/proxyv2:*"}', example)
    assert lines[-1].split("  ") == ["exempt.containers[0]", *lines[-1].split("  ")[1:-1], place]
    assert "istio-proxy, docker.io/istio/proxyv2:*" in lines[-1]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["environment"], "'environment' has no =; write KEY=VALUE"),
        (["=x"], "'' is not a label key such as environment or example.com/tier"),
        (["a b=x"], "'a b' is not a label key such as environment or example.com/tier"),
        (["a=x y"], "'x y' is not a label value: up to 63 letters, digits, -, _ and ."),
        (["a=x", "a=y"], "a is given twice, with different values"),
    ],
)
def test_resolve_refuses_what_is_no_label(labels, message):
    result = run("resolve", "shop", *(argument for label in labels for argument in ("--label", label)))

    assert result.exit_code == 2
    assert message in result.stderr
