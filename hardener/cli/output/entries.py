"""`-o json`: all about each object, for programs (design.md 5)."""

import msgspec

from hardener.cli.judgement import Preview
from hardener.cli.output.formats import Format
from hardener.cli.output.places import source
from hardener.cli.output.tally import Judged, Tally
from hardener.errors import place
from hardener.model import Container, Pod
from hardener.wording import edit_path


class Entries(Format):
    """One array, an entry for each pod template."""

    def __init__(self) -> None:
        self._entries: list[dict[str, object]] = []

    def show(self, judged: Judged) -> str:
        self._entries += [entry(preview) for preview in judged.previews]
        return ""

    def end(self, tally: Tally) -> str:  # noqa: ARG002  the protocol's signature
        return indented(self._entries)


def indented(value: object) -> str:
    """A value as JSON that people can read."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"


def entry(preview: Preview) -> dict[str, object]:
    """What other programs learn about one pod template.

    `container` is null where the pod as a whole is meant, and `source` where nothing names a file that the object was
    rendered from; `template` leads to the pod template, and is empty for a pod.
    """
    return {
        "file": preview.manifest.document.file,
        "source": source(preview.manifest) or None,
        "kind": preview.manifest.kind,
        "namespace": preview.judgement.namespace,
        "name": preview.judgement.name,
        "template": place(preview.judgement.template),
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
