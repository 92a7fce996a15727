"""Which policy a namespace gets and why, and where each of its settings comes from."""

from collections.abc import Iterator
from dataclasses import dataclass

from hardener.policy.compiling import (
    MODE,
    OPT_OUT,
    WARNINGS,
    control_mode,
    named_controls,
    setting_entries,
    written_settings,
)
from hardener.policy.config import Config, Selection
from hardener.policy.flat import CONTROLS, Entry, Flat
from hardener.policy.namespaces import Labels
from hardener.policy.policy import Enabled, Policy

DEFAULT = "default"
"""Where a value comes from that no policy says."""
POLICY_MODE = "mode of the policy"
NOTHING_RUNS = "no control runs"


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that is in force, by its dotted key, and where it comes from."""

    key: str
    value: object
    origin: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """What decides about a namespace.

    `undecided` are the indexes of earlier rules that would decide if the namespace had the right labels, where its labels
    were not given.
    """

    selection: Selection
    undecided: tuple[int, ...]
    settings: tuple[Setting, ...]


def resolve(config: Config, namespace: str, labels: Labels | None = None) -> Resolution:
    """Find the policy of a namespace by its name, and by its labels if they are given, with every setting in force."""
    selection = config.select(namespace, labels)
    earlier = () if labels is not None else config.rules[: selection.rule]
    undecided = tuple(index for index, rule in enumerate(earlier) if rule.labels and rule.fits_name(namespace))
    policy = selection.policy
    settings = (*_settings(policy, config.flat[policy.name]), *_exemptions(config, policy))
    return Resolution(selection, undecided, settings)


def _exemptions(config: Config, policy: Policy) -> Iterator[Setting]:
    for exemptions in (config.exempt_users, policy.exempt) if policy.controls else ():
        for line, text in exemptions.lines() if exemptions is not None else ():
            yield Setting(line.key, text, line.place)


def _settings(policy: Policy, flat: Flat) -> Iterator[Setting]:
    def origin(*path: str) -> str:
        return _origin(flat.get(path), policy)

    yield Setting(MODE, policy.mode.value, origin(MODE) if policy.controls else NOTHING_RUNS)
    yield Setting(WARNINGS, policy.warnings.value, origin(WARNINGS))
    opt_out = flat.get((OPT_OUT, "controls"))
    yield Setting(f"{OPT_OUT}.controls", "all" if opt_out is None else opt_out.value, origin(OPT_OUT, "controls"))
    yield Setting(f"{OPT_OUT}.requireReason", policy.opt_out.require_reason, origin(OPT_OUT, "requireReason"))
    yield Setting(f"{OPT_OUT}.maxDays", policy.opt_out.max_days, origin(OPT_OUT, "maxDays"))
    enabled = {running.control.name: running for running in policy.controls}
    for control in named_controls(flat):
        mode = control_mode(control, flat)
        own = flat.get((CONTROLS, control, MODE))
        decided = _origin(own, policy) if own is not None and own.value == mode else POLICY_MODE
        yield Setting(f"{CONTROLS}.{control}.{MODE}", mode.value, decided)
        if control in enabled:
            yield from _control_settings(enabled[control], flat, policy)


def _control_settings(enabled: Enabled, flat: Flat, policy: Policy) -> Iterator[Setting]:
    """A mapping is shown key by key, as it is merged."""
    control = enabled.control.name
    for setting, value in written_settings(enabled).items():
        entries = setting_entries(control, setting, flat)
        origins = {path[3:]: _origin(entry, policy) for path, entry in entries.items()}
        key = f"{CONTROLS}.{control}.{setting}"
        if isinstance(value, dict) and value:
            for part in sorted(value):
                yield Setting(f"{key}.{part}", value[part], origins.get((part,), DEFAULT))
        else:
            yield Setting(key, value, origins.get((), DEFAULT))


def _origin(entry: Entry | None, policy: Policy) -> str:
    if entry is None:
        return DEFAULT
    if not entry.file:
        return f"built in ({entry.origin})"
    place = f"{entry.file}:{entry.line}"
    return place if entry.origin == policy.name else f"{place} (extended from {entry.origin})"
