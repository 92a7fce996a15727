"""The counting behind `hardener/metrics.py`: the metrics of one server.

What every review counts is counted in plain numbers, and shown to the library at each scrape: its own counters serve
threads, and their locks and look-ups cost several times as much as the count (docs/decisions/0017).
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector
from prometheus_client import Metric as PrometheusMetric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from hardener.admission import Answer, Explanation
from hardener.metrics import (
    DURATION_BUCKETS,
    ENGINE,
    MOST_NAMESPACES,
    NO_POLICY,
    OTHER_NAMESPACES,
    TABLE,
    UNKNOWN_CONTROL,
    Metric,
)
from hardener.model import Mode, OptOutCause, Outcome

Samples = Mapping[str, Sequence[tuple[tuple[str, ...], float]]]
"""Metric to its values, each with its labels."""


Counts = defaultdict[tuple[str, ...], int]
"""The values of a counter's labels to its count."""


class _Counted(Collector):
    """Counts, shown as a counter."""

    def __init__(self, row: Metric, counts: Counts) -> None:
        self._row = row
        self._counts = counts

    def collect(self) -> Iterator[PrometheusMetric]:
        family = CounterMetricFamily(self._row.name, self._row.help, labels=self._row.labels)
        for labels, count in self._counts.items():
            family.add_metric([*map(str, labels)], count)
        yield family


class _Durations(Collector):
    """A histogram of seconds without labels."""

    def __init__(self, row: Metric) -> None:
        self._row = row
        self._counts = [0] * (len(DURATION_BUCKETS) + 1)
        self._sum = 0.0

    def observe(self, seconds: float) -> None:
        self._counts[bisect_left(DURATION_BUCKETS, seconds)] += 1
        self._sum += seconds

    def collect(self) -> Iterator[PrometheusMetric]:
        bounds = [*map(str, DURATION_BUCKETS), "+Inf"]
        buckets = [*zip(bounds, accumulate(self._counts), strict=True)]
        yield HistogramMetricFamily(self._row.name, self._row.help, buckets, self._sum)


_FAMILIES: Mapping[str, type[CounterMetricFamily | GaugeMetricFamily]] = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
}


class _Sampled(Collector):
    """The rows that are read at each scrape."""

    def __init__(self) -> None:
        self.readers: list[Callable[[], Samples]] = []

    def collect(self) -> Iterator[PrometheusMetric]:
        samples = {name: values for read in self.readers for name, values in read().items()}
        for row in TABLE:
            if row.sampled:
                family = _FAMILIES[row.kind](row.name, row.help, labels=row.labels)
                for labels, value in samples.get(row.name, ()):
                    family.add_metric(labels, value)
                yield family


class Metrics:
    """The metrics of one server, in a registry of their own; by namespace too, if that is wanted."""

    def __init__(self, *, by_namespace: bool = False) -> None:
        self.registry = CollectorRegistry()
        self._rows = {metric.name: metric for metric in TABLE}
        ProcessCollector(registry=self.registry)
        self._reviews = self._counts("hardener_reviews_total")
        self._sampled = _Sampled()
        self._namespaces = self._counts("hardener_namespace_reviews_total") if by_namespace else None
        self._seen_namespaces: set[str] = set()
        self._duration = self._durations("hardener_review_duration_seconds")
        self._explanations = self._counter("hardener_explanations_total")
        self._explanation_duration = self._durations("hardener_explanation_duration_seconds")
        self._warnings = self._counts("hardener_warnings_total")
        self._exemptions = self._counter("hardener_exemptions_total")
        self._doubts = self._counter("hardener_doubts_total")
        self._opt_outs_ending = self._counter("hardener_opt_outs_ending_total")
        self._controls = self._counts("hardener_controls_total")
        self._opt_outs = self._counts("hardener_opt_outs_total")
        self._internal_errors = self._counter("hardener_internal_errors_total")
        self._http_errors = self._counter("hardener_http_errors_total")
        self._overload_refusals = self._counter("hardener_overload_refusals_total")
        self._connections_refused = self._counter("hardener_connections_refused_total")
        self._in_flight = self._gauge("hardener_in_flight_bytes")
        self._config_reloads = self._counter("hardener_config_reloads_total")
        self._config_good = self._gauge("hardener_config_good")
        self._config_last_good = self._gauge("hardener_config_last_good_timestamp_seconds")
        self._certificate_reloads = self._counter("hardener_certificate_reloads_total")
        self._certificate_expiry = self._gauge("hardener_certificate_expiry_timestamp_seconds")

    def observe(self, answer: Answer, namespace: str, seconds: float) -> None:
        """Count one answered review of a pod."""
        self._duration.observe(seconds)
        policy = NO_POLICY if answer.policy is None else answer.policy.name
        self._reviews[policy, answer.result] += 1
        if self._namespaces is not None:
            self._namespaces[self._bounded(namespace), answer.result] += 1
        if answer.warnings:
            self._warnings[("mutate",)] += len(answer.warnings)
        if answer.doubt is not None:
            self._doubts.labels(answer.doubt).inc()
        if answer.error is not None:
            self.internal_error(ENGINE)
        if answer.outcome is not None:
            self._observe_outcome(answer.outcome, policy)

    def observe_explanation(self, explanation: Explanation, seconds: float) -> None:
        """Count one answered review of a workload."""
        self._explanation_duration.observe(seconds)
        self._explanations.labels(explanation.result).inc()
        self._warnings[("explain",)] += len(explanation.warnings)
        if explanation.error is not None:
            self.internal_error(ENGINE)
        for verdict in explanation.failures:
            self.internal_error(verdict.control)

    def _observe_outcome(self, outcome: Outcome, policy: str) -> None:
        counts, enforce = self._controls, Mode.ENFORCE
        for verdict in outcome.verdicts:
            control = verdict.control
            if verdict.error is not None:
                counts[control, policy, "failed"] += 1
                self.internal_error(control)
                continue
            if verdict.writes:
                counts[control, policy, "applied" if verdict.mode is enforce else "announced"] += 1
            if verdict.skips:
                counts[control, policy, "held"] += 1
            elif not verdict.writes:
                counts[control, policy, "unchanged"] += 1
        for opt_out in outcome.opt_outs:
            known = opt_out.cause is not OptOutCause.UNKNOWN_CONTROL
            # A locked `*` is a known cause with a word that is no control's name, and the only one.
            self._opt_outs[opt_out.control if known else UNKNOWN_CONTROL, opt_out.cause] += 1
            if opt_out.ends_soon:
                self._opt_outs_ending.labels(opt_out.control).inc()
        for exempt in outcome.exempt:
            self._exemptions.labels(exempt.key).inc()

    def _bounded(self, namespace: str) -> str:
        """The label of a namespace: whoever reaches the port can make names up."""
        if namespace in self._seen_namespaces:
            return namespace
        if len(self._seen_namespaces) >= MOST_NAMESPACES:
            return OTHER_NAMESPACES
        self._seen_namespaces.add(namespace)
        return namespace

    def internal_error(self, control: str) -> None:
        """Count an error that is a bug of ours; `control` is a control's name or `ENGINE`."""
        self._internal_errors.labels(control).inc()

    def http_error(self, status: int) -> None:
        """Count a request that got an HTTP error instead of a review."""
        self._http_errors.labels(str(status)).inc()
        if status == 429:  # noqa: PLR2004 - OverloadError.status
            self._overload_refusals.inc()

    def connection_refused(self, cause: Literal["silent", "crowded", "unread"]) -> None:
        """Count a connection that was closed to stay within a bound."""
        self._connections_refused.labels(cause).inc()

    def watch_in_flight(self, read: Callable[[], float]) -> None:
        """Name the function that says how many bytes are in flight; it is asked at each scrape."""
        self._in_flight.set_function(read)

    def sample(self, read: Callable[[], Samples]) -> None:
        """Name a function that gives the values of some of the sampled rows; it is asked at each scrape."""
        if not self._sampled.readers:
            self.registry.register(self._sampled)
        self._sampled.readers.append(read)

    def config_read(self, good: bool, now: float) -> None:
        """Count a read of the configuration at Unix time `now`."""
        self._config_reloads.labels("good" if good else "bad").inc()
        self._config_good.set(good)
        if good:
            self._config_last_good.set(now)

    def certificate_read(self, expires: float | None) -> None:
        """Count a read of the certificate files; `expires` is the Unix time of a good one's end, None of a bad one."""
        self._certificate_reloads.labels("bad" if expires is None else "good").inc()
        if expires is not None:
            self._certificate_expiry.set(expires)

    def _counts(self, name: str) -> Counts:
        counts: Counts = defaultdict(int)
        self.registry.register(_Counted(self._rows[name], counts))
        return counts

    def _durations(self, name: str) -> _Durations:
        durations = _Durations(self._rows[name])
        self.registry.register(durations)
        return durations

    def _counter(self, name: str) -> Counter:
        row = self._rows[name]
        return Counter(row.name, row.help, row.labels, registry=self.registry)

    def _gauge(self, name: str) -> Gauge:
        row = self._rows[name]
        return Gauge(row.name, row.help, row.labels, registry=self.registry)
