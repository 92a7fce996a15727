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
    rows = {line.split()[0]: line.split(maxsplit=2)[1:] for line in lines[3:]}
    assert rows["mode"] == ["dry-run", policy]
    assert rows["controls.resources.requests.cpu"] == ["50m", f"{requests} (extended from production)"]
    assert rows["controls.readOnlyRootFilesystem.writablePaths"][0] == '["/tmp"]'


def test_resolve_without_a_file_explains_the_built_in_configuration():
    assert run("resolve", "kube-system").stdout.startswith("kube-system: policy none@")
