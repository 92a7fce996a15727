"""Object in a file -> Preview: what the webhook would do to it, and where that stands in the file."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from hardener.admission.workload import Judgement, metadata_text
from hardener.admission.workload import judge as judge_object
from hardener.cli.manifests.documents import Json, Manifest
from hardener.errors import ManifestError, MisfitError, place
from hardener.model import Container, Facts, Mode, Outcome, Path, Skip, Write
from hardener.model.workloads import template_paths
from hardener.patch import Operation, apply_patch, render
from hardener.policy.config import Config
from hardener.policy.policy import Policy

FactsOf = Callable[[str], Facts]
"""The facts of a namespace, by its name."""

SHOWN = (Mode.ENFORCE, Mode.DRY_RUN)
"""Preview says what the policy says, enforced or not (design.md 5)."""


class Edit(NamedTuple):
    """One write, with the control that made it and how far that control goes."""

    control: str
    mode: Mode
    write: Write


class Hold(NamedTuple):
    """One skip, with the control that made it."""

    control: str
    skip: Skip


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of the pods of one template; `at` says of which one, where its object holds several."""

    manifest: Manifest
    judgement: Judgement
    at: str = ""

    @property
    def policy(self) -> Policy:
        return self.judgement.selection.policy

    @property
    def outcome(self) -> Outcome:
        return self.judgement.outcome

    @property
    def edits(self) -> list[Edit]:
        return [Edit(v.control, v.mode, write) for v in self.outcome.verdicts for write in v.writes]

    @property
    def holds(self) -> list[Hold]:
        return [Hold(verdict.control, skip) for verdict in self.outcome.verdicts for skip in verdict.skips]

    @property
    def title(self) -> str:
        judgement = self.judgement
        at = f" {self.at}" if self.at else ""
        return f"{judgement.kind} {judgement.namespace}/{judgement.name or '(unnamed)'}{at}"

    def patch(self) -> list[Operation]:
        """The operations that apply to the document that holds the object."""
        return self._operations((*self.manifest.root, *self.judgement.template))

    def hardened(self) -> Json:
        """The object as it would be; the object itself stays as it is."""
        return apply_patch(self.manifest.value, self._operations(self.judgement.template))

    def _operations(self, root: Path) -> list[Operation]:
        return render(self.outcome.writes(*SHOWN), root)

    def path_of(self, write: Write) -> Path:
        """Where a write goes, from the object."""
        at = write.at
        where = ("spec", at.field, at.index) if isinstance(at, Container) else ()
        return (*self.judgement.template, *where, *write.path)


def judge(manifest: Manifest, config: Config, namespace: str, facts: FactsOf, today: date) -> list[Preview] | None:
    """Decide as the webhook would, template by template; None for a kind that holds no pod.

    `namespace` is for objects that name none. Raises ManifestError, with the line, where the object is not shaped as the
    API server wants it.
    """
    value = manifest.value
    try:
        templates = template_paths(value, manifest.api_version, manifest.kind, config.templates)
        if templates is None:
            return None
        where = metadata_text(value, "namespace") or namespace
        return [
            Preview(
                manifest,
                judge_object(value, manifest.kind, template, where, config, facts(where), today),
                place(template) if len(templates) > 1 else "",
            )
            for template in templates
        ]
    except MisfitError as misfit:
        problem = manifest.document.problem_at((*manifest.root, *misfit.path), misfit.message)
        raise ManifestError(problem) from misfit
