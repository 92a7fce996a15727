"""The annotations that say on a pod what was done (design.md 4), read apart from the code that writes them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from hardener.controls import CATALOGUE
from hardener.patch import Operation
from tests.pod_json import ANNOTATIONS_LIMIT, Json, annotation_bytes, annotations, containers, table

APPLIED_POLICY = "hardener.dev/applied-policy"
APPLIED = "hardener.dev/applied"
SKIPPED = "hardener.dev/skipped"
PROVENANCE = (APPLIED_POLICY, APPLIED, SKIPPED)

THE_POD = "the pod"

SKIPPED_LIMIT = 16 * 1024
MOST_BYTES = 4 * SKIPPED_LIMIT + 1024
"""More than the three can take, whatever the letters: with so much room left, they are there."""

_NAMES = "|".join(CATALOGUE)
_POLICY = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?@[0-9a-f]{8}")
_ENTRY = re.compile(rf"({_NAMES})\((.*?)\): (.+)")
_NEXT_ENTRY = re.compile(rf"; (?=(?:{_NAMES})\()")
_MORE = re.compile(r"(.*); and [1-9][0-9]* more")
_OPTED_OUT = re.compile(r"opted out( until \d{4}-\d\d-\d\d)?")
_EXEMPT = re.compile(r"exempt by exempt\.containers\[\d+\]")


class Entry(NamedTuple):
    """One entry of `hardener.dev/skipped`."""

    control: str
    place: str
    reason: str

    @property
    def is_opt_out(self) -> bool:
        return _OPTED_OUT.fullmatch(self.reason) is not None

    @property
    def is_exempt(self) -> bool:
        return _EXEMPT.fullmatch(self.reason) is not None

    @property
    def is_hold(self) -> bool:
        return self.reason in CATALOGUE[self.control].all_holds


def told(pod: Json) -> Json:
    """What the pod has of the three annotations."""
    return {key: text for key, text in annotations(pod).items() if key in PROVENANCE}


def applied_of(pod: Json) -> list[str]:
    return [name for name in str(annotations(pod).get(APPLIED) or "").split(",") if name]


def skipped_of(pod: Json) -> list[Entry]:
    """The entries of `hardener.dev/skipped`; raises ValueError for what is no entry."""
    text = str(annotations(pod).get(SKIPPED) or "")
    more = _MORE.fullmatch(text)
    found = []
    for part in _NEXT_ENTRY.split(more[1] if more else text) if text else ():
        match = _ENTRY.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is no entry")
        found.append(Entry(*match.groups()))
    return found


def without_provenance(pod: Json) -> Json:
    """The same pod without the three; annotations that are then empty count as none."""
    metadata = dict(table(pod.get("metadata")))
    metadata["annotations"] = {key: text for key, text in annotations(pod).items() if key not in PROVENANCE}
    if not metadata["annotations"]:
        del metadata["annotations"]
    return {**pod, "metadata": metadata}


def stripped(operations: Iterable[Operation]) -> list[Operation]:
    """The patch without what concerns the three; an operation of which nothing is left goes as a whole."""
    paths = {f"/metadata/annotations/{key.replace('/', '~1')}" for key in PROVENANCE}
    found = (_stripped(operation) for operation in operations if operation["path"] not in paths)
    return [operation for operation in found if operation is not None]


def _stripped(operation: Operation) -> Operation | None:
    path, value = operation["path"], operation.get("value")
    if path == "/metadata" and isinstance(value, dict):
        kept = {key: _others(each) if key == "annotations" else each for key, each in value.items()}
        return {**operation, "value": kept} if kept != {"annotations": {}} else None
    if path == "/metadata/annotations" and isinstance(value, dict):
        return {**operation, "value": _others(value)} if _others(value) else None
    return operation


def _others(notes: Json) -> Json:
    return {key: text for key, text in notes.items() if key not in PROVENANCE}


def provenance_is_in_form(before: Json, after: Json) -> Iterator[str]:
    """Design.md 4: where one of the three was written or taken away, all say something, as the design spells it."""
    now = told(after)
    if now == told(before):
        return
    if not now:
        room = ANNOTATIONS_LIMIT - annotation_bytes(after)
        if room > MOST_BYTES:
            yield f"there are no annotations of ours, and {room} bytes are left for them"
        return
    if not _POLICY.fullmatch(str(now.get(APPLIED_POLICY))):
        yield f"{APPLIED_POLICY} is {now.get(APPLIED_POLICY)!r}"
    if "" in now.values():
        yield "one of our annotations is empty"
    names = applied_of(after)
    if names != sorted({*names} & {*CATALOGUE}) or now.get(APPLIED) not in (None, ",".join(names)):
        yield f"{APPLIED} is {now.get(APPLIED)!r}"
    try:
        entries = skipped_of(after)
    except ValueError as error:
        yield f"{SKIPPED}: {error}"
        return
    yield from _faults(entries, after)
    yield from (f"{each.control} is both applied and skipped" for each in entries if each.control in names)


def _faults(entries: Sequence[Entry], after: Json) -> Iterator[str]:
    text = str(annotations(after).get(SKIPPED) or "")
    if not text.isprintable() or len(text) > SKIPPED_LIMIT + len("; and 100000 more"):
        yield f"{SKIPPED} is not one short line: {text[:80]!r}"
    if _MORE.fullmatch(text) and len(text) < SKIPPED_LIMIT // 2:
        yield f"{SKIPPED} leaves out what it had room for"
    if [each.control for each in entries] != sorted(each.control for each in entries):
        yield f"{SKIPPED} is in no order"
    places = {THE_POD, *(str(container.get("name") or "(unnamed)") for _, container in containers(after))}
    for each in entries:
        is_known = each.is_hold or each.is_opt_out or each.is_exempt
        if not is_known or (each.place not in places and not (each.is_opt_out and each.place == "")):
            yield f"{SKIPPED} has an entry of no known kind: {each}"
