"""Preview -> findings: what code-scanning pages and annotations show, each with its place in a file.

An edit of an enforcing policy is a warning, since pods will differ from what the file says; an edit of a dry-run and what
is held back are notes; a refused opt-out is an error, since its author counts on it. What an accepted opt-out or an
exemption settles is no finding.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hardener.admission.workload import remarks
from hardener.cli.judgement import Edit, Hold, Preview
from hardener.cli.output.places import Place, Places
from hardener.cli.output.rules import OPT_OUTS, REMARKS
from hardener.cli.output.sarif import Level
from hardener.model import Container, Mode, OptOut, Path, Pod
from hardener.policy.opt_out import CONTAINER_PREFIX, OPT_OUT
from hardener.wording import DRY_RUN, HELD_BACK, THE_POD, Topic, describe_at, edit_path, problems

_VERBS = {"set": "would set", "append": "would add to", "remove": "would remove"}

_REMARKS: dict[Topic, tuple[str, Level]] = {
    Topic.DOUBT: (REMARKS, "note"),
    Topic.NOTE: (REMARKS, "warning"),
    Topic.ENDING: (OPT_OUTS, "note"),
}
"""What is said beside the decisions, to the rule that says it; the other topics are findings of their own, or none."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know about an object.

    `subject` is the container's name, or `the pod`; `about` is what the finding says of it, without naming the subject,
    and `text` the whole sentence. `key` tells it from the object's other findings, and holds no line.
    """

    rule: str
    level: Level
    subject: str
    about: str
    text: str
    place: Place
    key: str


def findings(preview: Preview, places: Places) -> Iterator[Finding]:
    """All findings about one object, in the order of the diff."""
    for edit in preview.edits:
        yield _of_edit(preview, edit, places)
    for hold in preview.holds:
        yield _of_hold(preview, hold, places)
    yield from _of_refusals(preview, places)
    for topic, text in remarks(preview.judgement):
        if topic in _REMARKS:
            rule, level = _REMARKS[topic]
            place = places.place(preview.manifest, (*preview.judgement.template, "metadata"))
            yield Finding(rule, level, THE_POD, text, text, place, f"{topic}/{text}")


def _of_edit(preview: Preview, edit: Edit, places: Places) -> Finding:
    dry_run = edit.mode is Mode.DRY_RUN
    subject, write = describe_at(edit.write.at), edit.write
    says = f"{f'{DRY_RUN} ' if dry_run else ''}{_VERBS[write.how]} {edit_path(write)}"
    return Finding(
        edit.control,
        "note" if dry_run else "warning",
        subject,
        f"{says}: {write.reason}",
        f"{says} on {subject}: {write.reason}",
        places.place(preview.manifest, preview.path_of(write)),
        f"{_whole(write.at)}/{write.how}/{edit_path(write)}",
    )


def _of_hold(preview: Preview, hold: Hold, places: Places) -> Finding:
    subject, skip = describe_at(hold.skip.at), hold.skip
    return Finding(
        hold.control,
        "note",
        subject,
        f"{HELD_BACK}: {skip.reason}",
        f"{HELD_BACK} {hold.control} on {subject}: {skip.reason}",
        places.place(preview.manifest, _path(preview, skip.at)),
        f"{_whole(skip.at)}/{HELD_BACK}",
    )


def _of_refusals(preview: Preview, places: Places) -> Iterator[Finding]:
    refused = [opt_out for opt_out in preview.outcome.opt_outs if not opt_out.accepted]
    said = [text for topic, text in problems(preview.outcome) if topic is Topic.REFUSED]
    for opt_out, text in zip(refused, said, strict=True):
        key = _annotation(opt_out)
        path = (*preview.judgement.template, "metadata", "annotations", key)
        place = places.place(preview.manifest, path)
        subject = THE_POD if opt_out.container is None else opt_out.container
        yield Finding(OPT_OUTS, "error", subject, text, text, place, f"{key}/{opt_out.control}")


def _annotation(opt_out: OptOut) -> str:
    return OPT_OUT if opt_out.container is None else f"{CONTAINER_PREFIX}{opt_out.container}"


def _path(preview: Preview, at: Pod | Container) -> Path:
    """Where a container, or the pod's spec, stands in the object."""
    where = (at.field, at.index) if isinstance(at, Container) else ()
    return (*preview.judgement.template, "spec", *where)


def _whole(at: Pod | Container) -> str:
    """A container by its list and name; its position may change."""
    return f"{at.field}/{at.name}" if isinstance(at, Container) else THE_POD
