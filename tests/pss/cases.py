"""Read `tests/pss/cases/<check>.yaml`: pods, and what one check says about each.

An entry holds `case` and `spec`, and `annotations` where they matter. `breaks` is the message where the check is broken, or
its beginning where the text ends in `…`; without it the pod passes. `invalid` is part of what the API server says to a pod
that it refuses whatever the namespace enforces.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.pod_json import Json

FOLDER = Path(__file__).parent / "cases"
KEYS = frozenset({"case", "spec", "annotations", "breaks", "invalid"})
CONTAINER_LISTS = ("initContainers", "containers", "ephemeralContainers")


@dataclass(frozen=True)
class Case:
    """One entry."""

    check: str
    name: str
    pod: Json
    breaks: str | None
    invalid: str | None

    @property
    def title(self) -> str:
        return f"{self.check}: {self.name}"

    @property
    def debuggers(self) -> list[Json]:
        """The containers for debugging, which no pod has from its beginning."""
        found: list[Json] = self.pod["spec"].get("ephemeralContainers", [])
        return found


def read_cases() -> list[Case]:
    """Read every file, sorted."""
    return [read_case(path.stem, each) for path in sorted(FOLDER.glob("*.yaml")) for each in _entries(path)]


def read_case(check: str, entry: dict[str, Any]) -> Case:
    """Raise ValueError for a key that no case has, since what it was meant to say would go unchecked."""
    unknown = entry.keys() - KEYS
    if unknown:
        raise ValueError(
            f"{check}.yaml, {entry.get('case')}: unknown keys {sorted(unknown)}; a case has {sorted(KEYS)}"
        )
    spec = dict(entry["spec"])
    for field in CONTAINER_LISTS:
        if field in spec:
            spec[field] = [{"image": "web:1", **container} for container in spec[field]]
    pod = {"metadata": {"name": "web", "annotations": entry.get("annotations", {})}, "spec": spec}
    return Case(check, entry["case"], pod, entry.get("breaks"), entry.get("invalid"))


def _entries(path: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return entries
