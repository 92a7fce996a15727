"""What a terminal may show: colour when it is wanted, and never a control character out of a manifest."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console

Command = TypeVar("Command", bound=Callable[..., Any])

WIDTH_WITHOUT_TERMINAL = 160


def page_option(page: str) -> Callable[[Command], Command]:
    """`-o text|markdown`, where the latter is a page of the documentation."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice(["text", "markdown"]),
        default="text",
        show_default=True,
        help=f"markdown is what {page} holds.",
    )


def color_option(command: Command) -> Command:
    """`--color`, the same for every command that prints colours."""
    return click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        show_default=True,
        help="Colours; auto is a terminal without NO_COLOR in its environment.",
    )(command)


def wants_color(choice: str) -> bool:
    """Decide for standard output (see no-color.org)."""
    if choice != "auto":
        return choice == "always"
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def console(color: bool) -> "Console":
    """A rich console on standard output; a pipe gets lines wide enough to be searched."""
    from rich.console import Console  # noqa: PLC0415  most of what is printed is no table

    width = None if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL
    return Console(force_terminal=color, no_color=not color, width=width, highlight=False, emoji=False, markup=False)
