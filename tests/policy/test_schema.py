"""The JSON Schema of configuration files."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from hardener.controls import CATALOGUE
from hardener.policy.document import compose, plain
from hardener.policy.schema import config_schema
from tests.policy.configs import EVERY_KEY, HEADER
from tests.policy.test_mistakes import KEYS, VALUES

CONFIG = Path(__file__).parents[2] / "config"
SCHEMA = config_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

SAME_VALUE = {
    "default: none\nonError: deny\ndefault: none",
    "policies:\n  a: {mode: enforce}\n  a: {}",
    "policies: {a: {optOut: {requireReason: yes}}}",
}
"""Mistakes that only the text shows: a parser hands an ordinary value to the schema."""

GOOD = [
    HEADER,
    HEADER + EVERY_KEY,
    f"{HEADER}policies: {{a: {{controls: {{resources: {{requests: {{cpu: 1, memory: null}}}}}}}}}}",
    f"{HEADER}policies: {{a: {{controls: {{resources: null}}, optOut: {{controls: [resources], maxDays: 30}}}}}}",
    f"{HEADER}namespaces: [{{matchExpressions: [{{key: a, operator: In, values: [b]}}], policy: none}}]",
    f"{HEADER}policies: {{a: {{explicit: override, controls: {{runAsNonRoot: {{explicit: keep}}}}}}}}",
    f"{HEADER}policies: {{a: {{explicit: null, controls: {{runAsNonRoot: {{explicit: null}}}}}}}}",
    f"{HEADER}selectable: null\nexempt: null",
    f"{HEADER}selectable: []\nexempt: {{usernames: [], groups: [a], containers: null}}",
    (CONFIG / "default.yaml").read_text(),
]


def test_the_committed_schema_is_the_one_that_the_code_makes():
    committed = json.loads((CONFIG / "schema.json").read_text())

    assert committed == SCHEMA, "config/schema.json is out of date: run `make generate`"


def test_it_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_it_names_every_control_and_describes_it():
    controls = SCHEMA["$defs"]["Controls"]["properties"]

    assert {name: controls[name]["description"] for name in controls} == {
        name: control.summary for name, control in CATALOGUE.items()
    }


@pytest.mark.parametrize("text", GOOD)
def test_good_files_fit_it(text):
    assert not list(VALIDATOR.iter_errors(yaml.safe_load(text)))


@pytest.mark.parametrize("body", [body for body, _ in [*KEYS, *VALUES] if body not in SAME_VALUE])
def test_files_with_a_wrong_key_or_value_do_not_fit_it(body):
    node, _ = compose(HEADER + body, "config.yaml")

    assert list(VALIDATOR.iter_errors(plain(node)))


@pytest.mark.parametrize(
    "header", ["kind: HardenerConfig", "apiVersion: hardener.dev/v1", "apiVersion: v1\nkind: List"]
)
def test_files_of_another_kind_do_not_fit_it(header):
    assert list(VALIDATOR.iter_errors(yaml.safe_load(header)))
