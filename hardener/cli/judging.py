"""How preview and fix decide on the objects of a document, and the options that say how."""

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache, reduce, wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click
import msgspec

from hardener.cli.judgement import FactsOf, Preview, judge
from hardener.cli.labels import labels_option
from hardener.cli.live import config_from_option, live_config, live_facts, one_configuration
from hardener.cli.manifests.documents import Document, manifests
from hardener.cli.output.tally import Judged, Tally
from hardener.errors import ManifestError, Problem
from hardener.model import UNKNOWN, Facts
from hardener.policy.config import Config
from hardener.policy.namespaces import Labels
from hardener.policy.reading import embedded_config, load_config
from hardener.wording import failure

Command = TypeVar("Command", bound=Callable[..., Any])

COLLECTION_THRESHOLD = 50_000
"""Objects between two searches for garbage: the nodes of a document are many, and in no cycles."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the shared options say about where the configuration and the facts come from."""

    namespace: str
    label: Labels | None
    config: Path | None
    config_from: tuple[str, str] | None
    kubeconfig: Path | None

    def judging(self, controls: frozenset[str] | None = None) -> "Judging":
        """Read the configuration, and the facts where a cluster is named. Raises what these raise."""
        one_configuration(self.config, self.config_from)
        if self.label is not None and self.kubeconfig is not None:
            raise click.UsageError("with --kubeconfig the labels are those of the cluster: leave out --label")
        missing: list[str] = []
        facts = self._facts(missing)
        return Judging(self._config(), self.namespace, facts, datetime.now(UTC).date(), controls, missing)

    def _config(self) -> Config:
        if self.config_from is not None:
            return live_config(self.kubeconfig, self.config_from)
        return load_config(self.config) if self.config else embedded_config()

    def _facts(self, missing: list[str]) -> FactsOf:
        """The facts of a namespace, asked for once, when its first object comes: rights in it are enough."""
        if self.kubeconfig is None:
            facts = Facts(labels=self.label)
            return lambda _: facts

        @cache
        def ask(namespace: str) -> Facts:
            known, problems = live_facts(self.kubeconfig, [namespace])
            # One that is not there yet is no mistake: manifests come before it.
            missing.extend(problems if namespace in known else ())
            return known.get(namespace, UNKNOWN)

        return ask


def judging_options(command: Command) -> Command:
    """`--namespace`, `--label`, `--config`, `--config-from` and `--kubeconfig`, which the command gets as its `choices`."""

    @wraps(command)
    def chosen(
        *arguments: object,
        namespace: str,
        label: Labels | None,
        config: Path | None,
        config_from: tuple[str, str] | None,
        kubeconfig: Path | None,
        **others: object,
    ) -> object:
        choices = Choices(namespace, label, config, config_from, kubeconfig)
        return command(*arguments, choices=choices, **others)

    options = (
        click.option(
            "-n",
            "--namespace",
            default="default",
            show_default=True,
            help="The namespace of objects that name none.",
        ),
        labels_option,
        click.option(
            "--config",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="The configuration; without it, the built-in default.",
        ),
        config_from_option,
        click.option(
            "--kubeconfig",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Ask this cluster, by the file's current context, for the labels, LimitRanges, quotas and service accounts "
            "of namespaces; without it, none are known.",
        ),
    )
    return cast("Command", reduce(lambda given, option: option(given), reversed(options), chosen))


@dataclass(frozen=True, slots=True)
class Judging:
    """What decides on objects; `namespace` is for those that name none, and None in `controls` stands for all.

    `missing` is what a cluster did not tell of its facts so far.
    """

    config: Config
    namespace: str
    facts: FactsOf
    today: date
    controls: frozenset[str] | None = None
    missing: list[str] = field(default_factory=list)

    def judged(self, document: Document, tally: Tally) -> Judged:
        """Judge every object of a document; what is wrong with one costs nothing but itself."""
        previews: list[Preview] = []
        problems: list[Problem] = []
        asked = len(self.missing)
        for item in manifests(document):
            try:
                found = (
                    item
                    if isinstance(item, Problem)
                    else judge(item, self.config, self.namespace, self.facts, self.today)
                )
            except ManifestError as error:
                found = error.problem
            if isinstance(found, Problem):
                tally.problems += 1
                problems.append(found)
            else:
                picked = [self._picked(each) for each in found or ()]
                tally.count(picked)
                previews += picked
        missing = self.missing[asked:]
        tally.problems += len(missing)
        return Judged(document, previews, problems, missing)

    def _picked(self, preview: Preview) -> Preview:
        if self.controls is None:
            return preview
        outcome = preview.outcome
        verdicts = tuple(verdict for verdict in outcome.verdicts if verdict.control in self.controls)
        return replace(
            preview, judgement=replace(preview.judgement, outcome=msgspec.structs.replace(outcome, verdicts=verdicts))
        )


def complaints(judged: Judged) -> Iterator[str]:
    """What is wrong with a document, or with us."""
    yield from map(str, judged.problems)
    yield from judged.missing
    yield from failures(judged)


def failures(judged: Judged) -> Iterator[str]:
    """The internal errors alone."""
    for each in judged.previews:
        for verdict in each.outcome.errors:
            yield f"{judged.document.file}: {each.title}: {failure(verdict)}: {verdict.error!r}"


def collect_seldom() -> None:
    """For a command that reads many manifests and ends."""
    gc.set_threshold(COLLECTION_THRESHOLD)
