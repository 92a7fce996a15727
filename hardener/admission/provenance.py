"""Outcome -> the annotations on the pod that say what was done (design.md 4).

They depend on the pod as it will be, on policy and facts, and on nothing that an earlier call left behind: a second call
writes what one call over the whole pod would have written, and what somebody else put there is replaced or removed.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from hardener.model import Mode, Outcome, Path, Pod, Write
from hardener.model.pod import ANNOTATIONS_LIMIT, APPLIED, APPLIED_POLICY, PROVENANCE, SKIPPED
from hardener.policy.policy import Policy
from hardener.wording import describe_at, hold, one_line, opt_out_subject

SKIPPED_LIMIT = 16 * 1024
"""Characters of the annotation on what was skipped; whole entries beyond are counted instead, for the sake of etcd."""

REASON = "people can tell it from a pod that slipped through"

Entries = dict[str, list[str]]
"""Control to what is said about it."""

_PATHS: Mapping[str, Path] = {key: ("metadata", "annotations", key) for key in PROVENANCE}


class Reach(NamedTuple):
    """What is enforced on the pod as it will be: the controls that hold for all of it, and an entry for each exception."""

    applied: str = ""
    skipped: str = ""


NOWHERE = Reach()


def reach(pod: Pod, policy: Policy, outcome: Outcome) -> Reach:
    """Say what is enforced; nothing is under a policy that enforces nothing, or on a pod that is exempt as a whole."""
    if not policy.enforced or outcome.is_exempt:
        return NOWHERE
    skipped = {} if outcome.is_complete else _skipped(pod, policy, outcome)
    if not skipped:
        return Reach(policy.enforced_names)
    applied = ",".join([control for control in policy.enforced if control not in skipped])
    return Reach(applied, _bounded([entry for entries in skipped.values() for entry in entries]))


def provenance(pod: Pod, policy: Policy, reached: Reach, writes: Sequence[Write]) -> list[Write]:
    """Say on the pod what is enforced; `writes` are all others that this answer makes.

    Nothing is said where nothing is enforced, and where the annotations would pass what the API server takes: what the
    author wrote and what makes the pod work goes first.
    """
    if reached == NOWHERE:
        return []
    wanted: dict[str, str | None] = {
        APPLIED_POLICY: policy.label,
        APPLIED: reached.applied or None,
        SKIPPED: reached.skipped or None,
    }
    changed = wanted.copy()
    for write in writes:
        if write.at is pod and write.path[0] == "metadata" and write.path[1] == "annotations":
            changed[str(write.path[2])] = None if write.value is None else str(write.value)
    if pod.annotation_bytes(changed) > ANNOTATIONS_LIMIT:
        wanted = dict.fromkeys(PROVENANCE)
    return _writes(pod, wanted)


def _skipped(pod: Pod, policy: Policy, outcome: Outcome) -> Entries:
    """Each enforced control that did not reach every container, with an entry for each place and reason."""
    skipped: Entries = {}
    for exempt in outcome.exempt:
        for control in policy.enforced:
            entry = f"{control}({one_line(describe_at(exempt.at))}): exempt by {exempt.key}"
            skipped.setdefault(control, []).append(entry)
    names = {None, *(container.name for container in pod.containers)} if outcome.opt_outs else ()
    for opt_out in outcome.opt_outs:
        if opt_out.accepted and opt_out.control in policy.enforced and opt_out.container in names:
            until = f" until {opt_out.detail}" if opt_out.detail else ""
            skipped.setdefault(opt_out.control, []).append(f"{opt_out_subject(opt_out)}: opted out{until}")
    for verdict in outcome.verdicts:
        if verdict.mode is not Mode.ENFORCE or not (verdict.skips or verdict.error):
            continue
        entries = skipped.setdefault(verdict.control, [])
        if verdict.error is not None:
            entries.append(f"{verdict.control}({describe_at(pod)}): internal error")
        entries += [one_line(hold(verdict.control, skip)) for skip in verdict.skips]
    return dict(sorted(skipped.items()))


def _bounded(entries: Sequence[str]) -> str:
    room = SKIPPED_LIMIT
    for count, entry in enumerate(entries):
        room -= len(entry) + 2
        if room < 0:
            return "; ".join([*entries[:count], f"and {len(entries) - count} more"])
    return "; ".join(entries)


def _writes(pod: Pod, wanted: Mapping[str, str | None]) -> list[Write]:
    present, writes = pod.annotations, []
    for key, text in wanted.items():
        if text is not None:
            if present.get(key) != text:
                writes.append(Write(pod, _PATHS[key], text, REASON))
        elif key in present:
            writes.append(Write(pod, _PATHS[key], None, REASON, "remove"))
    return writes
