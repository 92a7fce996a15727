"""The API server's own measure of how long it has waited for a webhook."""

import re
from dataclasses import dataclass
from math import inf

from tests.e2e.cluster import Cluster

METRIC = "apiserver_admission_webhook_admission_duration_seconds"
BAR = 50
"""Characters of the longest bar."""

_LINE = re.compile(rf"{METRIC}_bucket\{{(.*)\}} (\S+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Latency:
    """`buckets` maps upper bounds in seconds to the calls that took so long or less, as Prometheus counts."""

    webhook: str
    buckets: dict[float, int]

    @property
    def calls(self) -> int:
        return max(self.buckets.values(), default=0)

    def longer_than(self, seconds: float) -> int:
        """How many calls took longer than a bound of the histogram."""
        return self.calls - self.buckets[seconds]

    @property
    def text(self) -> str:
        """The histogram in lines."""
        lines = [f"{METRIC} of {self.webhook}, {self.calls} calls"]
        below = 0
        for bound, count in sorted(self.buckets.items()):
            share = (count - below) / (self.calls or 1)
            name = "longer" if bound == inf else f"up to {bound:g} s"
            lines.append(f"{name:>14} {count - below:>6} {share:>6.1%} {'#' * round(share * BAR)}".rstrip())
            below = count
        return "\n".join(lines)


def latency(cluster: Cluster, webhook: str) -> Latency:
    """What an API server has measured so far for a webhook."""
    buckets: dict[float, int] = {}
    for labels, count in _LINE.findall(cluster.metrics()):
        named = dict(_LABEL.findall(labels))
        if named["name"] == webhook:
            bound = float(named["le"].replace("+Inf", "inf"))
            buckets[bound] = buckets.get(bound, 0) + int(float(count))
    return Latency(webhook, buckets)
