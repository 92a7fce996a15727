"""The policies that are always there: none, observe, compatible, standard (design.md 4)."""

from collections.abc import Mapping
from types import MappingProxyType

from hardener.controls import CATALOGUE
from hardener.policy.compiling import MODE, OPT_OUT, WARNINGS, compile_policy
from hardener.policy.flat import CONTROLS, Entry, Flat, KeyPath, merge
from hardener.policy.policy import Policy

_EMPTY: dict[KeyPath, object] = {
    (MODE,): "enforce",
    (WARNINGS,): "problems",
    (OPT_OUT, "controls"): "all",
    (OPT_OUT, "requireReason"): False,
}

_REQUESTS: dict[KeyPath, object] = {
    (CONTROLS, "resources", "requests", "cpu"): "50m",
    (CONTROLS, "resources", "requests", "memory"): "64Mi",
}

_COMPATIBLE: dict[KeyPath, object] = {
    (CONTROLS, "allowPrivilegeEscalation"): {},
    (CONTROLS, "automountServiceAccountToken"): {},
    (CONTROLS, "resources"): {},
    (CONTROLS, "seccompProfile"): {},
    **_REQUESTS,
}
"""What hardly any image objects to."""

_STANDARD: dict[KeyPath, object] = {
    **{(CONTROLS, name): {} for name, control in CATALOGUE.items() if control.stage == "default"},
    **_REQUESTS,
    (CONTROLS, "resources", "limits", "memory"): "1Gi",
    (CONTROLS, "readOnlyRootFilesystem", "writablePaths"): ["/tmp"],  # noqa: S108  a path in the pod
}


def _flat(origin: str, values: Mapping[KeyPath, object]) -> Flat:
    return {path: Entry(value, origin) for path, value in values.items()}


def _built_in() -> Mapping[str, Flat]:
    standard = _flat("standard", _EMPTY | _STANDARD)
    return MappingProxyType(
        {
            "none": _flat("none", _EMPTY),
            "observe": merge(standard, _flat("observe", {(MODE,): "dry-run", (WARNINGS,): "changes"})),
            "compatible": _flat("compatible", _EMPTY | _COMPATIBLE),
            "standard": standard,
        }
    )


BUILTIN_FLAT: Mapping[str, Flat] = _built_in()
"""What each says, for the policies that extend it."""

BUILTIN: Mapping[str, Policy] = MappingProxyType(
    {name: compile_policy(name, flat) for name, flat in BUILTIN_FLAT.items()}
)
