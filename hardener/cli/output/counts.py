"""How many objects and containers each control would change, leaves alone and why, and how namespaces stand."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from hardener.cli.judgement import Preview
from hardener.cli.output.tally import Judged
from hardener.model import Container, Mode, Pod

Object = int
"""The number of an object, in the order in which they came."""


@dataclass(slots=True)
class Reach:
    """The objects and the containers that something concerns, each counted once."""

    objects: set[Object] = field(default_factory=set)
    containers: set[tuple[Object, str, str, int]] = field(default_factory=set)

    def add(self, number: Object, preview: Preview, at: Pod | Container) -> None:
        self.objects.add(number)
        if isinstance(at, Container):
            self.containers.add((number, preview.at, at.field, at.index))


@dataclass(slots=True)
class ControlCounts:
    """One control: what it would change, enforced or in dry-run, holds back, and what was opted out of."""

    enforced: Reach = field(default_factory=Reach)
    dry_run: Reach = field(default_factory=Reach)
    held: Reach = field(default_factory=Reach)
    opted_out: Reach = field(default_factory=Reach)


@dataclass(slots=True)
class NamespaceCounts:
    """One namespace under one policy: objects, and what was found of each sort."""

    objects: int = 0
    changed: int = 0
    dry_run_only: int = 0
    held: int = 0
    opted_out: int = 0
    refused: int = 0
    exempt: int = 0


class Counts:
    """The counts of all that was shown so far."""

    def __init__(self) -> None:
        self.controls: dict[str, ControlCounts] = {}
        self.namespaces: dict[tuple[str, str], NamespaceCounts] = {}
        self._number = 0

    def add(self, judged: Judged) -> None:
        """Count the objects of one document."""
        for _, previews in groupby(judged.previews, lambda preview: preview.manifest.root):
            self._number += 1
            self._add_object([*previews])

    def _add_object(self, previews: list[Preview]) -> None:
        first = previews[0]
        counts = self.namespaces.setdefault((first.judgement.namespace, first.policy.name), NamespaceCounts())
        modes = {edit.mode for preview in previews for edit in preview.edits}
        counts.objects += 1
        counts.changed += bool(modes)
        counts.dry_run_only += modes == {Mode.DRY_RUN}
        for preview in previews:
            outcome = preview.outcome
            counts.held += len(preview.holds)
            counts.opted_out += sum(opt_out.accepted for opt_out in outcome.opt_outs)
            counts.refused += sum(not opt_out.accepted for opt_out in outcome.opt_outs)
            counts.exempt += len(outcome.exempt)
            self._add_controls(preview)

    def _add_controls(self, preview: Preview) -> None:
        for verdict in preview.outcome.verdicts:
            counts = self.controls.setdefault(verdict.control, ControlCounts())
            changed = counts.dry_run if verdict.mode is Mode.DRY_RUN else counts.enforced
            for write in verdict.writes:
                changed.add(self._number, preview, write.at)
            for skip in verdict.skips:
                counts.held.add(self._number, preview, skip.at)
        for control, at in _opted_out(preview):
            self.controls.setdefault(control, ControlCounts()).opted_out.add(self._number, preview, at)


def _opted_out(preview: Preview) -> Iterator[tuple[str, Pod | Container]]:
    """Each control with each container that an accepted opt-out keeps from it, and with the pod for a whole one."""
    pod = preview.judgement.pod
    for opt_out in preview.outcome.opt_outs:
        if not opt_out.accepted:
            continue
        if opt_out.container is None:
            yield opt_out.control, pod
        for container in pod.containers:
            if opt_out.container in (None, container.name):
                yield opt_out.control, container
