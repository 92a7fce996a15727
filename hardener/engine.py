"""harden(pod, policy, facts, today) -> Outcome: every decision about a pod, and nothing but decisions.

Pure: the day and the cluster's facts are arguments, the pod is never written to. The controls come to it inside the
policy, so that webhook, preview, fix and scan cannot decide apart.
"""

from collections.abc import Sequence
from datetime import date

from hardener.controls import CATALOGUE
from hardener.model import ON_WINDOWS, Container, Exempt, Facts, OptOut, Outcome, Pod, Skip, Verdict, Write
from hardener.policy.opt_out import decide
from hardener.policy.policy import Enabled, Policy

_NAMES = frozenset(CATALOGUE)


def harden(pod: Pod, policy: Policy, facts: Facts, today: date) -> Outcome:
    """Decide what the policy changes in the pod, and what it holds back and why.

    Raises nothing that a control raises: a failing control's verdict carries its error, and the others stand.
    """
    if not policy.controls:
        return Outcome()
    exempt = policy.exempt.find(pod) if policy.exempt is not None else ()
    if exempt and exempt[0].at is pod:
        return Outcome(exempt=exempt)
    opt_outs = decide(pod.annotations, policy.opt_out, _NAMES, today) if pod.annotations else ()
    accepted = [opt_out for opt_out in opt_outs if opt_out.accepted]
    others = _others(pod.containers, exempt) if exempt else pod.containers
    verdicts = []
    for enabled in policy.controls:
        containers = _left(others, enabled.control.name, accepted) if accepted else others
        if containers is not None:
            verdicts.append(_verdict(enabled, pod, containers, facts))
    return Outcome(tuple(verdicts), opt_outs, exempt)


def _others(containers: Sequence[Container], exempt: Sequence[Exempt]) -> Sequence[Container]:
    """The containers that are not exempt."""
    left_alone = {id(each.at) for each in exempt}
    return [container for container in containers if id(container) not in left_alone]


def _left(containers: Sequence[Container], control: str, accepted: Sequence[OptOut]) -> Sequence[Container] | None:
    """The containers that did not opt out of the control, or None where the pod as a whole did."""
    out = {opt_out.container for opt_out in accepted if opt_out.control == control}
    if None in out:
        return None
    return [container for container in containers if container.name not in out] if out else containers


def _verdict(enabled: Enabled, pod: Pod, containers: Sequence[Container], facts: Facts) -> Verdict:
    control, mode = enabled.control, enabled.mode
    if control.linux_only and pod.is_windows:
        return Verdict(control.name, mode, skips=[Skip(pod, ON_WINDOWS)])
    try:
        findings = [*control.apply(pod, containers, enabled.settings, facts)]
    # Whatever fails, the other controls still protect the pod.
    except Exception as error:
        return Verdict(control.name, mode, error=error)
    if Skip not in map(type, findings):
        return Verdict(control.name, mode, findings)  # type: ignore[arg-type]  # all of them are writes
    writes = [each for each in findings if isinstance(each, Write)]
    return Verdict(control.name, mode, writes, [each for each in findings if isinstance(each, Skip)])
