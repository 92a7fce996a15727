"""A merged policy -> Policy: settings made, modes decided, content hashed."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256

import msgspec

from hardener.controls import CATALOGUE
from hardener.model import Mode
from hardener.policy.exemptions import PodExemptions
from hardener.policy.flat import CONTROLS, Entry, Flat, KeyPath
from hardener.policy.form import setting_types
from hardener.policy.policy import Enabled, OptOutRules, Policy, Warnings

MODE = "mode"
WARNINGS = "warnings"
OPT_OUT = "optOut"


def compile_policy(name: str, flat: Flat, exempt: PodExemptions | None = None) -> Policy:
    """Compile a policy; one under which nothing runs is disabled, whatever it says, as `none` is.

    `exempt` is what the configuration leaves alone under every policy. Raises what `control_settings` raises.
    """
    enabled = tuple(
        Enabled(CATALOGUE[control], control_settings(control, flat), mode)
        for control in named_controls(flat)
        if (mode := control_mode(control, flat)) is not Mode.DISABLED
    )
    policy = Policy(
        name,
        policy_mode(flat) if enabled else Mode.DISABLED,
        msgspec.convert(_value(flat, (WARNINGS,), Warnings.PROBLEMS), Warnings),
        _opt_out_rules(flat),
        enabled,
        exempt,
    )
    return replace(policy, fingerprint=_fingerprint(policy))


def in_dry_run(policy: Policy) -> Policy:
    """The same policy, enforcing nothing, and announcing what it would do to whoever wants to be told anything."""
    capped = replace(
        policy,
        mode=policy.mode.weaker(Mode.DRY_RUN),
        warnings=Warnings.NONE if policy.warnings is Warnings.NONE else Warnings.CHANGES,
        controls=tuple(replace(enabled, mode=enabled.mode.weaker(Mode.DRY_RUN)) for enabled in policy.controls),
    )
    return replace(capped, fingerprint=_fingerprint(capped))


def named_controls(flat: Flat) -> tuple[str, ...]:
    """The controls that a policy names, sorted, whatever their mode."""
    return tuple(sorted({path[1] for path in flat if path[0] == CONTROLS and len(path) > 1}))


def policy_mode(flat: Flat) -> Mode:
    """The mode that a policy says for all its controls."""
    return msgspec.convert(_value(flat, (MODE,), Mode.ENFORCE), Mode)


def control_mode(control: str, flat: Flat) -> Mode:
    """The weaker one of the policy's mode and the control's own."""
    return policy_mode(flat).weaker(msgspec.convert(_value(flat, (CONTROLS, control, MODE), Mode.ENFORCE), Mode))


def setting_entries(control: str, setting: str, flat: Flat) -> dict[KeyPath, Entry]:
    """What a policy says about one setting of a control: for the control itself, else for all that have the setting."""
    own = (CONTROLS, control, setting)
    found = {path: entry for path, entry in flat.items() if path[: len(own)] == own}
    return found or {path: entry for path, entry in flat.items() if path == (setting,)}


def control_settings(control: str, flat: Flat) -> object:
    """Make the settings of a control from what the policy says, and from their own defaults.

    Raises ValueError or QuantityError for settings that the control does not take (its `Settings.__post_init__`).
    """
    values = {}
    for setting, of_type in setting_types(control).items():
        entries = setting_entries(control, setting, flat)
        if entries:
            values[setting] = msgspec.convert(_joined(entries), of_type)
    return CATALOGUE[control].settings(**values)


def _joined(entries: Flat) -> object:
    """The value of one setting; a mapping lies in one entry per key."""
    below = {path[3]: entry.value for path, entry in entries.items() if path[3:]}
    return below or next(iter(entries.values())).value


def _opt_out_rules(flat: Flat) -> OptOutRules:
    allowed = _value(flat, (OPT_OUT, "controls"), "all")
    names = {"all": frozenset(CATALOGUE), "none": frozenset[str]()}
    controls = names[allowed] if isinstance(allowed, str) else msgspec.convert(allowed, frozenset[str])
    require_reason = msgspec.convert(_value(flat, (OPT_OUT, "requireReason"), False), bool)
    return OptOutRules(controls, require_reason, msgspec.convert(_value(flat, (OPT_OUT, "maxDays"), None), int | None))


def _value(flat: Flat, path: KeyPath, default: object) -> object:
    entry = flat.get(path)
    return default if entry is None else entry.value


def _fingerprint(policy: Policy) -> str:
    """Hash everything that decides; the name does not, nor does the place where something is written."""
    content: dict[str, object] = {
        "mode": policy.mode,
        "warnings": policy.warnings,
        "optOut": [sorted(policy.opt_out.controls), policy.opt_out.require_reason, policy.opt_out.max_days],
        "controls": {enabled.control.name: [enabled.mode, written_settings(enabled)] for enabled in policy.controls},
    }
    if policy.exempt is not None:
        content["exempt"] = policy.exempt.content()
    return sha256(msgspec.json.encode(content, order="deterministic")).hexdigest()[:8]


def written_settings(enabled: Enabled) -> dict[str, object]:
    """The settings of a control, defaults included, as a file would hold them."""
    values = {name: getattr(enabled.settings, name) for name in setting_types(enabled.control.name)}
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}
