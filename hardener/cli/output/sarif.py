"""Findings -> a SARIF 2.1.0 log, as code-scanning pages read it.

A result is an alert there, open until a run no longer has it. Neither `suppressions` nor `kind` changes that on GitHub
(github/codeql-action#1230, microsoft/PSRule#955), so that what an opt-out or an exemption settles is no result at all.
Facts of the format are from the OASIS standard, cited as `SARIF 3.28`.
"""

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import msgspec

from hardener import __version__
from hardener.cli.output.places import in_repository
from hardener.cli.output.rules import information_uri, rules
from hardener.wording import NAME, one_line

Level = Literal["error", "warning", "note"]

LEVELS: Sequence[Level] = ("error", "warning", "note")
"""The most important one first."""

RESULTS_LIMIT = 25_000
"""Results of one run; GitHub refuses a file with more, and keeps the 5,000 most severe of them."""

MESSAGE_LENGTH = 1_000
"""Characters of one message; names in a manifest that nobody has checked can be of any length."""

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
ROOT = "%SRCROOT%"

FINGERPRINTS = ("primaryLocationLineHash", "hardenerIdentity/v1")
"""The first is the only one that GitHub compares. Its upload action notes that it would have hashed the line's text
instead, and keeps ours: two edits of one line are two alerts, and none reopens when a line moves or changes."""

_LINK = re.compile(r"\](?=\()")

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Result:
    """One finding.

    `control` is a control's name or another rule's id; `message` is one sentence without a full stop. `file` is a path
    as people gave it, or None where there is no file; `line` counts from 1, and 0 stands for none. `logical` says what
    the finding is about, as `namespace/kind/name/container`. `fingerprint` is the finding's identity, as readable text
    that stays the same when lines move; who has the same one twice is counted.
    """

    control: str
    level: Level
    message: str
    file: str | None
    line: int
    logical: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Notification:
    """What went wrong with the run itself, such as a file that could not be read; an error makes it unsuccessful."""

    message: str
    level: Level = "error"
    file: str | None = None
    line: int = 0


def sarif_log(results: Iterable[Result], notifications: Iterable[Notification] = ()) -> bytes:
    """Write one log with one run: the same bytes for the same arguments, ending with a newline.

    The worst results come first, and those beyond `RESULTS_LIMIT` are counted in a notification.
    """
    found = sorted(results, key=lambda result: LEVELS.index(result.level))
    noted = [*notifications]
    if len(found) > RESULTS_LIMIT:
        left_out = len(found) - RESULTS_LIMIT
        noted.append(
            Notification(f"{left_out} of {len(found)} results are left out: no more can be uploaded", "warning")
        )
    catalogue = rules()
    positions = {str(rule["id"]): index for index, rule in enumerate(catalogue)}
    driver: Json = {"name": NAME, "version": __version__, "semanticVersion": __version__}
    if uri := information_uri():
        driver["informationUri"] = uri
    run: Json = {
        "tool": {"driver": {**driver, "rules": catalogue}},
        "invocations": [_invocation(noted)],
        "originalUriBaseIds": {ROOT: {"description": {"text": "The folder of the repository that was looked at."}}},
        "results": [*_results(found[:RESULTS_LIMIT], positions)],
    }
    log: Json = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return msgspec.json.format(msgspec.json.encode(log), indent=2) + b"\n"


def _invocation(notifications: Sequence[Notification]) -> Json:
    noted: list[Json] = []
    for each in notifications:
        entry: Json = {"level": each.level, "message": {"text": _text(each.message)}}
        if each.file is not None:
            entry["locations"] = [{"physicalLocation": _physical(each.file, each.line)}]
        noted.append(entry)
    return {
        "executionSuccessful": all(each.level != "error" for each in notifications),
        "toolExecutionNotifications": noted,
    }


def _results(found: Sequence[Result], positions: dict[str, int]) -> Iterator[Json]:
    seen: Counter[str] = Counter()
    for result in found:
        identity = hashlib.sha256(f"{result.control}\0{result.fingerprint}".encode(errors="replace")).hexdigest()[:16]
        seen[identity] += 1
        location: Json = {
            "logicalLocations": [
                {"name": _text(result.logical.rpartition("/")[2]), "fullyQualifiedName": _text(result.logical)}
            ]
        }
        if result.file is not None:
            location = {"physicalLocation": _physical(result.file, result.line), **location}
        yield {
            "ruleId": result.control,
            "ruleIndex": positions.get(result.control, -1),
            "level": result.level,
            "message": {"text": _text(result.message)},
            "locations": [location],
            "partialFingerprints": dict.fromkeys(FINGERPRINTS, f"{identity}:{seen[identity]}"),
        }


def _text(message: str) -> str:
    """A message as plain text: braces would be placeholders (SARIF 3.11.5), and brackets links (SARIF 3.11.6)."""
    line = one_line(message.replace("{", "{{").replace("}", "}}"), MESSAGE_LENGTH)
    return _LINK.sub("] ", line)


def _physical(file: str, line: int) -> Json:
    place: Json = {"artifactLocation": _artifact(file)}
    if line:
        place["region"] = {"startLine": line}
    return place


def _artifact(file: str) -> Json:
    """Where a file is, seen from the repository's root if it lies there."""
    path = in_repository(file)
    if path.startswith("/") or path.split("/", 1)[0] == "..":
        return {"uri": Path(file).absolute().as_uri()}
    # A name that is not UTF-8 came in as its bytes, and goes out as them.
    return {"uri": quote(os.fsencode(path), safe="/"), "uriBaseId": ROOT}
