"""What Prometheus can be asked for: the series of hardener, of its process and of the API server, with their labels."""

from hardener.metrics import TABLE

TARGET = {"job", "namespace", "pod", "instance", "service"}
"""Labels that Prometheus gives to whatever it scrapes."""

PROCESS = {"process_cpu_seconds_total": set(), "process_resident_memory_bytes": set()}
"""What prometheus_client's ProcessCollector shows."""

API_SERVER = {
    "apiserver_admission_webhook_admission_duration_seconds_bucket": {"name", "type", "operation", "rejected", "le"},
    "apiserver_admission_webhook_fail_open_count": {"name", "type"},
    "apiserver_admission_webhook_request_total": {"name", "type", "operation", "code", "rejected"},
    "apiserver_request_total": {
        "verb",
        "group",
        "version",
        "resource",
        "subresource",
        "scope",
        "component",
        "code",
        "dry_run",
    },
}
"""What the API server shows, with its labels (k/apiserver `pkg/admission/metrics`, `pkg/endpoints/metrics`)."""


def known_labels():
    """Every series that can be asked for, and its labels."""
    known = {name: set(labels) for name, labels in {**PROCESS, **API_SERVER}.items()}
    for metric in TABLE:
        if metric.kind == "histogram":
            known |= {f"{metric.name}_{part}": set(metric.labels) for part in ("count", "sum")}
            known[f"{metric.name}_bucket"] = {*metric.labels, "le"}
        else:
            known[metric.name] = set(metric.labels)
    return known
