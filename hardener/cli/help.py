"""`hardener help`: what each command is for, on the terminal and as a page."""

from collections.abc import Sequence

import click

from hardener.cli.pages.cli_page import cli_page
from hardener.cli.terminal import page_option
from hardener.policy.nearest import hint


@click.command("help")
@click.argument("command", nargs=-1, metavar="[COMMAND]...")
@page_option("docs/cli.md")
@click.pass_context
def help(ctx: click.Context, command: Sequence[str], output: str) -> None:  # noqa: A001  commands are called like their functions
    """Show what a command does, or all commands.

    Exit code 0: shown; 2: there is no such command.
    """
    root = ctx.find_root()
    if output == "markdown":
        click.echo("\n".join(cli_page(root)))
        return
    for name in command:
        group = root.command
        names = group.list_commands(root) if isinstance(group, click.Group) else []
        if not isinstance(group, click.Group) or name not in names:
            raise click.UsageError(f"there is no command {name!r} here: {hint(name, names)}", ctx)
        found = group.get_command(root, name)
        if found is None:
            raise TypeError(f"{name} is listed, but cannot be had")
        root = click.Context(found, info_name=name, parent=root)
    click.echo(root.get_help())
