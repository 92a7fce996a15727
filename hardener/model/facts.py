"""What a cluster knows beyond the pod: LimitRanges, quotas, service accounts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from hardener.model.quantity import EXACT

Amounts = Mapping[str, Decimal]
"""Resource name to exact amount."""


@dataclass(frozen=True, slots=True)
class LimitRange:
    """One item of a LimitRange's `limits`; `type` is Container or Pod.

    Defaults are not held: LimitRanger writes them into the pod before any webhook sees it (semantics.md 1.1).
    """

    type: str
    min: Amounts = field(default_factory=dict)
    max: Amounts = field(default_factory=dict)
    max_limit_request_ratio: Amounts = field(default_factory=dict)

    def refuses(self, resource: str, request: Decimal | None, limit: Decimal | None) -> bool:
        """Say whether LimitRanger would refuse this request and limit of one container, or of a pod in all.

        None is an amount that is not named. Source: `minConstraint`, `maxConstraint` and `limitRequestRatioConstraint`
        in plugin/pkg/admission/limitranger/admission.go.
        """
        least, most, ratio = (table.get(resource) for table in (self.min, self.max, self.max_limit_request_ratio))
        if least is not None and (request is None or request < least or (limit is not None and limit < least)):
            return True
        if most is not None and (limit is None or limit > most or (request is not None and request > most)):
            return True
        return ratio is not None and (not request or not limit or limit > EXACT.multiply(ratio, request))


@dataclass(frozen=True, slots=True)
class Quota:
    """A ResourceQuota: the scopes that select its pods, and the resources that it bounds."""

    scopes: frozenset[str] = frozenset()
    hard: frozenset[str] = frozenset()

    @property
    def counts_only_pods_with_requests(self) -> bool:
        """Whether a pod comes under it by no longer being of the class BestEffort."""
        return "NotBestEffort" in self.scopes


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one namespace.

    `known` is False in a cluster whose watch has not shown the namespace yet. Without a cluster there is nothing to
    know: no LimitRange, no quota, and no account that says anything. `labels` are the namespace's own; None where they
    are not known, or where there is no cluster that could have any.
    `token_accounts` are the service accounts that say `automountServiceAccountToken: true` themselves.
    """

    known: bool = True
    labels: Mapping[str, str] | None = None
    limit_ranges: tuple[LimitRange, ...] = ()
    quotas: tuple[Quota, ...] = ()
    token_accounts: frozenset[str] = frozenset()


STANDALONE = Facts()
UNKNOWN = Facts(known=False)
