"""How the API server is told to call a webhook, and when it does."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.cluster import Cluster, Json
from tests.e2e.waiting import eventually
from tests.e2e.webhook import Hardener

REGISTRATION = "/apis/admissionregistration.k8s.io/v1"
CONFIGURATIONS = f"{REGISTRATION}/mutatingwebhookconfigurations"
LABEL = "e2e.hardener.dev/webhook"
"""Namespaces labelled `true` get the webhook `zz-hardener` of the fixtures."""

LABELLED = {"matchLabels": {LABEL: "true"}}

_CONTAINERS: Json = {"containers": [{"name": "probe", "image": "probe:1"}]}
_METADATA: Json = {"name": "probe"}
_PROBES: Mapping[str, Json] = {
    "pods": {"metadata": _METADATA, "spec": _CONTAINERS},
    "podtemplates": {"metadata": _METADATA, "template": {"spec": _CONTAINERS}},
}
"""What makes the API server call a webhook that changes, and one that only looks on, by the plural of its kind."""

_NOT_FOUND, _CONFLICT, _CREATED = 404, 409, 201


def webhook_configuration(
    name: str,
    url: str,
    ca_bundle: str,
    *,
    path: str = "/mutate",
    namespace_selector: Mapping[str, Any] | None = None,
    failure_policy: str = "Fail",
    reinvocation_policy: str = "IfNeeded",
    timeout: int = 5,
    webhook_name: str | None = None,
) -> Json:
    """A MutatingWebhookConfiguration with one webhook, for the creation of pods.

    `ca_bundle` is base64 of PEM, as the field has it. The webhook is named `<name>.e2e.hardener.dev` unless told
    otherwise; registering waits by that name, so that two live configurations should not share one.
    """
    webhook: Json = {
        "name": webhook_name or f"{name}.e2e.hardener.dev",
        "clientConfig": {"url": f"{url}{path}", "caBundle": ca_bundle},
        "rules": [_rule(("CREATE",), "", ["pods"])],
        "failurePolicy": failure_policy,
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "reinvocationPolicy": reinvocation_policy,
        "timeoutSeconds": timeout,
    }
    if namespace_selector is not None:
        webhook["namespaceSelector"] = dict(namespace_selector)
    return _configuration("MutatingWebhookConfiguration", name, webhook)


def explain_configuration(
    name: str,
    url: str,
    ca_bundle: str,
    *,
    namespace_selector: Mapping[str, Any] | None = None,
    timeout: int = 5,
    webhook_name: str | None = None,
) -> Json:
    """A ValidatingWebhookConfiguration with one webhook, for whatever holds the template of a pod.

    It may fail: who applies something then learns less. The rest is as in `webhook_configuration`.
    """
    changes = ("CREATE", "UPDATE")
    webhook: Json = {
        "name": webhook_name or f"{name}.e2e.hardener.dev",
        "clientConfig": {"url": f"{url}/explain", "caBundle": ca_bundle},
        "rules": [
            _rule(changes, "apps", ["deployments", "statefulsets", "daemonsets", "replicasets"]),
            _rule(changes, "batch", ["jobs", "cronjobs"]),
            _rule(changes, "", ["podtemplates", "replicationcontrollers"]),
        ],
        "failurePolicy": "Ignore",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": timeout,
    }
    if namespace_selector is not None:
        webhook["namespaceSelector"] = dict(namespace_selector)
    return _configuration("ValidatingWebhookConfiguration", name, webhook)


def reached_by_service(configuration: Json, namespace: str, name: str) -> Json:
    """The configuration for a webhook behind a Service, at the same path."""
    (webhook,) = configuration["webhooks"]
    client = webhook["clientConfig"]
    service = {"namespace": namespace, "name": name, "path": urlsplit(client["url"]).path}
    client = {"caBundle": client["caBundle"], "service": service}
    return {**configuration, "webhooks": [{**webhook, "clientConfig": client}]}


def configurations(url: str, ca_bundle: str, namespace_selector: Mapping[str, Any] = LABELLED) -> tuple[Json, Json]:
    """Hardener as it should be registered: for pods, and for explanations."""
    pods = webhook_configuration(
        "zz-hardener", url, ca_bundle, namespace_selector=namespace_selector, webhook_name="pods.hardener.dev"
    )
    workloads = explain_configuration(
        "hardener-explain", url, ca_bundle, namespace_selector=namespace_selector, webhook_name="workloads.hardener.dev"
    )
    return pods, workloads


def register_hardener(cluster: Cluster, hardener: Hardener, *, explains: bool = False) -> None:
    """Register it as `zz-hardener` for namespaces with the label, and as `hardener-explain` if that is wanted."""
    pods, workloads = configurations(hardener.url, hardener.ca_bundle)
    register(cluster, pods)
    if explains:
        register(cluster, workloads)


def register(cluster: Cluster, configuration: Json) -> None:
    """Create or replace a configuration, and wait until the API server calls its webhook.

    Whatever the webhook answers counts as called, and a time-out as well. The probe is a pod or a
    PodTemplate, dry-run, in a namespace with the labels that the selector's `matchLabels` asks for.
    """
    name = configuration["metadata"]["name"]
    made = cluster.request("POST", _path(configuration), configuration)
    if made.status == _CONFLICT:
        unregister(cluster, configuration)
        made = cluster.request("POST", _path(configuration), configuration)
    assert made.status == _CREATED, made.body
    namespace = _probe_namespace(cluster, configuration)
    before = calls(cluster, _webhook_name(configuration))
    eventually(
        lambda: _calls_after_a_probe(cluster, configuration, namespace) > before,
        what=f"the API server calls {name}",
    )


def unregister(cluster: Cluster, configuration: Json) -> None:
    """Delete a configuration, and wait until the API server no longer calls its webhook."""
    name = configuration["metadata"]["name"]
    gone = cluster.request("DELETE", f"{_path(configuration)}/{name}")
    assert gone.ok or gone.status == _NOT_FOUND, gone.body
    namespace = _probe_namespace(cluster, configuration)

    def is_left_alone() -> bool:
        before = calls(cluster, _webhook_name(configuration))
        return _calls_after_a_probe(cluster, configuration, namespace) == before

    eventually(is_left_alone, what=f"the API server no longer calls {name}")


def calls(cluster: Cluster, webhook_name: str) -> int:
    """How often the API server has called a webhook, by its own metric."""
    prefix = "apiserver_admission_webhook_admission_duration_seconds_count{"
    lines = (line for line in cluster.metrics().splitlines() if line.startswith(prefix))
    return sum(int(float(line.rpartition(" ")[2])) for line in lines if f'name="{webhook_name}"' in line)


def _calls_after_a_probe(cluster: Cluster, configuration: Json, namespace: str) -> int:
    plural = "pods" if configuration["kind"].startswith("Mutating") else "podtemplates"
    cluster.request("POST", f"/api/v1/namespaces/{namespace}/{plural}", _PROBES[plural], query={"dryRun": "All"})
    return calls(cluster, _webhook_name(configuration))


def _rule(operations: Sequence[str], group: str, resources: list[str]) -> Json:
    return {
        "operations": list(operations),
        "apiGroups": [group],
        "apiVersions": ["v1"],
        "resources": resources,
        "scope": "Namespaced",
    }


def _configuration(kind: str, name: str, webhook: Json) -> Json:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "webhooks": [webhook],
    }


def _path(configuration: Json) -> str:
    return f"{REGISTRATION}/{configuration['kind'].lower()}s"


def _webhook_name(configuration: Json) -> str:
    return str(configuration["webhooks"][0]["name"])


def _probe_namespace(cluster: Cluster, configuration: Json) -> str:
    """A namespace of the configuration's own that its selector chooses."""
    name = f"probe-{configuration['metadata']['name']}"
    if cluster.request("GET", f"/api/v1/namespaces/{name}").status == _NOT_FOUND:
        selector = configuration["webhooks"][0].get("namespaceSelector") or {}
        cluster.make_namespace(name, selector.get("matchLabels"))
    return name
