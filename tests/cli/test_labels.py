"""`--label`: what labels a namespace has is said on the command line, where no cluster tells it."""

import pytest

from tests.cli.command_line import CRON_JOB, DEPLOYMENT, hardener

CONFIG = """\
apiVersion: hardener.dev/v1
kind: HardenerConfig
policies:
  strict: {}
  gentle: {extends: compatible}
namespaces:
- {matchLabels: {environment: production}, policy: strict}
- matchExpressions: [{key: team, operator: In, values: [a, b]}, {key: legacy, operator: DoesNotExist}]
  policy: gentle
selectable: [gentle]
default: none
"""
CHOOSE = "hardener.dev/policy"


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG)
    return file


def options(labels):
    return [part for label in labels for part in ("--label", label)]


CHOICES = [
    ([], "none"),
    (["environment=production"], "strict"),
    (["environment=staging"], "none"),
    (["environment="], "none"),
    (["team=a"], "gentle"),
    (["team=a", "legacy=true"], "none"),
    (["team=a", "legacy="], "none"),
    (["team=a", "environment=production"], "strict"),
    ([f"{CHOOSE}=gentle", "environment=production"], "gentle"),
    ([f"{CHOOSE}=strict", "team=b"], "gentle"),
    (["team=a", "team=a"], "gentle"),
]


@pytest.mark.parametrize(("labels", "policy"), CHOICES)
def test_labels_choose_the_policy_of_a_preview(config, labels, policy):
    (entry,) = hardener("preview", "-", "-o", "json", "--config", config, *options(labels), stdin=DEPLOYMENT).json

    assert entry["policy"] == policy


@pytest.mark.parametrize(("labels", "policy"), CHOICES)
def test_config_resolve_agrees_with_preview(config, labels, policy):
    out = hardener("config", "resolve", "shop", "--config", config, *options(labels)).out

    assert out.startswith(f"shop: policy {policy}@")


def test_the_labels_are_those_of_every_namespace_in_the_files(config):
    result = hardener(
        "preview", "-", "-o", "json", "--config", config, "--label", "team=b", stdin=f"{DEPLOYMENT}---\n{CRON_JOB}"
    )

    assert [(entry["namespace"], entry["policy"]) for entry in result.json] == [
        ("shop", "gentle"),
        ("default", "gentle"),
    ]


@pytest.mark.parametrize("value", ["strict", "none", "nonsense"])
def test_a_label_that_names_no_selectable_policy_is_told(config, value):
    arguments = ["--config", config, "--label", f"{CHOOSE}={value}", "--label", "environment=production"]
    sentence = f"  the namespace's {CHOOSE}={value} is not selectable: policy strict applies"

    assert sentence in hardener("preview", "-", *arguments, stdin=DEPLOYMENT).out.splitlines()
    assert sentence in hardener("config", "resolve", "shop", *arguments).out.splitlines()


@pytest.mark.parametrize("command", [["preview", "-"], ["config", "resolve", "shop"]], ids=lambda words: words[0])
@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (["environment"], "'environment' has no =; write KEY=VALUE"),
        (["=production"], "'' is not a label key such as environment or example.com/tier"),
        (["a b=c"], "'a b' is not a label key"),
        (["-a=c"], "'-a' is not a label key"),
        (["UPPER.example/a=c"], "'UPPER.example/a' is not a label key"),
        ([f"{'k' * 64}=c"], "is not a label key"),
        (["a=b c"], "'b c' is not a label value"),
        ([f"a={'v' * 64}"], "is not a label value: up to 63 letters, digits, -, _ and ."),
        (["a=b=c"], "'b=c' is not a label value"),
        (["a=b", "a=c"], "a is given twice, with different values"),
    ],
)
def test_what_can_be_no_label_is_bad_usage(command, labels, reason):
    result = hardener(*command, *options(labels), stdin=DEPLOYMENT)

    assert result.code == 2
    assert result.out == ""
    assert reason in " ".join(result.err.split())
    assert "--label" in result.err


def test_labels_may_stand_in_the_environment(config, monkeypatch):
    monkeypatch.setenv("HARDENER_PREVIEW_LABEL", "team=a environment=production")

    monkeypatch.setenv("HARDENER_CONFIG_RESOLVE_LABEL", "team=a")
    monkeypatch.setenv("HARDENER_CONFIG_RESOLVE_CONFIG", str(config))

    (entry,) = hardener("preview", "-", "-o", "json", "--config", config, stdin=DEPLOYMENT).json

    assert entry["policy"] == "strict"
    assert hardener("config", "resolve", "shop").out.startswith("shop: policy gentle@")
