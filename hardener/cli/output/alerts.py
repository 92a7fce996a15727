"""`-o sarif`: findings for code-scanning pages."""

from hardener.cli.judgement import Preview
from hardener.cli.manifests.sources import STDIN_NAME
from hardener.cli.output.findings import findings
from hardener.cli.output.formats import Format
from hardener.cli.output.places import Places, in_repository, origin
from hardener.cli.output.sarif import Notification, Result, sarif_log
from hardener.cli.output.tally import Judged, Tally
from hardener.wording import THE_POD, failure


class Alerts(Format):
    """One SARIF log: a result for each edit, hold and refused opt-out, a notification for what could not be read."""

    def __init__(self) -> None:
        self._results: list[Result] = []
        self._notifications: list[Notification] = []

    def show(self, judged: Judged) -> str:
        places = Places(judged.document)
        for preview in judged.previews:
            self._results += results(preview, places)
            file = places.place(preview.manifest, ()).file
            for verdict in preview.outcome.errors:
                text = f"{preview.title}: {failure(verdict)}: {type(verdict.error).__name__}"
                self._notifications.append(Notification(text, "error", file))
        for problem in judged.problems:
            file = None if problem.file == STDIN_NAME else problem.file
            text = f"{problem.key}: {problem.message}" if problem.key else problem.message
            self._notifications.append(Notification(text, "error", file, problem.line if file else 0))
        return ""

    def end(self, tally: Tally) -> str:  # noqa: ARG002  the protocol's signature
        return sarif_log(self._results, self._notifications).decode()


def results(preview: Preview, places: Places) -> list[Result]:
    """The findings about one object as results."""
    judgement = preview.judgement
    name = judgement.name or "(unnamed)"
    about = f"{judgement.namespace}/{judgement.kind}/{name}"
    identity = f"{in_repository(origin(preview.manifest))}/{about}/{preview.at}"
    return [
        Result(
            finding.rule,
            finding.level,
            f"{preview.title}: {finding.text}",
            finding.place.file,
            finding.place.line,
            about if finding.subject == THE_POD else f"{about}/{finding.subject}",
            f"{identity}/{finding.key}",
        )
        for finding in findings(preview, places)
    ]
