"""`--label KEY=VALUE`: the labels of a namespace, where no cluster tells them."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from hardener.policy.namespaces import Labels, label_mistake

Command = TypeVar("Command", bound=Callable[..., Any])


def labels_option(command: Command) -> Command:
    """Give a command the option; without it the labels are None, and rules that ask for labels do not match."""
    return click.option(
        "--label",
        multiple=True,
        metavar="KEY=VALUE",
        callback=_read,
        help="A label of the namespace; may be given again. Without any, rules that ask for labels do not match.",
    )(command)


def _read(ctx: click.Context, param: click.Parameter, given: Sequence[str]) -> Labels | None:
    labels: dict[str, str] = {}
    for text in given:
        key, equals, value = text.partition("=")
        mistake = label_mistake(key, value) if equals else f"{text!r} has no =; write KEY=VALUE"
        if mistake:
            raise click.BadParameter(mistake, ctx, param)
        if labels.setdefault(key, value) != value:
            raise click.BadParameter(f"{key} is given twice, with different values", ctx, param)
    return labels or None
