"""Where traps are judged: an API server, the real webhook, and a double that gives the naive answers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.e2e.cluster import Cluster, Json, Reply
from tests.e2e.double import Double
from tests.e2e.registration import register, unregister, webhook_configuration
from tests.e2e.webhook import Hardener
from tests.traps.rows import Row

OURS = "e2e.hardener.dev/traps"
"""Label of a namespace: `pods` calls hardener for new pods, as it should be, `all` for whatever is done to pods."""

NAIVE = "e2e.hardener.dev/traps-naive"
"""Label of a namespace: one of `NAIVE_WEBHOOKS` is called, at that path of the double."""

LATE = "e2e.hardener.dev/traps-late"
"""Label of a namespace: with `true`, the path `/late` of the double is called after hardener."""

OUR_WEBHOOK = "pods.traps.hardener.dev"

_ALL: Json = {
    "operations": ["*"],
    "apiGroups": [""],
    "apiVersions": ["v1"],
    "resources": ["pods", "pods/*"],
    "scope": "Namespaced",
}

NAIVE_WEBHOOKS: Mapping[str, Json] = {
    "once": {"reinvocationPolicy": "Never"},
    "again": {"reinvocationPolicy": "IfNeeded"},
    "all": {"reinvocationPolicy": "Never", "rules": [_ALL]},
}
"""What differs from a webhook for new pods."""

_CREATED, _CONFLICT = 201, 409


@dataclass(frozen=True)
class Bench:
    """A cluster in which namespaces choose their webhooks by labels."""

    cluster: Cluster
    double: Double

    @property
    def minor(self) -> int:
        """The minor version of the API server."""
        return int(self.cluster.request("GET", "/version").body["minor"])

    def namespace(
        self,
        name: str | None = None,
        *,
        ours: str | None = None,
        naive: str | None = None,
        late: bool = False,
        labels: Mapping[str, str] | None = None,
    ) -> str:
        """Make a namespace with these webhooks and labels."""
        chosen = {OURS: ours, NAIVE: naive, LATE: "true" if late else None}
        wanted = {key: value for key, value in chosen.items() if value is not None}
        return self.cluster.make_namespace(name, {**wanted, **(labels or {})})

    def create(self, pod: Json, namespace: str, *, dry_run: bool = True) -> Reply:
        """Ask for a pod. A server-side dry run goes through all of admission, and leaves nothing behind."""
        query = {"dryRun": "All"} if dry_run else None
        return self.cluster.request("POST", pods(namespace), pod, query=query)

    def send(self, row: Row, namespace: str) -> Reply:
        """Ask for the pod of a row, after making what it needs."""
        for obj in row.needs:
            if obj["kind"] == "ServiceAccount":
                self.cluster.make_service_account(namespace, obj["metadata"]["name"])
            else:
                assert obj["kind"] == "RuntimeClass", obj
                made = self.cluster.request("POST", "/apis/node.k8s.io/v1/runtimeclasses", obj)
                assert made.status in (_CREATED, _CONFLICT), made.body
        return self.create(row.document, namespace)


@contextmanager
def set_up(cluster: Cluster, hardener: Hardener) -> Iterator[Bench]:
    """Register hardener between the double's early and late webhooks, and take them away at the end."""
    with Double() as double:
        rules = {"pods": {}, "all": {"rules": [_ALL]}}
        ours = [_webhook(hardener, OURS, name, "/mutate", changes) for name, changes in rules.items()]
        early = [_webhook(double, NAIVE, name, f"/{name}", changes) for name, changes in NAIVE_WEBHOOKS.items()]
        late = [_webhook(double, LATE, "true", "/late", {"reinvocationPolicy": "Never"})]
        named = {"a-traps": early, "zz-hardener-traps": ours, "zzz-traps": late}
        configurations = [_configuration(name, webhooks) for name, webhooks in named.items()]
        for configuration in configurations:
            register(cluster, configuration)
        yield Bench(cluster, double)
        for configuration in configurations:
            unregister(cluster, configuration)


def pods(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods"


def pod(**changes: Any) -> Json:
    """A pod with one silent container `app`, and these fields of its metadata beside its name."""
    return {"metadata": {"name": "web", **changes}, "spec": {"containers": [{"name": "app", "image": "web"}]}}


def _webhook(server: Hardener | Double, label: str, value: str, path: str, changes: Json) -> Json:
    whole = webhook_configuration(
        value, server.url, server.ca_bundle, path=path, namespace_selector={"matchLabels": {label: value}}
    )
    prefix = {OURS: "", NAIVE: "naive-", LATE: "late-"}[label]
    return {**whole["webhooks"][0], "name": f"{prefix}{value}.traps.hardener.dev", **changes}


def _configuration(name: str, webhooks: list[Json]) -> Json:
    return {**webhook_configuration(name, "", ""), "webhooks": webhooks}
