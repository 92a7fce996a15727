"""`hardener completion`: what lets a shell, or kubectl, complete commands, options and names."""

import sys
from collections.abc import Sequence

import click
from click.shell_completion import CompletionItem, ShellComplete, get_completion_class

PROGRAM = "hardener"
VARIABLE = "_HARDENER_COMPLETE"
"""By which click is asked for completions instead of being run."""

SHELLS = ("bash", "zsh", "fish")

FILES = 0
NO_FILES = 4
"""What kubectl does beside our words: cobra's ShellCompDirectiveDefault and ShellCompDirectiveNoFileComp."""


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what lets a shell complete commands, options and names.

    \b
    bash: eval "$(hardener completion bash)"      in ~/.bashrc
    zsh:  eval "$(hardener completion zsh)"       in ~/.zshrc, after compinit
    fish: hardener completion fish > ~/.config/fish/completions/hardener.fish

    For `kubectl hardener`, kubectl's own completion asks the program kubectl_complete-hardener, which is installed too.

    Exit code 0: printed; 2: there is no such shell.
    """  # noqa: D301  click's mark of lines that are to be kept is this very character
    completer = get_completion_class(shell)
    if completer is None:
        raise TypeError(f"click does not know {shell}")
    # Not `source()`, which runs a shell to ask for its version.
    template = completer(ctx.find_root().command, {}, PROGRAM, VARIABLE)
    click.echo(template.source_template % template.source_vars())


def plugin(arguments: Sequence[str] | None = None) -> None:
    """Complete for kubectl: the words typed after `kubectl hardener` come as arguments, the last one unfinished.

    Prints a completion a line, with its meaning after a tab, and at last what kubectl is to do about files
    (kubernetes/kubernetes issue 74178, cobra's `__complete`).
    """
    from hardener.cli import hardener  # noqa: PLC0415  the group imports this module when it is asked for a command

    *typed, unfinished = list(sys.argv[1:] if arguments is None else arguments) or [""]
    found = ShellComplete(hardener, {}, PROGRAM, VARIABLE).get_completions(typed, unfinished)
    for item in found:
        if item.type == "plain":
            click.echo(_line(item))
    click.echo(f":{NO_FILES if all(item.type == 'plain' for item in found) else FILES}")


def _line(item: CompletionItem) -> str:
    return f"{item.value}\t{item.help}" if item.help else str(item.value)
