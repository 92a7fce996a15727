"""The chart as Helm renders it, and the files that are written from it and from the code.

`python -m tests.deploy.chart` writes them: `deploy/install.yaml`, and what `values.schema.json` knows of the configuration.
"""

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hardener.policy.schema import config_schema
from tests.deploy.tools import helm

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "chart"
INSTALL = ROOT / "deploy" / "install.yaml"
SCHEMA = CHART / "values.schema.json"

RELEASE, NAMESPACE = "hardener", "hardener-system"

CONFIG_PARTS = ("Policy", "RuleForm", "ExemptForm", "TemplateForm")
"""The parts of the configuration that values hold, by their names in its schema."""

INSTALL_VALUES: Json = {"namespace": {"create": True}}
"""All that install.yaml has beyond the defaults: kubectl has no --create-namespace."""

INSTALL_HEADER = """\
# All that runs hardener in a cluster, with the defaults of its chart: kubectl apply -f install.yaml
# Written from deploy/chart by `make generate`: change that, not this.
"""


class RenderError(Exception):
    """Helm refused; the text is what it said."""


def run_helm(*arguments: str | Path, values: Json | None = None, major: str = "3") -> str:
    """What Helm prints, with values where it takes any. Raises RenderError."""
    command = [helm(major), *arguments, *(() if values is None else ("--values=-",))]
    given = None if values is None else json.dumps(values)
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RenderError(done.stderr)
    return done.stdout


def template(
    values: Json | None = None, *, major: str = "3", namespace: str = NAMESPACE, release: str = RELEASE
) -> str:
    """The manifests for some values; the same ones are rendered once. Raises RenderError."""
    return _template(json.dumps(values or {}), major, namespace, release)


@cache
def _template(values: str, major: str, namespace: str, release: str) -> str:
    return run_helm("template", release, CHART, f"--namespace={namespace}", values=json.loads(values), major=major)


def notes(values: Json | None = None) -> str:
    """What Helm tells people after an installation; only Helm 4 tells it without a cluster."""
    arguments = ("install", RELEASE, CHART, f"--namespace={NAMESPACE}", "--dry-run=client")
    return run_helm(*arguments, values=values or {}, major="4").partition("\nNOTES:\n")[2]


def objects(manifests: str) -> list[Json]:
    """The objects of a file with several documents."""
    return [document for document in yaml.safe_load_all(manifests) if document]


def the(kind: str, among: list[Json], name: str | None = None) -> Json:
    """The one object of a kind, or of a kind and a name."""
    found = [each for each in among if each["kind"] == kind and name in (None, each["metadata"]["name"])]
    assert len(found) == 1, f"{len(found)} objects are a {kind} {name or ''}"
    return found[0]


def install_manifests(*, major: str = "3") -> str:
    """What install.yaml holds."""
    return INSTALL_HEADER + template(INSTALL_VALUES, major=major)


def values_schema(written: Json) -> Json:
    """The schema of the values, with the parts that are the configuration's own written anew."""
    known = config_schema()["$defs"]
    needed: dict[str, Json] = {}
    missing = list(CONFIG_PARTS)
    while missing:
        name = missing.pop()
        if name not in needed:
            needed[name] = known[name]
            missing += _references(known[name])
    return {**written, "$defs": dict(sorted(needed.items()))}


def schema_text(schema: Json) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _references(value: object) -> list[str]:
    """The names that a part of the schema refers to."""
    if isinstance(value, dict):
        own = [value["$ref"].rpartition("/")[2]] if isinstance(value.get("$ref"), str) else []
        return own + [name for child in value.values() for name in _references(child)]
    return [name for child in value for name in _references(child)] if isinstance(value, list) else []


def main() -> None:
    schema = values_schema(json.loads(SCHEMA.read_text(encoding="utf-8")))
    SCHEMA.write_text(schema_text(schema), encoding="utf-8")
    INSTALL.write_text(install_manifests(), encoding="utf-8")


if __name__ == "__main__":
    main()
