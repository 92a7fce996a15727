"""Read `tests/controls/fixtures/<control>/<case>.yaml`: a pod, and what one control decides about it.

A file holds `pod`, and where they differ from the standard policy and from a cluster without limits `settings` and
`facts`; then what is expected, in the order in which the control decides: `edits` (container, path, value, how) and
`skips` (container, reason). The container of what concerns the pod as a whole is `pod`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from hardener.controls import CATALOGUE
from hardener.model import Facts, LimitRange, Quota, Verdict, parse_quantity
from hardener.policy.policy import Policy
from tests.pods import complete, enabled, policy_of, standard, where

FOLDER = Path(__file__).parent / "fixtures"
KEYS = frozenset({"pod", "settings", "facts", "edits", "skips"})

REQUIRED_CASES = frozenset(
    {
        "changed",
        "already_right",
        "explicit",
        "opted_out",
        "opted_out_container",
        "init_container",
        "native_sidecar",
        "windows",
    }
)

OVERRIDE_CASES = frozenset({"override", "override_windows"})
"""Of controls that can override what an author wrote."""


@dataclass(frozen=True)
class Case:
    """One file."""

    control: str
    name: str
    pod: dict[str, Any]
    settings: dict[str, Any]
    facts: Facts
    edits: list[dict[str, Any]]
    skips: list[dict[str, Any]]

    @property
    def alone(self) -> Policy:
        """A policy that runs nothing but this control."""
        return policy_of(enabled(self.control, **self.settings))

    @property
    def among_all(self) -> Policy:
        """The standard policy with this control's settings."""
        return standard(**{self.control: self.settings})

    @property
    def overriding(self) -> Policy:
        """A policy that runs nothing but this control, and overrides explicit values."""
        return policy_of(enabled(self.control, **{**self.settings, "explicit": "override"}))


def read_cases() -> Iterator[Case]:
    """Read every file, sorted."""
    for path in sorted(FOLDER.glob("*/*.yaml")):
        yield read_case(path.parent.name, path.stem, yaml.safe_load(path.read_text()))


def read_case(control: str, name: str, content: dict[str, Any]) -> Case:
    """Raise ValueError for a key that no fixture has, since what it was meant to say would go unchecked."""
    unknown = content.keys() - KEYS
    if unknown:
        raise ValueError(f"{control}/{name}.yaml: unknown keys {sorted(unknown)}; a fixture has {sorted(KEYS)}")
    return Case(
        control,
        name,
        complete(content["pod"]),
        {key: tuple(value) if isinstance(value, list) else value for key, value in content.get("settings", {}).items()},
        facts_of(content.get("facts", {})),
        [{"how": "set", **edit} for edit in content.get("edits", [])],
        content.get("skips", []),
    )


def overrides(control: str) -> bool:
    """Whether a control's settings can override what an author wrote."""
    return "explicit" in {field.name for field in fields(CATALOGUE[control].settings)}


def facts_of(content: dict[str, Any]) -> Facts:
    """Make the facts of a namespace from their plain form."""
    return Facts(
        known=content.get("known", True),
        limit_ranges=tuple(
            LimitRange(
                item["type"],
                *(
                    {resource: parse_quantity(value) for resource, value in item.get(key, {}).items()}
                    for key in ("min", "max", "maxLimitRequestRatio")
                ),
            )
            for item in content.get("limit_ranges", [])
        ),
        quotas=tuple(
            Quota(frozenset(item.get("scopes", [])), frozenset(item.get("hard", [])))
            for item in content.get("quotas", [])
        ),
        token_accounts=frozenset(content.get("token_accounts", [])),
    )


def edits_of(verdict: Verdict) -> list[dict[str, Any]]:
    """Write a verdict's changes as a fixture has them."""
    return [
        {"container": where(write.at), "path": ".".join(map(str, write.path)), "how": write.how}
        | ({} if write.how == "remove" else {"value": write.value})
        for write in verdict.writes
    ]


def skips_of(verdict: Verdict) -> list[dict[str, Any]]:
    """Write a verdict's holds as a fixture has them."""
    return [{"container": where(skip.at), "reason": skip.reason} for skip in verdict.skips]


def faults(cases: Iterable[Case]) -> list[str]:
    """What a set of fixtures lacks or has too much: folders without a control, cases and hold reasons not shown."""
    by_control: dict[str, list[Case]] = {}
    for case in cases:
        by_control.setdefault(case.control, []).append(case)
    found = [f"{name}: a folder without a control" for name in by_control.keys() - CATALOGUE.keys()]
    for name, control in CATALOGUE.items():
        own = by_control.get(name, [])
        required = REQUIRED_CASES | OVERRIDE_CASES if overrides(name) else REQUIRED_CASES
        found += [f"{name}: the case {case} is missing" for case in required - {case.name for case in own}]
        shown = {skip["reason"] for case in own for skip in case.skips}
        found += [f"{name}: no fixture shows the hold {reason!r}" for reason in set(control.all_holds) - shown]
        found += [f"{name}: the hold {reason!r} is not declared" for reason in shown - set(control.all_holds)]
    return sorted(found)
