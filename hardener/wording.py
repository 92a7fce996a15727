"""Outcome -> sentences: the one place for what people read about a decision.

Warnings and reasons are one line without control characters, since the API server drops a warning that holds one
(semantics.md 6.3). Limits of length live here as well.
"""

from collections.abc import Iterable, Iterator, Sequence

from hardener.model import Container, Mode, OptOut, OptOutCause, Outcome, Pod, Skip, Verdict, Write

WARNING_LENGTH = 120
"""Characters of one warning; kubectl and the API server recommend no more."""

WARNINGS_LIMIT = 5
"""Warnings of one answer; the budget of 4,096 characters is shared with all other webhooks."""

WORD_LENGTH = 40
"""Characters of an opt-out word that are repeated; the longest name of a control has fewer."""

NAME_LENGTH = 63
"""Characters of a container's name, which the API server has not checked yet."""

THE_POD = "the pod"


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
    container = THE_POD if opt_out.container is None else one_line(opt_out.container, NAME_LENGTH)
    return f"{one_line(opt_out.control, WORD_LENGTH)}({container})"


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
            return f"no such control; did you mean {detail}?" if detail else "no such control"


def failure(verdict: Verdict) -> str:
    """Tell of an internal error without its details, which are in the log."""
    return f"internal error in {verdict.control}: it was left out"


def problems(outcome: Outcome) -> Iterator[str]:
    """What the author has to know: refused opt-outs and internal errors."""
    for opt_out in outcome.opt_outs:
        if not opt_out.accepted:
            yield f"hardener: opt-out {opt_out_subject(opt_out)} refused: {opt_out_cause(opt_out)}"
    for verdict in outcome.errors:
        yield f"hardener: {failure(verdict)}"


def changes(outcome: Outcome) -> Iterator[str]:
    """What was or would be changed, controls that reach the same containers together; then what is held back."""
    for mode, opening in ((Mode.ENFORCE, "hardener: set"), (Mode.DRY_RUN, "hardener dry-run: would set")):
        reached: dict[str, list[str]] = {}
        for verdict in outcome.verdicts:
            if verdict.mode is mode and verdict.writes:
                reached.setdefault(_places(verdict), []).append(verdict.control)
        for places, controls in reached.items():
            yield from _packed(opening, controls, f" on {places}")
    holds: dict[tuple[str, str], list[str]] = {}
    for verdict in outcome.verdicts:
        for skip in verdict.skips:
            holds.setdefault((describe_at(skip.at), skip.reason), []).append(verdict.control)
    for (place, reason), controls in holds.items():
        yield from _packed("hardener: held back", controls, f" on {place}: {reason}")


def warnings(sentences: Iterable[str]) -> list[str]:
    """Bound what one answer says: the last warning counts what found no room."""
    lines = list(dict.fromkeys(one_line(sentence, WARNING_LENGTH) for sentence in sentences))
    if len(lines) <= WARNINGS_LIMIT:
        return lines
    kept = lines[: WARNINGS_LIMIT - 1]
    return [*kept, f"hardener: and {len(lines) - len(kept)} more, which `hardener preview` and the audit log show"]


def _places(verdict: Verdict) -> str:
    """The containers that a control sets something on; the pod where it only takes something from them."""
    names = dict.fromkeys(
        describe_at(write.at) for write in verdict.writes if isinstance(write.at, Container) and write.how != "remove"
    )
    return ", ".join(names) or THE_POD


def _packed(opening: str, names: Sequence[str], ending: str) -> Iterator[str]:
    """As many sentences as it takes to name all controls within the length of a warning."""
    line: list[str] = []
    for name in names:
        if line and len(opening) + len(", ".join([*line, name])) + 1 + len(ending) > WARNING_LENGTH:
            yield f"{opening} {', '.join(line)}{ending}"
            line = []
        line.append(name)
    yield f"{opening} {', '.join(line)}{ending}"
