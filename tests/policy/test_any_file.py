"""Whatever a file holds: a configuration, or a ConfigError with lines; and nothing is read that the schema refuses."""

import json

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from hardener.controls import CATALOGUE
from hardener.errors import ConfigError
from hardener.policy.document import compose, plain
from hardener.policy.form import setting_types
from hardener.policy.reading import parse_config
from hardener.policy.resolving import resolve
from hardener.policy.schema import config_schema
from tests.policy.configs import EVERY_KEY, HEADER

VALIDATOR = jsonschema.Draft202012Validator(config_schema())

KEYS = st.sampled_from(
    [
        *("policies", "namespaces", "default", "onError", "extends", "mode", "warnings", "hostAgents", "controls"),
        *("optOut", "requireReason", "maxDays", "names", "matchLabels", "matchExpressions", "policy", "key"),
        *("operator", "values", "cpu", "memory", "a", "b", "", "<<"),
        *("selectable", "exempt", "usernames", "groups", "runtimeClasses", "priorityClasses", "containers"),
        *("name", "image", "templates", "group", "kind", "path"),
        *CATALOGUE,
        *(setting for control in CATALOGUE for setting in setting_types(control)),
    ]
)
WORDS = st.sampled_from(
    [
        "enforce",
        "dry-run",
        "disabled",
        "none",
        "standard",
        "a",
        "b",
        "all",
        "In",
        "Exists",
        "harden",
        "override",
        "docker.io/a/b:*",
        "64Mi",
        "/tmp",
        "*",
    ]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=15
)


def optional(**parts):
    return st.fixed_dictionaries({}, optional=parts)


MODES = st.sampled_from(["enforce", "dry-run", "disabled"]) | VALUES
CONTROLS = {
    name: optional(mode=MODES, **dict.fromkeys(setting_types(name), WORDS | VALUES)) | VALUES for name in CATALOGUE
}
POLICY = optional(
    extends=WORDS, mode=MODES, explicit=WORDS, hostAgents=WORDS, controls=optional(**CONTROLS), optOut=VALUES
)
RULE = optional(policy=WORDS, names=st.lists(WORDS), matchLabels=st.dictionaries(KEYS, WORDS), matchExpressions=VALUES)
CONTAINER = optional(name=WORDS | VALUES, image=WORDS | st.text(alphabet="ab.:/@*?[", max_size=12))
EXEMPT = optional(
    **dict.fromkeys(("usernames", "groups", "runtimeClasses", "priorityClasses"), st.lists(WORDS) | VALUES),
    containers=st.lists(CONTAINER | VALUES, max_size=3) | VALUES,
)
TEMPLATE = optional(**dict.fromkeys(("group", "kind", "path"), WORDS | st.text(alphabet="aA.[*]/", max_size=8)))
NEARLY = optional(
    policies=st.dictionaries(st.sampled_from("abcd"), POLICY, max_size=4) | VALUES,
    namespaces=st.lists(RULE, max_size=3) | VALUES,
    default=WORDS,
    selectable=st.lists(WORDS | VALUES, max_size=3) | VALUES,
    exempt=EXEMPT | VALUES,
    templates=st.lists(TEMPLATE | VALUES, max_size=3) | VALUES,
    onError=st.sampled_from(["allow", "deny"]),
)


def read_whatever(text):
    """Read a text: None where it is refused with a proper account of its mistakes."""
    try:
        config = parse_config(text, "config.yaml")
    except ConfigError as error:
        refusal = error
    else:
        assert resolve(config, "shop").selection == config.select("shop")
        return config
    lines = [problem.line for problem in refusal.problems]
    assert lines
    assert lines == sorted(lines)
    assert len(str(refusal).splitlines()) == len(lines)
    return None


@settings(deadline=None)
@given(st.text())
def test_any_text_is_read_or_refused(text):
    read_whatever(text)


@settings(deadline=None)
@given(st.integers(0, len(EVERY_KEY)), st.integers(0, 30), st.text(alphabet="\n :-{}[]&*!#'\"\t,aA1", max_size=4))
def test_a_damaged_file_is_read_or_refused(start, length, instead):
    read_whatever(HEADER + EVERY_KEY[:start] + instead + EVERY_KEY[start + length :])


@settings(deadline=None)
@given(NEARLY)
def test_what_is_read_fits_the_schema(document):
    text = json.dumps({"apiVersion": "hardener.dev/v1", "kind": "HardenerConfig", **document})

    if read_whatever(text) is not None:
        assert not list(VALIDATOR.iter_errors(plain(compose(text, "config.yaml")[0])))
