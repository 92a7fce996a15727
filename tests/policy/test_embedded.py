"""The configuration that is in force where none is given, and the file that shows it."""

import re
from pathlib import Path

import pytest
import yaml

from hardener.policy.builtin import BUILTIN
from hardener.policy.config import OnError
from hardener.policy.reading import embedded_config, load_config, parse_config
from hardener.policy.schema import config_schema

DEFAULT = Path(__file__).parents[2] / "config" / "default.yaml"


def test_it_hardens_all_but_the_machinery_of_the_cluster():
    config = embedded_config()

    chosen = {name: config.select(name).policy.name for name in ("kube-system", "kube-node-lease", "default", "shop")}
    assert chosen == {"kube-system": "none", "kube-node-lease": "none", "default": "standard", "shop": "standard"}
    assert config.on_error is OnError.ALLOW
    assert config.policies == BUILTIN


def test_it_is_the_file_that_people_copy():
    copied, embedded = load_config(DEFAULT), embedded_config()

    assert [rule.policy for rule in copied.rules] == [rule.policy for rule in embedded.rules]
    assert (copied.default, copied.on_error) == (embedded.default, embedded.on_error)


def uncommented():
    """The file with the policy that it suggests."""
    before, mark, suggestion = DEFAULT.read_text().partition("#policies")
    return before + re.sub(r"^#", "", mark + suggestion, flags=re.MULTILINE)


def test_every_line_of_it_is_commented():
    lines = [line.strip() for line in uncommented().splitlines() if line.strip()]

    assert [line for before, line in zip(["", *lines], lines, strict=False) if "#" not in (before[:1], line[:1])] == []


def test_it_shows_every_key_but_the_settings_of_single_controls():
    forms = config_schema()["$defs"]
    shown = yaml.safe_load(uncommented())
    suggested = shown["policies"]["production"]

    assert set(shown) == set(forms["HardenerConfig"]["properties"])
    assert set(suggested) == set(forms["Policy"]["properties"])
    assert set(suggested["optOut"]) == set(forms["OptOut"]["properties"])
    assert set(shown["exempt"]) == set(forms["ExemptForm"]["properties"])
    assert set(shown["exempt"]["containers"][0]) == set(forms["ContainerForm"]["properties"])


def test_what_it_suggests_to_exempt_and_to_select_is_read():
    config = parse_config(uncommented(), "default.yaml")

    assert config.selectable == {"compatible", "standard", "production"}
    assert config.exempt_users is None
    assert [text for _, text in config.default.exempt.lines()] == [
        "system-node-critical",
        "istio-proxy, docker.io/istio/proxyv2:*",
    ]


def test_the_policy_that_it_suggests_can_be_used_as_it_stands():
    production = parse_config(uncommented(), "default.yaml").policies["production"]

    assert "readOnlyRootFilesystem" not in production.enforced
    assert (production.opt_out.require_reason, production.opt_out.max_days) == (True, 90)


def test_it_is_found_beside_the_module_in_a_wheel(tmp_path, monkeypatch):
    (tmp_path / "default.yaml").write_text(DEFAULT.read_text().replace("default: standard", "default: observe"))
    monkeypatch.setattr("hardener.policy.reading.files", lambda _package: tmp_path)

    assert embedded_config().default.name == "observe"


@pytest.mark.parametrize("name", BUILTIN)
def test_the_built_in_policies_are_known_in_it(name):
    assert embedded_config().policies[name] == BUILTIN[name]
