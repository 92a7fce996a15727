"""`-o yaml`: the manifests as they would be."""

import json

from hardener.cli.manifests.editing import edited
from hardener.cli.manifests.kubernetes_yaml import dump
from hardener.cli.output.formats import Format
from hardener.cli.output.tally import Judged
from hardener.errors import EditError
from hardener.patch import apply_patch


class Hardened(Format):
    """All documents as they would be, in their authors' text; what nothing changes, or nobody can read, as it came in."""

    def __init__(self) -> None:
        self._file = ""
        self._at_line_start = True

    def show(self, judged: Judged) -> str:
        document = judged.document
        operations = [operation for preview in judged.previews for operation in preview.patch()]
        text = document.text
        if operations:
            try:
                text = edited(document, operations)
            except EditError:
                value = apply_patch(document.value, operations)
                text = _opening(text) + (f"{json.dumps(value, indent=2)}\n" if document.is_json else dump(value))
        if document.file != self._file and self._file:
            text = self._separated(text)
        if text:
            self._file = document.file
            self._at_line_start = text.endswith("\n")
        return text

    def _separated(self, text: str) -> str:
        """Begin another file in the same stream."""
        marker = "" if not text or text.startswith("---") else "---\n"
        return ("" if self._at_line_start or not text else "\n") + marker + text


def _opening(text: str) -> str:
    """The marker and the comments above a document's content, which tell where Helm made it from."""
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        words = line.strip()
        if words.startswith("---") and words != "---" and not words.removeprefix("---").lstrip().startswith("#"):
            return "".join([*lines, "---\n"])
        if words and not words.startswith(("#", "%")) and not words.startswith("---"):
            break
        lines.append(line)
    return "".join(lines)
