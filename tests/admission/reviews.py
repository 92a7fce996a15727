"""AdmissionReviews for tests: the request as kube-apiserver sends it, and the answer as it reads it."""

from base64 import b64decode
from typing import Any

import orjson

POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"generateName": "web-", "namespace": "shop"},
    "spec": {"containers": [{"name": "app", "image": "web:1", "resources": {}}], "securityContext": {}},
}


def request(obj: object = POD, **changes: object) -> bytes:
    """A CREATE of a pod, with any field of the request replaced; None leaves a field out."""
    fields: dict[str, object] = {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "namespace": "shop",
        "operation": "CREATE",
        "userInfo": {"username": "alice", "groups": ["system:authenticated"]},
        "object": obj,
        "oldObject": None,
        "dryRun": False,
        "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
    }
    fields |= changes
    kept = {key: value for key, value in fields.items() if value is not None or key in ("object", "oldObject")}
    return orjson.dumps({"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": kept})


API_VERSIONS = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "ReplicaSet": "apps/v1",
    "ReplicationController": "v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "PodTemplate": "v1",
}
"""Every kind that holds a pod template, and where people write it."""


def workload(template: object = None, kind: str = "Deployment", metadata: object = None) -> dict[str, Any]:
    """An object whose pods are made of the template; of what `POD` is made of, if none is given."""
    obj: dict[str, Any] = {"template": {"spec": POD["spec"]} if template is None else template}
    if kind != "PodTemplate":
        obj = {"spec": obj}
    if kind == "CronJob":
        obj = {"spec": {"schedule": "0 3 * * *", "jobTemplate": obj}}
    return {"apiVersion": API_VERSIONS[kind], "kind": kind, "metadata": metadata or {"name": "web"}, **obj}


def workload_request(obj: Any, **changes: object) -> bytes:
    """A CREATE of an object that holds a pod template, with any field of the request replaced, as in `request`."""
    group, _, version = obj["apiVersion"].rpartition("/")
    kind = {"group": group, "version": version, "kind": obj["kind"]}
    resource = {"group": group, "version": version, "resource": obj["kind"].lower() + "s"}
    return request(obj, **{"kind": kind, "resource": resource, **changes})


def response(body: bytes) -> dict[str, Any]:
    """The response of an answer, held to what the API server asks of every answer (semantics.md 6.1)."""
    review = orjson.loads(body)
    assert (review["apiVersion"], review["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    answer: dict[str, Any] = review["response"]
    assert ("patch" in answer) == ("patchType" in answer)
    assert answer.get("patchType", "JSONPatch") == "JSONPatch"
    return answer


def patch(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The operations of an answer; none where it carries no patch."""
    return orjson.loads(b64decode(answer["patch"])) if "patch" in answer else []
