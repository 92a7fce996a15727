"""The examples in config/examples: that they are valid, complete, and do what is shown beside them."""

import re
import shlex

import jsonschema
import pytest
import yaml

from hardener.policy.builtin import BUILTIN
from hardener.policy.reading import load_config
from hardener.policy.schema import config_schema
from tests.cli.command_line import hardener
from tests.cli.pages.test_config_page import keys_in, keys_of_the_schema
from tests.transcripts import EXAMPLES, FOLDERS, RESULT, commands, run

NAMES = [folder.name for folder in FOLDERS]
each_example = pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)


def previews(name):
    """What the commands of an example's result say as JSON, one object after the other."""
    folder = EXAMPLES / name
    found = []
    for command in commands((folder / RESULT).read_text()):
        arguments = [str(folder / word) if word.endswith(".yaml") else word for word in shlex.split(command)[1:]]
        found += hardener(*arguments, "-o", "json").json
    return found


@each_example
def test_the_configuration_of_an_example_is_valid(folder):
    path = folder / "config.yaml"

    jsonschema.validate(yaml.safe_load(path.read_text()), config_schema())
    assert load_config(path).file == str(path)


@each_example
def test_the_result_of_an_example_is_what_preview_prints(folder):
    result = (folder / RESULT).read_text()

    assert result == run(result, folder), "run `make generate`"


@each_example
def test_the_result_of_an_example_shows_all_its_manifests_and_policies(folder):
    shown = {word for command in commands((folder / RESULT).read_text()) for word in shlex.split(command)}
    policies = {preview["policy"] for preview in previews(folder.name)}

    assert {path.name for path in folder.iterdir()} - shown == {RESULT}
    assert policies >= load_config(folder / "config.yaml").policies.keys() - BUILTIN.keys()


def test_the_examples_use_every_key_together():
    """What each control may say stands there once, for a policy or for one control."""
    shown = {key for folder in FOLDERS for key in keys_in(yaml.safe_load((folder / "config.yaml").read_text()))}
    settings = {key.rpartition(".")[2] for key in shown}

    missing = [
        key
        for key in keys_of_the_schema()
        if key not in shown and not (re.fullmatch(r"controls\.\w+\.\w+", key) and key.rpartition(".")[2] in settings)
    ]
    assert missing == []


def test_each_example_has_its_paragraph():
    paragraphs = re.findall(r"^\*\*\[([\w-]+)\]\(\1\)\*\*", (EXAMPLES / "README.md").read_text(), re.MULTILINE)

    assert sorted(paragraphs) == NAMES


def test_nothing_is_enforced_on_the_first_day_until_a_namespace_asks_for_it():
    config = load_config(EXAMPLES / "first-day" / "config.yaml")
    asked = config.select("shop", {"hardener.dev/policy": "second-step"}).policy

    assert {config.select(name).policy.enforced for name in ("shop", "kube-system", "default")} == {()}
    assert config.select("shop").policy.controls != ()
    assert asked.enforced == BUILTIN["compatible"].enforced


def test_production_overrides_what_the_relaxed_corner_keeps():
    strict, relaxed = previews("production")

    assert (strict["policy"], relaxed["policy"]) == ("production", "relaxed")
    explicit = [skip["control"] for skip in relaxed["skips"] if "explicitly" in skip["reason"]]
    assert explicit == ["allowPrivilegeEscalation", "seccompProfile", "seccompProfile"]
    assert set(explicit) <= {edit["control"] for edit in strict["edits"]}
    assert not [skip for skip in strict["skips"] if "explicitly" in skip["reason"]]


def test_only_containers_that_the_mesh_made_are_exempt():
    istio, linkerd, imposter = previews("service-mesh")

    assert [each["container"] for each in istio["exempt"]] == ["istio-proxy", "istio-init"]
    assert [each["container"] for each in linkerd["exempt"]] == ["linkerd-init", "linkerd-proxy"]
    assert imposter["exempt"] == []
    assert "capabilities" in {edit["control"] for edit in imposter["edits"]}


def test_nothing_limits_what_runs_on_a_gpu():
    paths = {edit["path"] for preview in previews("machine-learning") for edit in preview["edits"]}

    assert "resources.requests.memory" in paths
    assert not [path for path in paths if path.startswith("resources.limits")]


def test_the_locked_controls_show_every_cause_that_does_not_depend_on_the_day():
    causes = {each["cause"] for preview in previews("locked-controls") for each in preview["optOuts"]}

    assert causes == {"accepted", "locked", "no-reason", "no-expiry", "expired", "too-far-ahead", "unknown-control"}
