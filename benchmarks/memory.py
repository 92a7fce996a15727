"""The memory of a server that follows a large cluster: a real kube-apiserver, real objects, and then many requests.

`python -m benchmarks.memory` takes some minutes and prints what it finds. The objects are written into etcd, as JSON,
which the API server reads as it reads its own encoding: through the API they would take a quarter of an hour.
"""

import base64
import sys
import urllib.request
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from benchmarks.load import Target, closed_loop, reviews_as_requests
from benchmarks.reviews import TWO, review
from tests.e2e.control_plane import ControlPlane
from tests.e2e.waiting import eventually
from tests.e2e.webhook import Hardener

NAMESPACES = 10_000
LIMIT_RANGES = 2_000
MOST_MIB = 128

REQUESTS = 200_000
STEPS = 10
CONNECTIONS = 8
BODIES = 2_000
"""Reviews that differ, each in a namespace of its own."""

TRANSACTION = 100
"""Objects that etcd takes at a time: 128 at most, unless told otherwise."""

NO_AUDIT = ("--audit-policy-file=", "--audit-log-path=")
_MIB = 1024 * 1024

Json = dict[str, Any]


def main() -> None:
    with ControlPlane(controllers=False, api_flags=NO_AUDIT) as cluster:
        with Hardener(kubeconfig=cluster.kubeconfig) as hardener:
            _tell("with an empty cluster", hardener)
        fill(cluster)
        with Hardener(kubeconfig=cluster.kubeconfig) as hardener:
            _tell(f"with {_objects():,} objects", hardener)
            step = REQUESTS // STEPS
            target = Target(
                (int(hardener.url.rpartition(":")[2]),), reviews_as_requests([_review(n) for n in range(BODIES)])
            )
            for number in range(1, STEPS + 1):
                closed_loop(target, CONNECTIONS, seconds=600, most=step)
                _tell(f"after {number * step:,} requests", hardener)
            peak = memory_mib(hardener.pid, "VmHWM")
            asked = hardener.count("hardener_cluster_questions_total")
    print(f"namespaces that were asked for one by one: {asked:.0f}")
    if peak > MOST_MIB:
        sys.exit(f"the peak is {peak:.1f} MiB, and {MOST_MIB} MiB are allowed")


def fill(cluster: ControlPlane) -> None:
    """Write all objects, and wait until the API server knows the last of each kind."""
    entries = _entries()
    while some := list(islice(entries, TRANSACTION)):
        puts = [
            {"requestPut": {"key": _encoded(key.encode()), "value": _encoded(orjson.dumps(obj))}} for key, obj in some
        ]
        request = urllib.request.Request(f"{cluster.etcd_url}/v3/kv/txn", orjson.dumps({"success": puts}))
        with urllib.request.urlopen(request, timeout=60) as reply:
            if not orjson.loads(reply.read())["succeeded"]:
                raise RuntimeError("etcd has not taken the objects")
    last, last_limited = _name(NAMESPACES - 1), _name(LIMIT_RANGES - 1)
    for path in (last, f"{last}/serviceaccounts/app", f"{last_limited}/limitranges/limits"):
        eventually(partial(_is_there, cluster, path), what=f"{path} is there")


def _is_there(cluster: ControlPlane, path: str) -> bool:
    return cluster.request("GET", f"/api/v1/namespaces/{path}").ok


def memory_mib(pid: int, field: str) -> float:
    """What the kernel tells of a process: VmRSS is what it has now, VmHWM the most that it has had."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024 / _MIB
    raise RuntimeError(f"the kernel does not tell {field}")


def _tell(when: str, hardener: Hardener) -> None:
    now, most = (memory_mib(hardener.pid, field) for field in ("VmRSS", "VmHWM"))
    print(f"{when + ':':<32}{now:6.1f} MiB, at most {most:6.1f}", flush=True)


def _objects() -> int:
    return NAMESPACES * 3 + LIMIT_RANGES


def _entries() -> Iterator[tuple[str, Json]]:
    """Keys of etcd and objects: namespaces as teams have them, and in each two service accounts."""
    for number in range(NAMESPACES):
        name = _name(number)
        labels = {
            "kubernetes.io/metadata.name": name,
            "pod-security.kubernetes.io/enforce": "baseline",
            "environment": ("production", "staging", "development")[number % 3],
            "team": f"team-{number % 300}",
            "owner": f"user-{number}",
        }
        metadata = {"labels": labels, "annotations": {"note": "n" * 200}, "managedFields": _managed(labels)}
        namespace = _object("Namespace", "", name, metadata, spec={"finalizers": ["kubernetes"]})
        yield f"/registry/namespaces/{name}", namespace | {"status": {"phase": "Active"}}
        for account in ("default", "app"):
            fields: Json = {"automountServiceAccountToken": False} if account == "app" and number % 2 else {}
            yield (
                f"/registry/serviceaccounts/{name}/{account}",
                _object("ServiceAccount", name, account, {}, **fields),
            )
        if number < LIMIT_RANGES:
            limits = [
                {"type": "Container", "max": {"cpu": "4", "memory": f"{number % 64 + 1}Gi"}, "min": {"cpu": "10m"}},
                {"type": "Pod", "max": {"cpu": "8", "memory": "128Gi"}},
            ]
            yield (
                f"/registry/limitranges/{name}/limits",
                _object("LimitRange", name, "limits", {}, spec={"limits": limits}),
            )


def _object(kind: str, namespace: str, name: str, metadata: Json, **fields: object) -> Json:
    known = {
        "name": name,
        "uid": f"{abs(hash((kind, namespace, name))):036x}",
        "creationTimestamp": "2026-01-01T00:00:00Z",
    }
    own = known | ({"namespace": namespace} if namespace else {}) | metadata
    return {"apiVersion": "v1", "kind": kind, "metadata": own, **fields}


def _managed(labels: Json) -> list[Json]:
    fields: Json = {"f:metadata": {"f:labels": {f"f:{label}": {} for label in labels}}}
    return [
        {"manager": "argocd", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields}
    ]


def _name(number: int) -> str:
    return f"team-{number:05d}-namespace"


def _review(number: int) -> bytes:
    """In a namespace of the cluster."""
    name = _name(number * (NAMESPACES // BODIES))
    return review(TWO, number).replace(b'"namespace":"shop"', f'"namespace":"{name}"'.encode())


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


if __name__ == "__main__":
    main()
