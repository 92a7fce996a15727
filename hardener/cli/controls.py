"""`hardener controls`: the catalogue, as the controls' own files describe it."""

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, Field, fields
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin

import click
import msgspec
from rich import box
from rich.table import Table
from rich.text import Text

from hardener.cli.pages.markdown import anchor, code, table
from hardener.cli.terminal import color_option, console, page_option, wants_color
from hardener.controls import CATALOGUE
from hardener.model import Control
from hardener.policy.form import setting_types
from hardener.policy.nearest import hint

NO_LEVEL = "-"
GENERATED = "<!-- Generated from the controls' own files by `make generate`: change those, not this. -->"


@click.command()
@click.argument("name", required=False, shell_complete=lambda _context, _parameter, typed: _beginning_with(typed))
@page_option("docs/controls.md")
@color_option
def controls(name: str | None, output: str, color: str) -> None:
    """List the controls, or show all about one of them.

    Exit code 0: shown; 2: there is no such control.
    """
    if name is not None and name not in CATALOGUE:
        raise click.BadParameter(f"there is no control {name!r}: {hint(name, CATALOGUE)}", param_hint="NAME")
    chosen = [CATALOGUE[name]] if name else list(CATALOGUE.values())
    colored = wants_color(color)
    if output == "markdown":
        click.echo("\n".join(_markdown_page(chosen[0]) if name else _markdown(chosen)))
    elif name:
        click.echo("\n".join(_page(chosen[0])), color=colored)
    else:
        console(colored).print(_overview(chosen))


def _beginning_with(typed: str) -> list[str]:
    return [name for name in CATALOGUE if name.startswith(typed)]


def _overview(chosen: Sequence[Control]) -> Table:
    overview = Table("control", "what it does", "Pod Security level", box=box.SIMPLE_HEAD)
    for control in chosen:
        overview.add_row(Text(control.name, style="bold"), Text(control.summary), Text(control.pss or NO_LEVEL))
    return overview


def _page(control: Control) -> Iterator[str]:
    """All about one control, for a terminal."""
    yield click.style(control.name, bold=True)
    yield control.summary
    yield ""
    for heading, text in _paragraphs(control):
        yield f"{click.style(heading, bold=True)}: {text}"
    yield ""
    yield f"{click.style('Settings', bold=True)}: {_about_settings(control)}"
    yield from (f"  {name}: {kind}, default {default}" for name, kind, default in settings_of(control))
    yield ""
    yield click.style("Holds back, and says so, where:", bold=True)
    yield from (f"  {reason}" for reason in control.all_holds)


def _paragraphs(control: Control) -> Iterator[tuple[str, str]]:
    yield "Why", control.why
    yield "Changes", control.changes
    yield "Opt out when", control.opt_out_when
    yield "Opt out with", f'hardener.dev/opt-out: "{control.name}"'
    yield "Pod Security level", control.pss or "none asks for it"


def _markdown(chosen: Sequence[Control]) -> Iterator[str]:
    yield "# Controls"
    yield ""
    yield GENERATED
    yield ""
    yield "What each control sets, and where it holds back by itself. [What images bear](images.md) shows what happens to"
    yield "images that need what a control takes away, with the message that people see and the opt-out that mends it."
    yield ""
    rows = [(f"[{code(each.name)}]({anchor(each.name)})", each.summary, each.pss or NO_LEVEL) for each in chosen]
    yield from table(("control", "what it does", "Pod Security level"), rows)
    for control in chosen:
        yield ""
        yield from _markdown_page(control)


def _markdown_page(control: Control) -> Iterator[str]:
    yield f"## {control.name}"
    yield ""
    yield control.summary
    for heading, text in _paragraphs(control):
        yield ""
        yield f"**{heading}:** {code(text) if heading == 'Opt out with' else text}"
    yield ""
    yield f"**Settings:** {_about_settings(control)}"
    if fields(control.settings):
        yield ""
        rows = [(code(name), kind.replace("|", "or"), code(default)) for name, kind, default in settings_of(control)]
        yield from table(("setting", "values", "default"), rows)
    yield ""
    yield "It holds back, and says so, where:"
    yield ""
    yield from (f"- {reason}" for reason in control.all_holds)


def _about_settings(control: Control) -> str:
    return " ".join((inspect.getdoc(control.settings) or "").split())


def settings_of(control: Control) -> Iterator[tuple[str, str, str]]:
    """Name, values and default of each setting, as a configuration file writes them."""
    types = setting_types(control.name)
    for setting in fields(control.settings):
        yield setting.name, _values(types[setting.name]), _default(setting)


def _values(kind: Any) -> str:  # noqa: ANN401  a type hint is anything
    """A type in the words of a configuration file."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " | ".join(map(str, arguments))
    if origin is UnionType:
        return " | ".join(dict.fromkeys(_values(argument) for argument in arguments))
    if origin is tuple:
        return f"list of {_values(arguments[0])}"
    if origin is not None:
        return "quantities by resource"
    return {str: "text", int: "number", bool: "true | false", NoneType: "null"}[kind]


def _default(setting: "Field[Any]") -> str:
    value = setting.default_factory() if setting.default_factory is not MISSING else setting.default
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
