"""Every metric: name, kind, labels and what a rise means, in one table; and the counting itself.

Labels are bounded: controls, outcomes, policies, causes, results, statuses and lines of the configuration, and never a
pod, an image, a namespace or a user. A child is looked up by name once, since the library's own look-up costs four times as much as the
count (design.md 7).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from hardener.admission import Answer, Explanation
from hardener.model import Mode, OptOutCause, Outcome

DURATION_BUCKETS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Seconds."""

NO_POLICY = ""
"""The label of a review that came to no policy, such as an update."""

UNKNOWN_CONTROL = "unknown"
"""The label that stands for every word that names no control, since people write what they like."""

MOST_NAMESPACES = 10_000
OTHER_NAMESPACES = "(others)"

ENGINE = "engine"
"""The label of an internal error outside of any control."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table: what it counts, and what its rise means; `flag` is the option of serve that it needs."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str
    rise: str
    flag: str = ""


TABLE = (
    Metric(
        "hardener_reviews_total",
        "counter",
        ("policy", "result"),
        "Reviews of pods answered, by policy and result (patched, announced, unchanged, exempt, ignored, misfit, failed, "
        "denied). An unchanged pod may still have got the annotations that say so.",
        "failed or denied: hardener has a bug, and pods go without a control or are refused. ignored: it is registered "
        "for more than the creation of pods.",
    ),
    Metric(
        "hardener_namespace_reviews_total",
        "counter",
        ("namespace", "result"),
        f"Reviews of pods answered, by namespace and result; namespaces beyond {MOST_NAMESPACES} are counted together.",
        "See hardener_reviews_total.",
        flag="--namespace-metrics",
    ),
    Metric(
        "hardener_review_duration_seconds",
        "histogram",
        (),
        "Time from a whole request body to the encoded answer, for pods.",
        "Every pod creation waits longer: the process lacks CPU, or pods are very large.",
    ),
    Metric(
        "hardener_controls_total",
        "counter",
        ("control", "policy", "outcome"),
        "Decisions of each control (applied, announced, held, unchanged, failed); one that changed a container and held "
        "back on another counts under both.",
        "held: more pods contradict the control. failed: the control has a bug.",
    ),
    Metric(
        "hardener_opt_outs_total",
        "counter",
        ("control", "cause"),
        "Opt-outs that pods asked for, by control and by why they count or do not.",
        "accepted: less is hardened. Any other cause: annotations that do nothing, and people who believe that they do.",
    ),
    Metric(
        "hardener_opt_outs_ending_total",
        "counter",
        ("control",),
        "Accepted opt-outs that end within 14 days, at each pod that carries one.",
        "Workloads that will be hardened soon; their owners have to act before their pods are made anew.",
    ),
    Metric(
        "hardener_exemptions_total",
        "counter",
        ("line",),
        "Pods and containers that the configuration exempts, by the key of the line that does.",
        "More is left alone than before: see whether the line means what it says.",
    ),
    Metric(
        "hardener_doubts_total",
        "counter",
        ("cause",),
        "Pods whose policy was not the one asked for (refused-label: the namespace's label names a policy that is not "
        "selectable) or not certain (unknown-labels: nothing was enforced).",
        "refused-label: somebody's label does nothing. unknown-labels: the cluster's facts do not arrive in time.",
    ),
    Metric(
        "hardener_explanations_total",
        "counter",
        ("result",),
        "Reviews of workloads answered (explained, unchanged, spared, ignored, misfit, failed).",
        "failed: hardener has a bug. misfit: objects that the API server will refuse.",
    ),
    Metric(
        "hardener_explanation_duration_seconds",
        "histogram",
        (),
        "Time from a whole request body to the encoded answer, for workloads.",
        "Every kubectl apply of a workload waits longer.",
    ),
    Metric(
        "hardener_warnings_total",
        "counter",
        ("endpoint",),
        "Warnings sent, by endpoint (mutate, explain).",
        "People see more of hardener: look for a cause in the opt-outs and the controls that held back.",
    ),
    Metric(
        "hardener_internal_errors_total",
        "counter",
        ("control",),
        "Errors inside hardener, by the control that failed, or engine.",
        "A bug; the log has its trace.",
    ),
    Metric(
        "hardener_http_errors_total",
        "counter",
        ("status",),
        "Requests answered with an HTTP error.",
        "400: something other than an API server sends requests. 408, 413: slow or oversized ones. 500: a bug.",
    ),
    Metric(
        "hardener_overload_refusals_total",
        "counter",
        (),
        "Requests refused with 429 because too many bytes were in flight.",
        "The API server has to try again, and more replicas are needed.",
    ),
    Metric(
        "hardener_connections_refused_total",
        "counter",
        ("cause",),
        "Connections closed to stay within a bound (silent: no request in time; crowded: too many connections; "
        "unread: answers that the client did not read).",
        "Clients hold connections without using them.",
    ),
    Metric(
        "hardener_in_flight_bytes",
        "gauge",
        (),
        "Bytes of request bodies being handled.",
        "If it lasts, answers are slower than requests.",
    ),
    Metric(
        "hardener_config_reloads_total",
        "counter",
        ("result",),
        "Reads of a changed configuration file (good, bad).",
        "bad: the file has mistakes, and the last good one stays in force.",
    ),
    Metric(
        "hardener_config_last_good_timestamp_seconds",
        "gauge",
        (),
        "Unix time when the configuration in force was read.",
        "A changed file was taken over.",
    ),
    Metric(
        "hardener_certificate_reloads_total",
        "counter",
        ("result",),
        "Reads of changed certificate files (good, bad).",
        "bad: the files do not fit, and the last good pair stays in use.",
    ),
    Metric(
        "hardener_certificate_expiry_timestamp_seconds",
        "gauge",
        (),
        "Unix time when the serving certificate expires.",
        "It was renewed; where it does not rise, alert when the time comes near.",
    ),
)

Child = TypeVar("Child")


class _Children(dict[tuple[str, ...], Child], Generic[Child]):
    """The children of one metric by their label values, each made when it is first counted."""

    def __init__(self, make: Callable[..., Child]) -> None:
        self._make = make

    def __missing__(self, labels: tuple[str, ...]) -> Child:
        child = self[labels] = self._make(*labels)
        return child


class Metrics:
    """The metrics of one server, in a registry of their own; by namespace too, if that is wanted."""

    def __init__(self, *, by_namespace: bool = False) -> None:
        self.registry = CollectorRegistry()
        self._rows = {metric.name: metric for metric in TABLE}
        ProcessCollector(registry=self.registry)
        self._reviews = _Children(self._counter("hardener_reviews_total").labels)
        self._namespaces = _Children(self._counter("hardener_namespace_reviews_total").labels) if by_namespace else None
        self._seen_namespaces: set[str] = set()
        self._duration = self._histogram("hardener_review_duration_seconds")
        self._explanations = self._counter("hardener_explanations_total")
        self._explanation_duration = self._histogram("hardener_explanation_duration_seconds")
        self._warnings = _Children(self._counter("hardener_warnings_total").labels)
        self._exemptions = self._counter("hardener_exemptions_total")
        self._doubts = self._counter("hardener_doubts_total")
        self._opt_outs_ending = self._counter("hardener_opt_outs_ending_total")
        self._controls = _Children(self._counter("hardener_controls_total").labels)
        self._opt_outs = _Children(self._counter("hardener_opt_outs_total").labels)
        self._internal_errors = self._counter("hardener_internal_errors_total")
        self._http_errors = self._counter("hardener_http_errors_total")
        self._overload_refusals = self._counter("hardener_overload_refusals_total")
        self._connections_refused = self._counter("hardener_connections_refused_total")
        self._in_flight = self._gauge("hardener_in_flight_bytes")
        self._config_reloads = self._counter("hardener_config_reloads_total")
        self._config_last_good = self._gauge("hardener_config_last_good_timestamp_seconds")
        self._certificate_reloads = self._counter("hardener_certificate_reloads_total")
        self._certificate_expiry = self._gauge("hardener_certificate_expiry_timestamp_seconds")

    def observe(self, answer: Answer, namespace: str, seconds: float) -> None:
        """Count one answered review of a pod."""
        self._duration.observe(seconds)
        policy = NO_POLICY if answer.policy is None else answer.policy.name
        self._reviews[policy, answer.result].inc()
        if self._namespaces is not None:
            self._namespaces[self._bounded(namespace), answer.result].inc()
        if answer.warnings:
            self._warnings[("mutate",)].inc(len(answer.warnings))
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
        self._warnings[("explain",)].inc(len(explanation.warnings))
        if explanation.error is not None:
            self.internal_error(ENGINE)
        for verdict in explanation.failures:
            self.internal_error(verdict.control)

    def _observe_outcome(self, outcome: Outcome, policy: str) -> None:
        for verdict in outcome.verdicts:
            control = verdict.control
            if verdict.error is not None:
                self._controls[control, policy, "failed"].inc()
                self.internal_error(control)
                continue
            if verdict.writes:
                self._controls[control, policy, "applied" if verdict.mode is Mode.ENFORCE else "announced"].inc()
            if verdict.skips:
                self._controls[control, policy, "held"].inc()
            elif not verdict.writes:
                self._controls[control, policy, "unchanged"].inc()
        for opt_out in outcome.opt_outs:
            known = opt_out.cause is not OptOutCause.UNKNOWN_CONTROL
            # A locked `*` is a known cause with a word that is no control's name, and the only one.
            self._opt_outs[opt_out.control if known else UNKNOWN_CONTROL, opt_out.cause].inc()
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

    def config_read(self, good: bool, now: float) -> None:
        """Count a read of the configuration at Unix time `now`."""
        self._config_reloads.labels("good" if good else "bad").inc()
        if good:
            self._config_last_good.set(now)

    def certificate_read(self, expires: float | None) -> None:
        """Count a read of the certificate files; `expires` is the Unix time of a good one's end, None of a bad one."""
        self._certificate_reloads.labels("bad" if expires is None else "good").inc()
        if expires is not None:
            self._certificate_expiry.set(expires)

    def _counter(self, name: str) -> Counter:
        row = self._rows[name]
        return Counter(row.name, row.help, row.labels, registry=self.registry)

    def _histogram(self, name: str) -> Histogram:
        row = self._rows[name]
        return Histogram(row.name, row.help, buckets=DURATION_BUCKETS, registry=self.registry)

    def _gauge(self, name: str) -> Gauge:
        row = self._rows[name]
        return Gauge(row.name, row.help, row.labels, registry=self.registry)
