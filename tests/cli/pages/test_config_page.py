"""hardener config schema -o markdown, which is docs/config.md."""

import json
import re

import pytest
import yaml

from hardener.controls import CATALOGUE
from hardener.policy.builtin import BUILTIN
from hardener.policy.reading import parse_config
from hardener.policy.resolving import resolve
from hardener.policy.schema import config_schema
from tests.cli.command_line import hardener
from tests.cli.pages.markdown_pages import DOCS, Page
from tests.policy.configs import HEADER

PAGE = DOCS / "config.md"
BUILT_IN_TABLE = 0


@pytest.fixture(scope="module")
def page():
    return Page(hardener("config", "schema", "-o", "markdown").out)


@pytest.fixture(scope="module")
def rows(page):
    """The row of each key by its path: values, default, meaning."""
    return {path: cells for table in page.tables[1:] for path, *cells in table[1:]}


def keys_of_the_schema():
    """Every key by its path, as the JSON Schema has it: below a policy without the policy's own path."""
    schema = config_schema()

    def follow(part, path):
        if "$ref" in part:
            part = schema["$defs"][part["$ref"].rpartition("/")[2]]
        for name, below in part.get("properties", {}).items():
            key = f"{path}.{name}" if path else name
            yield key
            yield from follow(below, key)
        for option in part.get("anyOf", ()):
            yield from follow(option, path)
        if isinstance(part.get("items"), dict):
            yield from follow(part["items"], f"{path}[]")
        if isinstance(part.get("additionalProperties"), dict):
            yield from follow(part["additionalProperties"], "")

    return list(dict.fromkeys(follow(schema, "")))


def keys_in(value, path=""):
    """Every key that a file holds, by the same paths."""
    if isinstance(value, list):
        for item in value:
            yield from keys_in(item, f"{path}[]")
    for name, below in value.items() if isinstance(value, dict) else ():
        if path == "policies":
            yield from keys_in(below)
        else:
            key = f"{path}.{name}" if path else name
            yield key
            yield from keys_in(below, key)


def test_the_reference_of_the_configuration_is_up_to_date(page):
    assert PAGE.read_text() == page.text, "run `make generate`"


def test_json_is_what_is_printed_without_a_choice():
    assert json.loads(hardener("config", "schema").out) == config_schema()
    assert hardener("config", "schema").out == hardener("config", "schema", "-o", "json").out


def test_tables_and_links_of_the_reference_are_whole(page):
    assert all(len(numbers) == 1 for numbers in page.bars)
    assert page.dead_links == []
    assert len(page.anchors) == len(set(page.anchors))
    assert "policiesname" in page.anchors
    assert "controlsreadonlyrootfilesystem" in page.anchors


def test_every_key_of_the_schema_has_a_row_and_nothing_else_has(rows):
    assert sorted(rows) == sorted(keys_of_the_schema())


def test_the_example_shows_every_key(page):
    """What each control may say stands there once, for the policy or for one control."""
    shown = set(keys_in(yaml.safe_load(page.blocks("yaml")[0])))
    names = {path.rpartition(".")[2] for path in shown}

    missing = [
        key
        for key in keys_of_the_schema()
        if key not in shown and not (re.fullmatch(r"controls\.\w+\.\w+", key) and key.rpartition(".")[2] in names)
    ]
    assert missing == []


def test_the_example_is_valid(page):
    config = parse_config(page.blocks("yaml")[0], "example.yaml")

    assert config.policies["legacy"].enforced == ()
    assert "resources" not in config.policies["production"].enforced


def test_the_fragment_about_extending_does_what_its_comments_say(page):
    config = parse_config(HEADER + page.blocks("yaml")[1], "fragment.yaml")
    settings = {enabled.control.name: enabled.settings for enabled in config.policies["production"].controls}

    assert settings["resources"].requests == {"cpu": "100m", "memory": "64Mi"}
    assert settings["readOnlyRootFilesystem"].writablePaths == ("/tmp", "/var/run")
    legacy = {enabled.control.name for enabled in config.policies["legacy"].controls}
    assert legacy == set(settings) - {"runAsNonRoot"}
    assert config.policies["legacy"].enforced == ()


def test_defaults_are_what_resolve_says_of_a_file_that_says_nothing(rows):
    for setting in resolve(parse_config(HEADER, "empty.yaml"), "shop").settings:
        if setting.key in rows:
            default = yaml.safe_load(rows[setting.key][1])
        else:
            path, _, name = setting.key.rpartition(".")
            default = yaml.safe_load(rows[path][1])[name]
        value = list(setting.value) if isinstance(setting.value, tuple) else setting.value
        assert default == ("none" if value is None else value), setting.key


def test_defaults_outside_of_policies_are_those_of_a_file_that_says_nothing(rows):
    config = parse_config(HEADER, "empty.yaml")

    assert rows["default"][1] == rows["extends"][1] == config.default.name
    assert rows["onError"][1] == config.on_error
    assert (rows["selectable"][1], rows["namespaces"][1], rows["policies"][1]) == ("none", "none", "none")
    assert rows["apiVersion"][1] == rows["namespaces[].policy"][1] == "must be given"


def test_values_are_told_in_words_and_bounds(rows):
    assert rows["onError"][0] == "allow or deny"
    assert rows["mode"][0] == "enforce, dry-run or disabled"
    assert rows["optOut.controls"][0] == "all, none or list of controls"
    assert rows["optOut.maxDays"][0] == "whole number from 1 to 36500"
    assert rows["optOut.requireReason"][0] == "true or false"
    assert rows["controls.resources.limits"][0] == "quantities by resource"
    assert rows["controls.seccompProfile.localhostProfile"][0] == "text"
    assert rows["namespaces[].names"][0] == "list of text"
    assert rows["namespaces[].matchLabels"][0] == "text by name"
    assert rows["policies"][0] == "mappings by name"


def test_the_settings_of_each_control_are_explained_above_its_table(page):
    for control in CATALOGUE.values():
        section = page.text.partition(f"#### `controls.{control.name}`\n")[2].partition("|")[0]
        assert control.summary in section
        for name in (name for name in keys_of_the_schema() if name.startswith(f"controls.{control.name}.")):
            assert name in page.text


def test_the_built_in_policies_run_what_their_columns_say(page):
    header, *lines = page.tables[BUILT_IN_TABLE]

    said = {
        policy: {path.removeprefix("controls.") for path, *cells in lines if cells[column] == "runs"}
        for column, policy in enumerate(header[1:])
    }
    assert said == {
        name: {enabled.control.name for enabled in policy.controls}
        for name, policy in BUILTIN.items()
        if policy.controls
    }
    mode = next(cells for path, *cells in lines if path == "mode")
    assert dict(zip(header[1:], mode, strict=True)) == {name: BUILTIN[name].mode for name in said}


@pytest.mark.parametrize("name", BUILTIN)
def test_every_built_in_policy_is_named(name, page):
    section = page.text.partition("## The built-in policies")[2].partition("## Every key")[0]

    assert f"`{name}`" in section
