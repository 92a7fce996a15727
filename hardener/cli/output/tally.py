"""What preview has found: of one document, and in all."""

from collections.abc import Sequence
from dataclasses import dataclass

from hardener.cli.judgement import Preview
from hardener.cli.manifests.documents import Document
from hardener.errors import BAD_INPUT, INTERNAL, WOULD_CHANGE, Problem
from hardener.model import Mode


@dataclass(frozen=True, slots=True)
class Judged:
    """One document with the previews of its objects, and what is wrong with it or with some of them.

    `missing` is what the cluster that was asked about them did not tell.
    """

    document: Document
    previews: Sequence[Preview]
    problems: Sequence[Problem]
    missing: Sequence[str] = ()


@dataclass(slots=True)
class Tally:
    """What was seen so far; it decides the exit code."""

    objects: int = 0
    others: int = 0
    changed: int = 0
    dry_run_only: int = 0
    held: int = 0
    problems: int = 0
    errors: int = 0

    def count(self, previews: Sequence[Preview]) -> None:
        """Count one object, whatever number of templates it holds."""
        edits = [edit for preview in previews for edit in preview.edits]
        self.objects += bool(previews)
        self.others += not previews
        self.changed += bool(edits)
        self.dry_run_only += bool(edits) and all(edit.mode is Mode.DRY_RUN for edit in edits)
        self.held += sum(len(preview.holds) for preview in previews)
        self.errors += sum(len(preview.outcome.errors) for preview in previews)

    @property
    def exit_code(self) -> int:
        if self.errors:
            return INTERNAL
        if self.problems:
            return BAD_INPUT
        return WOULD_CHANGE if self.changed else 0

    def __str__(self) -> str:
        dry_run = f" ({self.dry_run_only} in dry-run only)" if self.dry_run_only else ""
        others = f"; {self.others} of other kinds" if self.others else ""
        unread = f"; {self.problems} could not be read" if self.problems else ""
        return (
            f"{self.objects} {'object' if self.objects == 1 else 'objects'}, {self.changed} would change{dry_run}, "
            f"{self.held} held back{others}{unread}"
        )
