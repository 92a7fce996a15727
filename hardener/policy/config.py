"""Config: everything that a configuration file decides, and the choice of a namespace's policy."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hardener.policy.flat import Flat
from hardener.policy.namespaces import Labels, Rule
from hardener.policy.policy import Policy


class OnError(StrEnum):
    """The answer when a control or the engine fails."""

    ALLOW = "allow"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Selection:
    """The policy of a namespace, and the index of the rule that chose it; None where no rule matched."""

    policy: Policy
    rule: int | None


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration, ready for use.

    `policies` holds the built-in ones too; `flat` has what each of them says and where that is written. `file` is the
    file's name as it was given.
    """

    policies: Mapping[str, Policy]
    rules: tuple[Rule, ...]
    default: Policy
    on_error: OnError
    flat: Mapping[str, Flat]
    file: str

    def select(self, namespace: str, labels: Labels | None = None) -> Selection:
        """Choose the policy of a namespace: the first rule that matches decides; None are labels that are not known."""
        for index, rule in enumerate(self.rules):
            if rule.matches(namespace, labels):
                return Selection(self.policies[rule.policy], index)
        return Selection(self.default, None)
