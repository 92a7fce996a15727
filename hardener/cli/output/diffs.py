"""`-o diff`: what `kubectl diff` would show, with reasons."""

from hardener.cli.output.diff import Sheet
from hardener.cli.output.formats import Format
from hardener.cli.output.tally import Judged


class Sheets:
    """The sheets of one document after the other: each knows how many lines those before it in its file have gained."""

    def __init__(self, *, to_show: bool = True) -> None:
        self._to_show = to_show
        self._file = ""
        self._shift = 0

    def of(self, judged: Judged) -> Sheet:
        """The sheet of the next document."""
        if judged.document.file != self._file:
            self._file, self._shift = judged.document.file, 0
        sheet = Sheet(judged.document, judged.previews, self._shift, to_show=self._to_show)
        self._shift += sheet.growth
        return sheet


class Diffs(Format):
    """One object after the other, as soon as it is judged."""

    for_people = True

    def __init__(self) -> None:
        self._sheets = Sheets()

    def show(self, judged: Judged) -> str:
        sheet = self._sheets.of(judged)
        return "".join(f"{line}\n" for index in range(len(judged.previews)) for line in sheet.render(index))
