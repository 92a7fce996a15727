"""A cluster to be scanned: 40 namespaces with 50 pods each, made through many connections, hardened and not.

Nothing runs in it but the API server, so that owners are what the test says, and pods stay as they were made.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.e2e.cluster import Cluster, Json
from tests.e2e.registration import LABEL

THREADS = 8
PODS = 50
"""Of each namespace."""

CONFIG = """\
apiVersion: hardener.dev/v1
kind: HardenerConfig
namespaces:
- {names: [none-*, "probe-*", default, "kube-*", "account-*"], policy: none}
- {names: ["trial-*"], policy: observe}
- {matchLabels: {policy: reasons}, policy: reasons}
policies:
  reasons: {optOut: {requireReason: true}}
exempt:
  priorityClasses: [system-node-critical]
"""

APP: Json = {"name": "app", "image": "registry.example/app:1"}
NOTHING_TO_DO: Json = {
    **APP,
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
}


@dataclass(frozen=True)
class Group:
    """Some namespaces of one kind: `spec` and `annotations` are those of every pod."""

    name: str
    namespaces: int
    spec: Json
    annotations: dict[str, str] | None = None
    hardened: bool = False
    labels: dict[str, str] | None = None

    def names(self) -> list[str]:
        return [f"{self.name}-{number:02d}" for number in range(self.namespaces)]


GROUPS = (
    # What the webhook has hardened, and would leave as it is.
    Group("safe", 10, {"containers": [APP]}, hardened=True),
    # What was made while it was away.
    Group("bare", 8, {"containers": [APP]}),
    Group("trial", 4, {"containers": [APP]}),
    Group(
        "opted",
        5,
        {"containers": [APP]},
        {"hardener.dev/opt-out": "readOnlyRootFilesystem", "hardener.dev/opt-out-until": "2999-01-01"},
        hardened=True,
    ),
    Group(
        "late",
        4,
        {"containers": [APP]},
        {"hardener.dev/opt-out": "resources", "hardener.dev/opt-out-until": "2020-01-01"},
    ),
    Group("excused", 2, {"containers": [APP]}, {"hardener.dev/opt-out": "*"}, labels={"policy": "reasons"}),
    Group("critical", 2, {"containers": [APP], "priorityClassName": "system-node-critical"}),
    Group(
        "agents",
        3,
        {"containers": [{**APP, "securityContext": {"privileged": True}}], "hostNetwork": True},
        hardened=True,
    ),
    Group("explicit", 1, {"containers": [NOTHING_TO_DO], "automountServiceAccountToken": False}),
    Group("none", 1, {"containers": [APP]}),
)


def namespaces() -> int:
    return sum(group.namespaces for group in GROUPS)


def fill(cluster: Cluster, groups: Sequence[Group] = GROUPS) -> None:
    """Make everything. In each namespace, 40 pods are a Deployment's, 5 a StatefulSet's, and 5 stand alone."""
    with ThreadPoolExecutor(THREADS) as executor:
        jobs = [(group, name) for group in groups for name in group.names()]
        list(executor.map(lambda job: _namespace(cluster, *job), jobs))
        pods = [(name, pod) for group, name in jobs for pod in _pods(cluster, group, name)]
        list(executor.map(lambda job: post(cluster, f"/api/v1/namespaces/{job[0]}/pods", job[1]), pods))


def post(cluster: Cluster, path: str, body: Json) -> Json:
    reply = cluster.request("POST", path, body)
    assert reply.ok, reply.body
    return reply.body


def _namespace(cluster: Cluster, group: Group, name: str) -> None:
    labels = {**(group.labels or {}), **({LABEL: "true"} if group.hardened else {})}
    post(cluster, "/api/v1/namespaces", {"metadata": {"name": name, "labels": labels}})
    cluster.make_service_account(name, "default")


def _pods(cluster: Cluster, group: Group, namespace: str) -> Iterator[Json]:
    replica_set = owned_replica_set(cluster, namespace, "web", "Deployment", "apps/v1")
    stateful = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "uid": "db", "controller": True}
    for number in range(PODS):
        owner = replica_set if number < 40 else stateful if number < 45 else None
        metadata: Json = {"name": f"pod-{number:02d}", "annotations": group.annotations or {}}
        if owner is not None:
            metadata["ownerReferences"] = [owner]
        yield {"metadata": metadata, "spec": group.spec}


def owned_replica_set(cluster: Cluster, namespace: str, name: str, kind: str, api_version: str) -> Json:
    """Make a ReplicaSet that something owns, and return the reference by which a pod is its own."""
    labels = {"matchLabels": {"app": name}}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [APP]}}
    owner = {"apiVersion": api_version, "kind": kind, "name": name, "uid": f"{name}-uid", "controller": True}
    made = post(
        cluster,
        f"/apis/apps/v1/namespaces/{namespace}/replicasets",
        {
            "metadata": {"name": f"{name}-6d5f", "ownerReferences": [owner]},
            "spec": {"replicas": 0, "selector": labels, "template": template},
        },
    )
    uid = made["metadata"]["uid"]
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{name}-6d5f", "uid": uid, "controller": True}
