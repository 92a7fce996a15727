"""Every metric: name, kind, labels and what a rise means, in one table.

Labels are bounded: controls, outcomes, policies, causes, results, statuses and lines of the configuration, and never a
pod, an image or a user; a namespace only where the option for that is given.
"""

from dataclasses import dataclass
from typing import Literal

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
    """One row of the table: what it counts, and what its rise means.

    `flag` is the option of serve that it needs; one that is `sampled` is counted elsewhere, and read at each scrape.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    help: str
    rise: str
    flag: str = ""
    sampled: bool = False


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
        "400: something other than an API server sends requests. 408, 413, 431: slow or oversized ones. 500: a bug.",
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
        "hardener_cluster_synced",
        "gauge",
        ("resource",),
        "Whether a resource of the cluster has been listed (1) or not yet (0). Not with --standalone.",
        "All is well; where it stays 0, the log says what stands in the way.",
        sampled=True,
    ),
    Metric(
        "hardener_cluster_silence_seconds",
        "gauge",
        ("resource",),
        "Seconds since the API server last said anything about a resource; it does so about once a minute. Not with "
        "--standalone.",
        "The API server is out of reach, and facts may be out of date.",
        sampled=True,
    ),
    Metric(
        "hardener_cluster_watch_failures_total",
        "counter",
        ("resource",),
        "Lists and watches that failed and were tried again. Not with --standalone.",
        "The API server refuses or drops them: see the log, and the permissions of the service account.",
        sampled=True,
    ),
    Metric(
        "hardener_cluster_questions_total",
        "counter",
        ("result",),
        "Namespaces asked for because no watch had shown them yet (answered, missing, unanswered). Not with "
        "--standalone.",
        "answered: new namespaces, as it should be. unanswered: the API server takes longer than half a second.",
        sampled=True,
    ),
    Metric(
        "hardener_secret_writes_total",
        "counter",
        (),
        "Writes of the Secret with authority and serving certificate. Only with --tls-secret.",
        "A renewal, every few months; more often, somebody else changes the Secret.",
        sampled=True,
    ),
    Metric(
        "hardener_ca_bundle_writes_total",
        "counter",
        (),
        "Writes of the caBundle of a webhook configuration. Only with --tls-secret.",
        "A new authority, once in years; more often, Helm or a GitOps tool takes away what hardener wrote.",
        sampled=True,
    ),
    Metric(
        "hardener_config_reloads_total",
        "counter",
        ("result",),
        "Reads of a changed configuration file (good, bad).",
        "bad: the file has mistakes, and the last good one stays in force.",
    ),
    Metric(
        "hardener_config_good",
        "gauge",
        (),
        "Whether the configuration file, as it was last read, is the one in force (1) or has mistakes (0).",
        "A mistake was mended; while it is 0, the last good file stays in force.",
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
