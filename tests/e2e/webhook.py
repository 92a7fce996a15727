"""Hardener: the real program as a process of its own, and how the API server is told to call a webhook."""

import base64
import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from hardener.tls import self_signed
from tests.e2e.cluster import Cluster, Json
from tests.e2e.processes import Process
from tests.e2e.waiting import eventually

CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
LABEL = "e2e.hardener.dev/webhook"
"""Namespaces labelled `true` get the webhook `zz-hardener` of the fixtures."""

ROOT = Path(__file__).parents[2]
LOOPBACK = "127.0.0.1"
_PROBE: Json = {"metadata": {"name": "probe"}, "spec": {"containers": [{"name": "probe", "image": "probe:1"}]}}
_NOT_FOUND, _CONFLICT, _CREATED = 404, 409, 201


class Hardener:
    """`hardener serve --standalone` on the loopback address; a context manager.

    It keeps its port and its certificate through `stop()`, `start()` and `restart()`. Without `config` (a file), the
    embedded configuration is in force.
    """

    def __init__(self, config: Path | None = None, *, arguments: Sequence[str] = ()) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hardener-e2e-webhook-"))
        pair = self_signed((LOOPBACK, "localhost"), datetime.now(UTC), days=2)
        self.certificate_file, self.key_file = self.folder / "tls.crt", self.folder / "tls.key"
        self.certificate_file.write_bytes(pair.certificate)
        self.key_file.write_bytes(pair.key)
        self.ca_bundle = base64.b64encode(pair.certificate).decode()
        self._config = config
        self._arguments = arguments
        self._process: Process | None = None
        self._port = 0
        self.metrics_url = ""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def url(self) -> str:
        """Without a path."""
        return f"https://{LOOPBACK}:{self._port}"

    def start(self) -> None:
        """Start it; at the second time, on the same port."""
        started = len(self._servings())
        self._process = Process(
            [sys.executable, "-m", "hardener", "serve", "--standalone", *self._flags(), *self._arguments],
            self.folder / "log",
            {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        self._process.wait_until(lambda: len(self._servings()) > started)
        serving = self._servings()[-1]
        self._port = int(str(serving["mutate"]).rpartition(":")[2].partition("/")[0])
        self.metrics_url = str(serving["metrics"])

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.end(number)

    def restart(self) -> None:
        self.stop()
        self.start()

    def log(self) -> list[Json]:
        """The lines of its log so far."""
        path = self.folder / "log"
        if not path.exists():
            return []
        whole = path.read_bytes().rpartition(b"\n")[0]
        return [json.loads(line) for line in whole.splitlines() if line.startswith(b"{")]

    def _flags(self) -> list[str]:
        flags = [f"--address={LOOPBACK}", f"--port={self._port}", "--metrics-port=0", "--shutdown-delay=0"]
        flags += [f"--tls-cert-file={self.certificate_file}", f"--tls-private-key-file={self.key_file}"]
        return flags if self._config is None else [*flags, f"--config={self._config}"]

    def _servings(self) -> list[Json]:
        return [line for line in self.log() if line.get("message") == "serving"]


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
        "rules": [
            {
                "operations": ["CREATE"],
                "apiGroups": [""],
                "apiVersions": ["v1"],
                "resources": ["pods"],
                "scope": "Namespaced",
            }
        ],
        "failurePolicy": failure_policy,
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "reinvocationPolicy": reinvocation_policy,
        "timeoutSeconds": timeout,
    }
    if namespace_selector is not None:
        webhook["namespaceSelector"] = dict(namespace_selector)
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [webhook],
    }


def register_hardener(cluster: Cluster, hardener: Hardener) -> None:
    """Register it as `zz-hardener` for namespaces with the label."""
    selector = {"matchLabels": {LABEL: "true"}}
    configuration = webhook_configuration(
        "zz-hardener",
        hardener.url,
        hardener.ca_bundle,
        namespace_selector=selector,
        webhook_name="pods.hardener.dev",
    )
    register(cluster, configuration)


def register(cluster: Cluster, configuration: Json) -> None:
    """Create or replace a configuration, and wait until the API server calls its webhook for a new pod.

    Whatever the webhook answers counts as called, and a time-out as well. The probe is a pod, dry-run, in a namespace
    with the labels that the selector's `matchLabels` asks for.
    """
    name = configuration["metadata"]["name"]
    made = cluster.request("POST", CONFIGURATIONS, configuration)
    if made.status == _CONFLICT:
        unregister(cluster, configuration)
        made = cluster.request("POST", CONFIGURATIONS, configuration)
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
    gone = cluster.request("DELETE", f"{CONFIGURATIONS}/{name}")
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
    cluster.request("POST", f"/api/v1/namespaces/{namespace}/pods", _PROBE, query={"dryRun": "All"})
    return calls(cluster, _webhook_name(configuration))


def _webhook_name(configuration: Json) -> str:
    return str(configuration["webhooks"][0]["name"])


def _probe_namespace(cluster: Cluster, configuration: Json) -> str:
    """A namespace of the configuration's own that its selector chooses."""
    name = f"probe-{configuration['metadata']['name']}"
    if cluster.request("GET", f"/api/v1/namespaces/{name}").status == _NOT_FOUND:
        selector = configuration["webhooks"][0].get("namespaceSelector") or {}
        cluster.make_namespace(name, selector.get("matchLabels"))
    return name
