"""Outcome -> sentences: the one place for what people read about a decision.

Warnings and reasons are one line without control characters, since the API server drops a warning that holds one
(semantics.md 6.3). Limits of length live here as well.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

from hardener.model import Container, Mode, OptOut, OptOutCause, Outcome, Pod, Skip, Verdict, Write
from hardener.policy.config import POLICY_LABEL, Doubt, Selection

WARNING_LENGTH = 120
"""Characters of one warning; kubectl and the API server recommend no more."""

WARNINGS_LIMIT = 5
"""Warnings of one answer; the budget of 4,096 characters is shared with all other webhooks."""

WORD_LENGTH = 40
"""Characters of an opt-out word that are repeated; the longest name of a control has fewer."""

NAME_LENGTH = 63
"""Characters of a container's name, which the API server has not checked yet."""

PLACES_LENGTH = 40
"""Characters of a list of containers within a warning."""

THE_POD = "the pod"

NAME = "hardener"
DRY_RUN = "dry-run:"
HELD_BACK = "held back"


def one_line(text: str, limit: int | None = None) -> str:
    """Make a text safe to stand in a warning, a header or a log: no control characters, and at most `limit` long."""
    line = text if text.isprintable() else "".join(char if char.isprintable() else " " for char in text)
    return line if limit is None or len(line) <= limit else line[: limit - 1] + "…"


def describe_at(at: Pod | Container) -> str:
    """Name what a finding is about: the container, or the pod."""
    return (at.name or "(unnamed)") if isinstance(at, Container) else THE_POD


def edit_path(write: Write) -> str:
    """The path as people write it: `securityContext.runAsNonRoot`, `spec.volumes[2]`."""
    text = ""
    for key in write.path:
        if isinstance(key, int):
            text += f"[{key}]"
        elif "." in key or "/" in key:
            text += f'["{key}"]'
        else:
            text += f".{key}" if text else key
    return text


def hold(control: str, skip: Skip) -> str:
    """`capabilities(agent): the container is privileged`."""
    return f"{control}({describe_at(skip.at)}): {skip.reason}"


def opt_out_subject(opt_out: OptOut) -> str:
    """`resources(app)`, or `resources(the pod)`."""
    return f"{one_line(opt_out.control, WORD_LENGTH)}({_opt_out_place(opt_out)})"


def opt_out_cause(opt_out: OptOut) -> str:
    """Say why an opt-out counts or does not, and what would mend it."""
    detail = opt_out.detail
    match opt_out.cause:
        case OptOutCause.ACCEPTED:
            return f"accepted until {detail}" if detail else "accepted"
        case OptOutCause.LOCKED:
            return "the policy locks this control" if opt_out.control != "*" else "the policy locks every control"
        case OptOutCause.NO_REASON:
            return "hardener.dev/opt-out-reason must say why"
        case OptOutCause.NO_EXPIRY:
            return f"hardener.dev/opt-out-until must name a day within {detail} days"
        case OptOutCause.BAD_EXPIRY:
            return f"hardener.dev/opt-out-until is {one_line(detail, WORD_LENGTH)!r}, not a day such as 2027-01-31"
        case OptOutCause.EXPIRED:
            return f"it ended on {detail}"
        case OptOutCause.TOO_FAR_AHEAD:
            return f"hardener.dev/opt-out-until is more than {detail} days ahead"
        case OptOutCause.UNKNOWN_CONTROL:
            return f"did you mean {detail}?" if detail else "no such control"


def failure(verdict: Verdict) -> str:
    """Tell of an internal error without its details, which are in the log."""
    return f"internal error in {verdict.control}: it was left out"


class Topic(StrEnum):
    """What a sentence is about, in the order in which people need it."""

    DOUBT = "doubt"
    REFUSED = "refused"
    FAILED = "failed"
    NOTE = "note"
    ENDING = "ending"
    EXEMPT = "exempt"
    CHANGE = "change"
    HELD = "held"
    OPTED_OUT = "opted out"


class Sentence(NamedTuple):
    """One line, without a full stop."""

    topic: Topic
    text: str


def doubts(selection: Selection) -> Iterator[Sentence]:
    """What stood in the way of choosing the namespace's policy."""
    match selection.doubt:
        case Doubt.REFUSED_LABEL:
            label = f"{POLICY_LABEL}={one_line(selection.label, WORD_LENGTH)}"
            yield Sentence(
                Topic.DOUBT, f"the namespace's {label} is not selectable: policy {selection.policy.name} applies"
            )
        case Doubt.UNKNOWN_LABELS:
            yield Sentence(Topic.DOUBT, "the namespace's labels are not known yet: nothing is enforced")
        case None:
            return


def problems(outcome: Outcome) -> Iterator[Sentence]:
    """What the author has to know: refused opt-outs and internal errors."""
    for opt_out in outcome.opt_outs:
        if not opt_out.accepted:
            text = f"opt-out {opt_out_subject(opt_out)} refused: {opt_out_cause(opt_out)}"
            yield Sentence(Topic.REFUSED, text)
    for verdict in outcome.errors:
        yield Sentence(Topic.FAILED, failure(verdict))


def endings(outcome: Outcome) -> Iterator[Sentence]:
    """Which opt-outs will not count for much longer."""
    for (place, until), controls in _opted_out(outcome, soon=True).items():
        ending = f" on {place} ends on {until}: pods made later are hardened"
        yield from _packed(Topic.ENDING, "the opt-out of", controls, ending)


def opted_out(outcome: Outcome) -> Iterator[Sentence]:
    """Which opt-outs count."""
    for (place, until), controls in _opted_out(outcome, soon=False).items():
        yield from _packed(
            Topic.OPTED_OUT, "opted out of", controls, f" on {place}{f' until {until}' if until else ''}"
        )


def exempted(outcome: Outcome) -> Iterator[Sentence]:
    """What the configuration leaves alone, and the line that says so."""
    for exempt in outcome.exempt:
        yield Sentence(Topic.EXEMPT, f"{describe_at(exempt.at)} is exempt by {exempt.key}")


def changes(outcome: Outcome, *, beforehand: bool = False) -> Iterator[Sentence]:
    """What is or would be changed, controls that reach the same containers together.

    `beforehand` speaks of pods that are still to be made.
    """
    for mode, opening in ((Mode.ENFORCE, "will set" if beforehand else "set"), (Mode.DRY_RUN, f"{DRY_RUN} would set")):
        reached: dict[tuple[str, ...], list[str]] = {}
        for verdict in outcome.verdicts:
            if verdict.mode is mode and verdict.writes:
                reached.setdefault(_places(verdict), []).append(verdict.control)
        for places, controls in reached.items():
            yield from _packed(Topic.CHANGE, opening, controls, f" on {_listed(places)}")


def held_back(outcome: Outcome) -> Iterator[Sentence]:
    """What is held back and why, controls with the same reason together."""
    holds: dict[tuple[str, str], list[str]] = {}
    for verdict in outcome.verdicts:
        for skip in verdict.skips:
            holds.setdefault((describe_at(skip.at), skip.reason), []).append(verdict.control)
    for (place, reason), controls in holds.items():
        yield from _packed(Topic.HELD, HELD_BACK, controls, f" on {place}: {reason}")


def warnings(sentences: Iterable[Sentence], *, beforehand: bool = False) -> list[str]:
    """Bound what one answer says: the last warning counts what found no room, and says where it is to be read.

    `beforehand` speaks of pods that are still to be made.
    """
    lines = list(dict.fromkeys(one_line(_opened(text), WARNING_LENGTH) for _, text in sentences))
    if len(lines) <= WARNINGS_LIMIT:
        return lines
    kept = lines[: WARNINGS_LIMIT - 1]
    shown = "`hardener preview` shows" if beforehand else "`hardener preview` and the audit log show"
    return [*kept, f"{NAME}: and {len(lines) - len(kept)} more, which {shown}"]


def _opened(text: str) -> str:
    """Say who speaks: a warning stands among those of others."""
    return f"{NAME} {text}" if text.startswith(DRY_RUN) else f"{NAME}: {text}"


def _opted_out(outcome: Outcome, *, soon: bool) -> dict[tuple[str, str], list[str]]:
    """Place and last day to the controls opted out of."""
    controls: dict[tuple[str, str], list[str]] = {}
    for opt_out in outcome.opt_outs:
        if opt_out.accepted and (opt_out.ends_soon or not soon):
            controls.setdefault((_opt_out_place(opt_out), opt_out.detail), []).append(opt_out.control)
    return controls


def _opt_out_place(opt_out: OptOut) -> str:
    return THE_POD if opt_out.container is None else one_line(opt_out.container, NAME_LENGTH)


def _places(verdict: Verdict) -> tuple[str, ...]:
    """The containers that a control sets something on; the pod where it only takes something from them."""
    names = dict.fromkeys(
        describe_at(write.at) for write in verdict.writes if isinstance(write.at, Container) and write.how != "remove"
    )
    return tuple(names) or (THE_POD,)


def _listed(places: Sequence[str]) -> str:
    """Name places, or count them where their names would leave no room for those of the controls."""
    names = ", ".join(places)
    return names if len(names) <= PLACES_LENGTH or len(places) == 1 else f"{len(places)} containers"


def _packed(topic: Topic, opening: str, names: Sequence[str], ending: str) -> Iterator[Sentence]:
    """As many sentences as it takes to name all controls within the length of a warning."""
    room = WARNING_LENGTH - len(_opened(opening)) - 1 - len(ending)
    line: list[str] = []
    for name in names:
        if line and len(", ".join([*line, name])) > room:
            yield Sentence(topic, f"{opening} {', '.join(line)}{ending}")
            line = []
        line.append(name)
    yield Sentence(topic, f"{opening} {', '.join(line)}{ending}")
