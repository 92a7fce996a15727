"""Report -> one HTML file that stands for itself: it loads nothing, and shows everything without its script as well.

Its Content-Security-Policy allows the style and the script that stand in it, by their hashes, and nothing else: a text
that came through unescaped would still do nothing. The same report gives the same bytes.
"""

import base64
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

from hardener.cli.reports.parts import css_class
from hardener.cli.reports.sections import sections
from hardener.controls import CATALOGUE
from hardener.model import Mode
from hardener.pss import Level
from hardener.report.report import Report, State
from hardener.wording import THE_POD, one_line

if TYPE_CHECKING:
    from jinja2 import Template

TEXT_LENGTH = 400
"""Characters of one text; an annotation could hold 262,144."""


def page(report: Report) -> str:
    """The whole file, to be encoded as UTF-8."""
    style, script = _source("page.css"), _source("page.js")
    return (
        _template()
        .render(
            report=report,
            sections=sections(report),
            style=style,
            script=script,
            style_hash=_content_hash(style),
            script_hash=_content_hash(script),
        )
        .lstrip()
    )


def _source(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _content_hash(text: str) -> str:
    """As a Content-Security-Policy names what may stand in the page."""
    return f"sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}"


@cache
def _template() -> "Template":
    # Whoever asks for another format does not wait for this import.
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415  see above

    environment = Environment(
        autoescape=True, finalize=_printable, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"counted": _counted, "number": _number, "css": css_class, "utc": _utc}
    environment.globals |= {"State": State, "Level": Level, "Mode": Mode, "THE_POD": THE_POD, "catalogue": CATALOGUE}
    return environment.from_string(_source("page.html"))


def _printable(value: object) -> object:
    """Take control characters, and those that turn the direction of writing, out of every text that is put in."""
    # What is marked as HTML was made of such texts, and has lines of its own.
    return one_line(value, TEXT_LENGTH) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _number(value: int) -> str:
    return f"{value:,}"


def _counted(value: int, noun: str) -> str:
    """`1 pod`, `2,000 pods`."""
    return f"{value:,} {noun}{'' if value == 1 else 's'}"


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
