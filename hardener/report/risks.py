"""Risks: the changes that a workload may not bear, each with what points to it.

What an image needs shows only once it runs, so that all of this is likelihood: a change without a risk may break a
workload too, and many with one do not.
"""

from collections.abc import Iterator, Mapping, Sequence

from hardener.model import Container, Outcome, Pod, Verdict, Write
from hardener.model.pod import APPLIED
from hardener.report.report import Risk
from hardener.report.rules import RULES, Case, Json, rows
from hardener.report.signs import NO_SIGN, Signs, Trouble
from hardener.wording import describe_at, one_line

CAUSES: Mapping[Trouble, str] = {
    Trouble.USER: "runAsNonRoot",
    Trouble.READ_ONLY: "readOnlyRootFilesystem",
    Trouble.MISSING_FILE: "readOnlyRootFilesystem",
    Trouble.NOT_PERMITTED: "capabilities",
    Trouble.MEMORY: "resources",
}
"""The control that most likely stands behind a trouble of a pod that has it."""


def risks(spec: object, pod: Pod, outcome: Outcome, signs: Signs) -> tuple[Risk, ...]:
    """The risks of what an outcome would change, and the controls that seem to have broken the pod already."""
    return tuple(dict.fromkeys((*_broken(pod, outcome, signs), *_foreseen(spec, pod, outcome, signs))))


def _foreseen(spec: object, pod: Pod, outcome: Outcome, signs: Signs) -> Iterator[Risk]:
    given: Json = spec if isinstance(spec, Mapping) else {}
    for verdict in outcome.verdicts:
        for container, writes in _by_container(pod, verdict):
            found = rows(given, container.field)
            raw = found[container.index] if container.index < len(found) else {}
            case = Case(given, raw, container, writes, signs.get(container.name, NO_SIGN))
            for rule in RULES.get(verdict.control, ()):
                if reason := rule(case):
                    yield Risk(verdict.control, one_line(describe_at(container)), one_line(reason))


def _broken(pod: Pod, outcome: Outcome, signs: Signs) -> Iterator[Risk]:
    """Troubles of a pod on which one of our annotations says that the likely cause was applied, and which still is."""
    applied = (pod.annotations.get(APPLIED) or "").split(",")
    changed = {verdict.control for verdict in outcome.verdicts if verdict.writes}
    for name, sign in signs.items():
        for trouble in sign.troubles:
            control = CAUSES[trouble]
            if control in applied and control not in changed:
                reason = f"{trouble.value}: {control}, which the pod has, is the likely cause"
                yield Risk(control, one_line(name), reason)


def _by_container(pod: Pod, verdict: Verdict) -> Iterator[tuple[Container, Sequence[Write]]]:
    """What a control would write into each container; where it changes only the pod, that concerns all of them."""
    own = [write for write in verdict.writes if isinstance(write.at, Container) and write.how != "remove"]
    if verdict.writes and not own:
        yield from ((container, verdict.writes) for container in pod.containers)
    for container in pod.containers:
        if writes := [write for write in own if write.at is container]:
            yield container, writes
