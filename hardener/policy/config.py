"""Config: everything that a configuration file decides, and the choice of a namespace's policy."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec

from hardener.model.workloads import Templates
from hardener.policy.exemptions import UserExemptions
from hardener.policy.flat import Flat
from hardener.policy.namespaces import Labels, Rule
from hardener.policy.policy import Policy


class OnError(StrEnum):
    """The answer when a control or the engine fails."""

    ALLOW = "allow"
    DENY = "deny"


POLICY_LABEL = "hardener.dev/policy"
"""The label by which a namespace chooses one of the `selectable` policies."""


class Doubt(StrEnum):
    """What stood in the way of choosing a policy; a metric label."""

    REFUSED_LABEL = "refused-label"
    UNKNOWN_LABELS = "unknown-labels"


class Selection(msgspec.Struct, frozen=True, gc=False):
    """The policy of a namespace, and what chose it.

    `rule` is the index of the rule that did; without one it was the namespace's label, or the default. With a `doubt`,
    `label` is the refused value, or empty where the labels are not known.
    """

    policy: Policy
    rule: int | None
    by_label: bool = False
    doubt: Doubt | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration, ready for use.

    `policies` holds the built-in ones too, `dry_run` each of them enforcing nothing; `templates` are the kinds that hold
    pods beside those of Kubernetes itself; `flat` has what each policy says and where that is written. `file` is the
    file's name as it was given.
    """

    policies: Mapping[str, Policy]
    dry_run: Mapping[str, Policy]
    rules: tuple[Rule, ...]
    default: Policy
    selectable: frozenset[str]
    exempt_users: UserExemptions | None
    on_error: OnError
    templates: Templates
    flat: Mapping[str, Flat]
    file: str

    def capped(self) -> "Config":
        """The same configuration, under which nothing is ever enforced, and nothing refused."""
        return replace(self, policies=self.dry_run, default=self.dry_run[self.default.name], on_error=OnError.ALLOW)

    def select(self, namespace: str, labels: Labels | None = None, *, known: bool = True) -> Selection:
        """Choose the policy of a namespace: its label, else the first rule that matches, else the default.

        Labels of None match no rule that asks for any. Where they are None since the namespace is not `known`, because the
        cluster has not told of it yet, and might decide, nothing is enforced (design.md 4).
        """
        untold = labels is None and not known
        label = labels.get(POLICY_LABEL) if labels else None
        if label in self.selectable:
            return Selection(self.policies[label], None, by_label=True)
        undecided = untold and bool(self.selectable)
        for index, rule in enumerate(self.rules):
            if rule.matches(namespace, labels):
                refused = None if rule.asks_for(POLICY_LABEL) else label
                return self._selection(self.policies[rule.policy], index, refused, undecided)
            undecided = undecided or (untold and rule.fits_name(namespace))
        return self._selection(self.default, None, label, undecided)

    def _selection(self, policy: Policy, rule: int | None, label: str | None, undecided: bool) -> Selection:
        if undecided:
            return Selection(self.dry_run[policy.name], rule, doubt=Doubt.UNKNOWN_LABELS)
        if label is not None:
            return Selection(policy, rule, doubt=Doubt.REFUSED_LABEL, label=label)
        return Selection(policy, rule)
