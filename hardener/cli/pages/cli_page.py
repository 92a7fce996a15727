"""docs/cli.md: every command with its arguments, options and exit codes, as click knows them."""

import inspect
import re
from collections.abc import Iterator

import click

from hardener.cli.pages.markdown import code, escaped, table

GENERATED = "<!-- Generated from the commands' own help by `make generate`: change that, not this. -->"

_INTRODUCTION = """\
`kubectl hardener` is the same program, called as a plugin of kubectl. `hardener COMMAND --help` shows on a terminal what
stands here; `hardener completion bash|zsh|fish` prints what lets a shell complete commands, options and names.

Every option can be given as an environment variable as well. Colours are used on a terminal only, and not where `NO_COLOR` is
set; `--color` says otherwise. `HARDENER_DEBUG=1` adds the traceback to an internal error."""

_AS_IT_STANDS = "\b\n"
"""How click knows a paragraph whose lines are to be kept."""

_WORD = re.compile(r"(?<![`\w])(--[a-z][a-z-]+|[A-Z]{2,}(?:_[A-Z]+)*/[A-Z]+)(?![`\w])")


def cli_page(root: click.Context) -> Iterator[str]:
    """The page, line by line; `root` is the context of the whole program."""
    yield from ("# The command line", "", GENERATED, "", _INTRODUCTION)
    for context in _commands(root):
        yield from ("", *_section(context))


def _commands(context: click.Context) -> Iterator[click.Context]:
    """The commands below a context, groups before what they hold."""
    group = context.command
    for name in group.list_commands(context) if isinstance(group, click.Group) else ():
        command = group.get_command(context, name) if isinstance(group, click.Group) else None
        if command is not None and not command.hidden:
            below = click.Context(command, info_name=name, parent=context)
            yield below
            yield from _commands(below)


def _section(context: click.Context) -> Iterator[str]:
    command = context.command
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"## {context.command_path}"
    yield ""
    yield code(f"{context.command_path} {usage}")
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        yield ""
        if paragraph.startswith(_AS_IT_STANDS):
            yield from ("```text", *paragraph.splitlines()[1:], "```")
        else:
            yield _marked(" ".join(paragraph.split()))
    options = [parameter for parameter in command.get_params(context) if isinstance(parameter, click.Option)]
    rows = [_row(option, context) for option in options if "--help" not in option.opts]
    if rows:
        yield ""
        yield from table(("option", "default", "meaning"), rows)


def _row(option: click.Option, context: click.Context) -> tuple[str, str, str]:
    names = " ".join(map(code, option.opts))
    values = "" if option.is_flag else f" {code(option.make_metavar(context))}"
    return f"{names}{values}", _default(option, context), _marked(option.help or "")


def _default(option: click.Option, context: click.Context) -> str:
    if isinstance(option.show_default, str):
        return escaped(option.show_default)
    default = option.get_default(context, call=False)
    if not option.show_default or default is None or callable(default):
        return ""
    return code(str(default))


def _marked(text: str) -> str:
    """A sentence of the help, with what is typed as it stands set off."""
    return _WORD.sub(r"`\1`", escaped(text))
