"""hardener config: check a configuration file, print its schema, show what decides about a namespace."""

from pathlib import Path

import click
import orjson

from hardener.cli.labels import labels_option
from hardener.cli.pages.config_page import config_page
from hardener.policy.builtin import BUILTIN
from hardener.policy.config import POLICY_LABEL, Config, Selection
from hardener.policy.namespaces import Labels
from hardener.policy.reading import embedded_config, load_config
from hardener.policy.resolving import resolve
from hardener.policy.schema import config_schema
from hardener.wording import doubts

_FILE = click.Path(path_type=Path)


@click.group()
def config() -> None:
    """Check and explain configuration files."""


@config.command()
@click.argument("file", type=_FILE, required=False)
def check(file: Path | None) -> None:
    """Read FILE (or the built-in configuration) as the server does, and name every mistake in it.

    Exit code 0: it can be used; 2: it cannot.
    """
    loaded = _load(file)
    own = len(loaded.policies) - len(BUILTIN)
    click.echo(f"{loaded.file}: {_count(own, 'policy', 'policies')}, {_count(len(loaded.rules), 'rule', 'rules')}: ok")


@config.command()
@click.option(
    "-o",
    "--output",
    type=click.Choice(["json", "markdown"]),
    default="json",
    show_default=True,
    help="json is a JSON Schema, config/schema.json; markdown is what docs/config.md holds.",
)
def schema(output: str) -> None:
    """Print every key of configuration files, for an editor or to read.

    Exit code 0: printed; 2: wrong usage.
    """
    if output == "markdown":
        click.echo("\n".join(config_page()))
    else:
        click.echo(orjson.dumps(config_schema(), option=orjson.OPT_INDENT_2))


@config.command("resolve")
@click.argument("namespace")
@click.option("--config", type=_FILE, metavar="FILE", help="The configuration; the built-in one if left out.")
@labels_option
def resolve_namespace(namespace: str, config: Path | None, label: Labels | None) -> None:
    """Show which policy NAMESPACE gets and why, and where each setting comes from.

    Exit code 0: shown; 2: the configuration cannot be used.
    """
    loaded = _load(config)
    resolution = resolve(loaded, namespace, label)
    click.echo(_why(loaded, resolution.selection, namespace))
    for _, text in doubts(resolution.selection):
        click.echo(f"  {text}")
    for index in resolution.undecided:
        click.echo(f"  unless its labels match namespaces[{index}] ({_place(loaded, index)})")
    if loaded.selectable and label is None:
        click.echo(f"  unless its label {POLICY_LABEL} names one of {', '.join(sorted(loaded.selectable))}")
    rows = [(setting.key, _text(setting.value), setting.origin) for setting in resolution.settings]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    click.echo()
    for key, value, origin in rows:
        click.echo(f"{key:{widths[0]}}  {value:{widths[1]}}  {origin}")


def _load(file: Path | None) -> Config:
    return embedded_config() if file is None else load_config(file)


def _why(loaded: Config, selection: Selection, namespace: str) -> str:
    policy, index = selection.policy, selection.rule
    if selection.by_label:
        chosen = f"its label {POLICY_LABEL}"
    else:
        chosen = "default" if index is None else f"namespaces[{index}] ({_place(loaded, index)})"
    return f"{namespace}: policy {policy.label}, mode {policy.mode.value}, chosen by {chosen}"


def _place(loaded: Config, rule: int) -> str:
    return f"{loaded.file}:{loaded.rules[rule].line}"


def _text(value: object) -> str:
    """A value as JSON, and so as YAML; a plain word as it is."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
