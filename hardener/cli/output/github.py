"""`-o github`: findings as workflow commands, which GitHub shows as annotations beside the lines of a pull request.

How a command is written and escaped is that of the runner (actions/toolkit, packages/core/src/command.ts).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hardener.cli.judgement import Preview
from hardener.cli.manifests.sources import STDIN_NAME
from hardener.cli.output.findings import findings
from hardener.cli.output.formats import Format
from hardener.cli.output.places import Place, Places, in_repository
from hardener.cli.output.rules import OPT_OUTS, REMARKS
from hardener.cli.output.sarif import LEVELS, Level
from hardener.cli.output.tally import Judged, Tally
from hardener.errors import Problem
from hardener.wording import NAME, failure, one_line

ANNOTATIONS_LIMIT = 10
"""Annotations of one kind that GitHub shows of a step; it drops all others without a word."""

TITLE_LENGTH = 200
LINES_LIMIT = 40
LINE_LENGTH = 300
"""What one annotation says, so that it stays below the 64 KiB that GitHub takes."""

_COMMANDS: dict[Level, str] = {"error": "error", "warning": "warning", "note": "notice"}


@dataclass(frozen=True, slots=True)
class _Annotation:
    level: Level
    place: Place
    title: str
    lines: tuple[str, ...]

    def __str__(self) -> str:
        lines = [one_line(line, LINE_LENGTH) for line in self.lines]
        if len(lines) > LINES_LIMIT:
            lines = [*lines[: LINES_LIMIT - 1], f"and {len(lines) - LINES_LIMIT + 1} more"]
        properties = {"title": one_line(self.title, TITLE_LENGTH)}
        if self.place.file is not None:
            line = {"line": str(self.place.line)} if self.place.line else {}
            properties = {"file": in_repository(self.place.file), **line, **properties}
        return _command(_COMMANDS[self.level], properties, "\n".join(lines))


class Annotations(Format):
    """One annotation for each container, or pod, and level: as many as GitHub shows, the most important ones first.

    The last line counts everything; it is an annotation too where there are others.
    """

    def __init__(self) -> None:
        self._annotations: list[_Annotation] = []

    def show(self, judged: Judged) -> str:
        self._annotations += [_of_problem(problem) for problem in judged.problems]
        places = Places(judged.document)
        for preview in judged.previews:
            self._annotations += _of_preview(preview, places)
        return ""

    def end(self, tally: Tally) -> str:
        if not self._annotations:
            return f"{tally}\n"
        shown, hidden = [], 0
        for level in LEVELS:
            # Who has most to say comes first.
            found = sorted(
                (each for each in self._annotations if each.level == level), key=lambda each: -len(each.lines)
            )
            limit = ANNOTATIONS_LIMIT - (level == "note")  # one is the summary
            shown += found[:limit]
            hidden += len(found[limit:])
        more = f"; {hidden} more annotations are left out: `{NAME} preview` shows all" if hidden else ""
        summary = _command("notice", {"title": f"{NAME} preview"}, f"{tally}{more}")
        return "".join(f"{line}\n" for line in (*shown, summary))


def _of_problem(problem: Problem) -> _Annotation:
    place = Place(None, 0) if problem.file == STDIN_NAME else Place(problem.file, problem.line)
    text = f"{problem.key}: {problem.message}" if problem.key else problem.message
    return _Annotation("error", place, f"{NAME} could not judge this", (text,))


def _of_preview(preview: Preview, places: Places) -> Iterator[_Annotation]:
    grouped: dict[tuple[Level, str], tuple[list[Place], dict[str, None]]] = {}
    for finding in findings(preview, places):
        found, lines = grouped.setdefault((finding.level, finding.subject), ([], {}))
        found.append(finding.place)
        rule = "" if finding.rule in (OPT_OUTS, REMARKS) else f"{finding.rule}: "
        lines[f"{rule}{finding.about}"] = None
    for (level, subject), (found, lines) in grouped.items():
        place = min(found, key=lambda each: each.line)
        yield _Annotation(level, place, f"{NAME}: {preview.title}, {subject}", tuple(lines))
    failures = tuple(failure(verdict) for verdict in preview.outcome.errors)
    if failures:
        yield _Annotation("error", places.place(preview.manifest, ()), f"{NAME}: {preview.title}", failures)


def _command(name: str, properties: dict[str, str], message: str) -> str:
    written = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {written}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
