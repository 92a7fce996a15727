"""The command line: parse, wire, print; no decisions.

Each command is a module of its own, imported only when it is asked for: a preview in a pipeline shall not pay for the
server's libraries.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import PurePath

import click

from hardener import __version__
from hardener.errors import INTERNAL, HardenerError
from hardener.policy.nearest import hint

COMMANDS = ("serve", "preview", "fix", "scan", "controls", "config", "metrics", "demo", "completion", "help")
"""In the order in which a newcomer meets them; `x` is the attribute `x` of `hardener.cli.x`."""

INTERRUPTED = 130
BROKEN_PIPE = 141
"""What a shell reports for a program that SIGINT or SIGPIPE ended."""

DEBUG = "HARDENER_DEBUG"


class LazyGroup(click.Group):
    """A group that imports a command when it is first asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(f"{__name__}.{cmd_name}"), cmd_name)
        if not isinstance(command, click.Command):
            raise TypeError(f"hardener.cli.{cmd_name}.{cmd_name} is not a command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command; click itself knows only those that are already imported."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(f"there is no command {name!r}: {hint(name, COMMANDS)}")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Leave quietly when the reader of a pipe has gone; click would report what preview calls a change."""
        try:
            result: object = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # What is still buffered must go somewhere, or the interpreter complains about it at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.exceptions.Exit(BROKEN_PIPE) from None
        return result


@click.group(
    cls=LazyGroup,
    context_settings={"auto_envvar_prefix": "HARDENER", "help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="hardener %(version)s")
def hardener() -> None:
    """Make Kubernetes pods safe by default, and say why.

    Every option is an environment variable too, with the command's name in it: --port of serve is HARDENER_SERVE_PORT.
    """


def run(arguments: Sequence[str], program: str) -> int:
    """Run the command line and return its exit code; `program` is the name it was called by.

    0: nothing would change, or done; 1: something would change; 2: bad input or usage; 3: an error of our own.
    """
    name = "kubectl hardener" if PurePath(program).stem == "kubectl-hardener" else "hardener"
    try:
        code = hardener.main(list(arguments), prog_name=name, standalone_mode=False)
    except click.Abort:
        return INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except HardenerError as error:
        for line in str(error).splitlines():
            click.echo(f"hardener: {line}", err=True)
        return error.exit_code
    # The last resort: a bug shall have the exit code of a bug, and no traceback that nobody asked for.
    except Exception as error:
        if os.environ.get(DEBUG):
            click.echo(traceback.format_exc(), err=True, nl=False)
        else:
            text = " ".join(str(error).split())
            click.echo(
                f"hardener: internal error: {type(error).__name__}: {text}; set {DEBUG}=1 for the traceback", err=True
            )
        return INTERNAL
    return code if isinstance(code, int) else 0
