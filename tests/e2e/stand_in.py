"""The kubelet's part where there is no node: pods become ready, those of jobs succeed, and those that are to end are gone."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.cluster import Cluster, Json

MERGE = "application/merge-patch+json"
READY = {"type": "Ready", "status": "True"}


@contextmanager
def paper_node(cluster: Cluster) -> Iterator[str]:
    """The name of a Node without a machine, with its own name as the label `kubernetes.io/hostname`."""
    made = cluster.request("POST", "/api/v1/nodes", {"metadata": {"generateName": "paper-"}})
    assert made.ok, made.body
    name = str(made.body["metadata"]["name"])
    path = f"/api/v1/nodes/{name}"
    cluster.request("PATCH", path, {"metadata": {"labels": {"kubernetes.io/hostname": name}}}, content_type=MERGE)
    try:
        yield name
    finally:
        cluster.request("DELETE", path)


def pods(cluster: Cluster, namespace: str) -> list[Json]:
    """All pods of a namespace."""
    reply = cluster.request("GET", f"/api/v1/namespaces/{namespace}/pods")
    assert reply.ok, reply.body
    return [{"apiVersion": "v1", "kind": "Pod", **item} for item in reply.body["items"]]


def play_kubelet(cluster: Cluster, namespace: str) -> list[Json]:
    """Do for each pod of a namespace what a kubelet would do next, and return the pods that are not to end."""
    stay = []
    for pod in pods(cluster, namespace):
        path = f"/api/v1/namespaces/{namespace}/pods/{pod['metadata']['name']}"
        if "deletionTimestamp" in pod["metadata"]:
            cluster.request("DELETE", path, query={"gracePeriodSeconds": "0"})
            continue
        stay.append(pod)
        status = _next_status(pod)
        if status != {key: pod["status"].get(key) for key in status}:
            reply = cluster.request("PATCH", f"{path}/status", {"status": status}, content_type=MERGE)
            assert reply.status in (200, 404), reply.body
    return stay


def _next_status(pod: Json) -> Json:
    if pod["spec"]["restartPolicy"] != "Always":
        return {"phase": "Succeeded"}
    if pod["status"].get("phase") == "Running":
        return {"phase": "Running"}
    return {"phase": "Running", "conditions": [READY]}
