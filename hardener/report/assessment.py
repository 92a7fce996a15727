"""Pod or template -> Finding: how it stands to its policy, by the same engine and wording as everything else. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

from hardener.admission.workload import Judgement, Object, judge, mapping_at
from hardener.controls import CATALOGUE
from hardener.model import Container, Facts, Mode, OptOut, Path, Pod, Verdict
from hardener.model.workloads import POD
from hardener.patch import apply_patch, render
from hardener.policy.config import Config
from hardener.policy.policy import Policy
from hardener.pss import Violation, stand
from hardener.report.report import Change, Finding, Held, State, Word
from hardener.report.risks import risks
from hardener.report.signs import signs
from hardener.wording import (
    NAME_LENGTH,
    WORD_LENGTH,
    describe_at,
    edit_path,
    exempted,
    failure,
    one_line,
    opt_out_cause,
)

POLICY_MODES = (Mode.ENFORCE, Mode.DRY_RUN)
"""A report says what the policy says, enforced or not (design.md 5)."""


class Owner(NamedTuple):
    """The uppermost owner of a pod, or the pod itself where it has none."""

    kind: str
    name: str


def assess_pod(pod: Object, owner: Owner, namespace: str, config: Config, facts: Facts, today: date) -> Finding:
    """Assess a pod as the API server has it: what that has put in itself is seen as admission sees it.

    The finding counts no pods and names no examples yet. Raises MisfitError where the pod is not shaped as the API server's are.
    """
    return _assess(pod, owner, (), namespace, config, facts, today, is_made=True)


def assess_template(
    workload: Object, owner: Owner, template: Path, namespace: str, config: Config, facts: Facts, today: date
) -> Finding:
    """Assess one template of a workload that has no pods. Raises MisfitError as above."""
    return _assess(workload, owner, template, namespace, config, facts, today, is_made=False)


def states(policy: Policy, judgement: Judgement, *, is_made: bool) -> dict[str, State]:
    """The state of every control of the catalogue; a pod that is not `is_made` yet will get what it lacks."""
    enabled = {each.control.name for each in policy.controls}
    verdicts = {verdict.control: verdict for verdict in judgement.outcome.verdicts}
    return {
        name: _state(name, verdicts.get(name), judgement, is_made=is_made) if name in enabled else State.OFF
        for name in CATALOGUE
    }


def _state(control: str, verdict: Verdict | None, judgement: Judgement, *, is_made: bool) -> State:
    outcome = judgement.outcome
    if outcome.is_exempt:
        return State.EXEMPT
    if verdict is None:
        return State.OPTED_OUT
    if verdict.writes:
        return State.UNHARDENED if is_made and verdict.mode is Mode.ENFORCE else State.WOULD_CHANGE
    if verdict.skips or verdict.error is not None:
        return State.HELD
    names = {container.name for container in judgement.pod.containers}
    if any(each.accepted and each.control == control and each.container in names for each in outcome.opt_outs):
        return State.OPTED_OUT
    return State.EXEMPT if outcome.exempt else State.IN_PLACE


def _assess(
    obj: Object,
    owner: Owner,
    template: Path,
    namespace: str,
    config: Config,
    facts: Facts,
    today: date,
    *,
    is_made: bool,
) -> Finding:
    judgement = judge(obj, POD if is_made else owner.kind, template, namespace, config, facts, today)
    outcome, policy = judgement.outcome, judgement.selection.policy
    pod = mapping_at(obj, template)
    now, hardened = stand(pod), stand(_hardened(pod, judgement))
    controls = states(policy, judgement, is_made=is_made)
    return Finding(
        kind=owner.kind,
        name=owner.name,
        pods=0,
        examples=(),
        state=State.worst(controls.values()),
        controls=controls,
        now=now.level,
        hardened=hardened.level,
        violations=_told(now.violations),
        remaining=_told(hardened.violations),
        changes=tuple(_changes(outcome.verdicts)),
        held=tuple(_held(outcome.verdicts)),
        opt_outs=tuple(map(_word, outcome.opt_outs)),
        exempt=tuple(one_line(text) for _, text in exempted(outcome)),
        risks=risks(pod.get("spec"), judgement.pod, outcome, signs(obj.get("status")) if is_made else {}),
        errors=tuple(one_line(f"{failure(verdict)}: {verdict.error!r}") for verdict in outcome.errors),
    )


def _changes(verdicts: Iterable[Verdict]) -> Iterable[Change]:
    return (
        Change(verdict.control, verdict.mode, _place(write.at), one_line(edit_path(write)), one_line(write.reason))
        for verdict in verdicts
        for write in verdict.writes
    )


def _held(verdicts: Iterable[Verdict]) -> Iterable[Held]:
    return (
        Held(verdict.control, _place(skip.at), one_line(skip.reason)) for verdict in verdicts for skip in verdict.skips
    )


def _word(opt_out: OptOut) -> Word:
    control, container = one_line(opt_out.control, WORD_LENGTH), one_line(opt_out.container or "", NAME_LENGTH)
    return Word(control, container, opt_out.cause, opt_out_cause(opt_out), opt_out.ends_soon)


def _hardened(pod: Object, judgement: Judgement) -> Mapping[str, object]:
    """The pod as it would be; the pod itself stays as it is."""
    operations = render(judgement.outcome.writes(*POLICY_MODES))
    return apply_patch(pod, operations) if operations else pod


def _place(at: Pod | Container) -> str:
    """A container's name; empty for the pod."""
    return one_line(describe_at(at), NAME_LENGTH) if isinstance(at, Container) else ""


def _told(violations: Iterable[Violation]) -> tuple[str, ...]:
    return tuple(one_line(f"{violation.check}: {violation.message}") for violation in violations)
