"""The formats of preview: each shows one document after the other, and may have something to say at the end."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec
from rich import box
from rich.table import Table
from rich.text import Text

from hardener.cli.judgement import Preview, apply_patch
from hardener.cli.manifests.documents import Document
from hardener.cli.manifests.kubernetes_yaml import dump
from hardener.cli.output import diff
from hardener.cli.terminal import console
from hardener.model import Container, Mode, Pod
from hardener.wording import HELD_BACK, THE_POD, describe_at, edit_path, held_back, one_line


class Format(Protocol):
    """Text for one document with the previews of its objects, and text for the end."""

    for_people: bool
    """Whether a summary belongs beside it."""

    def show(self, document: Document, previews: Sequence[Preview]) -> str: ...

    def end(self) -> str: ...


class Diff:
    """What `kubectl diff` would show, with reasons."""

    for_people = True

    def show(self, document: Document, previews: Sequence[Preview]) -> str:  # noqa: ARG002  the protocol's signature
        return "".join(f"{line}\n" for preview in previews for line in diff.render(preview))

    def end(self) -> str:
        return ""


class Overview:
    """One row for each object."""

    for_people = True

    def __init__(self, color: bool) -> None:
        self._color = color
        self._table = Table(box=box.SIMPLE_HEAD)
        for heading in ("object", "policy", "changes", "held back", "opt-outs"):
            self._table.add_column(heading, overflow="fold")

    def show(self, document: Document, previews: Sequence[Preview]) -> str:
        for preview in previews:
            verdicts = [_with_places(preview, mode) for mode in (Mode.ENFORCE, Mode.DRY_RUN)]
            decided = [f"{line} ({'accepted' if accepted else 'refused'})" for accepted, line in _words(preview)]
            self._table.add_row(
                Text(f"{one_line(preview.title)}\n{one_line(document.file)}"),
                Text(preview.policy.name),
                Text("\n".join([*verdicts[0], *(f"dry-run: {line}" for line in verdicts[1])]), style="green"),
                Text("\n".join(_holds(preview)), style="magenta"),
                Text("\n".join(decided)),
            )
        return ""

    def end(self) -> str:
        output = console(self._color)
        with output.capture() as capture:
            output.print(self._table)
        return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def _holds(preview: Preview) -> list[str]:
    return [one_line(text.removeprefix(f"{HELD_BACK} ")) for _, text in held_back(preview.outcome)]


def _with_places(preview: Preview, mode: Mode) -> list[str]:
    places: dict[str, dict[str, None]] = {}
    for edit in preview.edits:
        if edit.mode is mode:
            places.setdefault(edit.control, {})[describe_at(edit.write.at)] = None
    return [one_line(f"{control} ({', '.join(names)})") for control, names in places.items()]


def _words(preview: Preview) -> list[tuple[bool, str]]:
    return [
        (
            opt_out.accepted,
            one_line(f"{opt_out.control} ({THE_POD if opt_out.container is None else opt_out.container})"),
        )
        for opt_out in preview.outcome.opt_outs
    ]


class Json:
    """One array, an entry for each object (design.md 5)."""

    for_people = False

    def __init__(self) -> None:
        self._entries: list[dict[str, object]] = []

    def show(self, document: Document, previews: Sequence[Preview]) -> str:
        self._entries += [entry(document, preview) for preview in previews]
        return ""

    def end(self) -> str:
        return msgspec.json.format(msgspec.json.encode(self._entries), indent=2).decode() + "\n"


def entry(document: Document, preview: Preview) -> dict[str, object]:
    """What other programs learn about one object; `container` is null where the pod as a whole is meant."""
    return {
        "file": document.file,
        "kind": preview.manifest.kind,
        "namespace": preview.judgement.namespace,
        "name": preview.judgement.name,
        "policy": preview.policy.name,
        "edits": [
            {
                "control": edit.control,
                "mode": edit.mode.value,
                "container": _container(edit.write.at),
                "op": edit.write.how,
                "path": edit_path(edit.write),
                "value": edit.write.value,
                "reason": edit.write.reason,
            }
            for edit in preview.edits
        ],
        "skips": [
            {"control": control, "container": _container(skip.at), "reason": skip.reason}
            for control, skip in preview.holds
        ],
        "optOuts": [
            {
                "control": opt_out.control,
                "container": opt_out.container,
                "accepted": opt_out.accepted,
                "cause": opt_out.cause.value,
                "endsSoon": opt_out.ends_soon,
            }
            for opt_out in preview.outcome.opt_outs
        ],
        "exempt": [{"container": _container(exempt.at), "line": exempt.key} for exempt in preview.outcome.exempt],
        "patch": preview.patch(),
    }


def _container(at: Pod | Container) -> str | None:
    return at.name if isinstance(at, Container) else None


class Patch:
    """One RFC 6902 array a line for each object that holds a pod; it applies to the object's document."""

    for_people = False

    def show(self, document: Document, previews: Sequence[Preview]) -> str:  # noqa: ARG002  the protocol's signature
        return "".join(msgspec.json.encode(preview.patch()).decode() + "\n" for preview in previews)

    def end(self) -> str:
        return ""


class Yaml:
    """All documents as they would be: what nothing changes, or nobody can read, comes out as it came in."""

    for_people = False

    def __init__(self) -> None:
        self._file = ""
        self._at_line_start = True

    def show(self, document: Document, previews: Sequence[Preview]) -> str:
        operations = [operation for preview in previews for operation in preview.patch()]
        text = document.text
        if operations:
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

    def end(self) -> str:
        return ""


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


FORMATS: Mapping[str, Callable[[bool], Format]] = {
    "diff": lambda _: Diff(),
    "table": Overview,
    "json": lambda _: Json(),
    "yaml": lambda _: Yaml(),
    "patch": lambda _: Patch(),
}
"""Name to format; the argument says whether colours are wanted."""
