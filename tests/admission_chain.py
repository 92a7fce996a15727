"""What happens to an object around the webhook: the controller, decoding and defaulting, the ServiceAccount plugin, the patch.

As much of it as hardening can meet. Sources: semantics.md 1.1 to 1.3, 2.1, 2.2 and 9; kubernetes `pkg/controller` for the
controllers, `pkg/apis/core/v1/defaults.go` for the defaults.
"""

from copy import deepcopy
from hashlib import sha256
from typing import Any, NamedTuple

import jsonpatch

from hardener.admission import Answer, decode, encode, respond
from hardener.model import STANDALONE, Facts
from hardener.model.workloads import POD, template_path
from hardener.policy.config import Config
from tests.admission.reviews import patch, request, response
from tests.pod_json import CONTAINER_LISTS, TOKEN_FOLDER, Json, annotations, rows, table
from tests.pod_schema import pod_schema
from tests.pods import TODAY

NAMESPACE = "shop"
MIRROR = "kubernetes.io/config.mirror"
TOKEN_VOLUME_PREFIX = "kube-api-access-"

_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_STRING_MAPS = ("annotations", "labels", "nodeSelector", "matchLabels")
_QUANTITY_MAPS = ("requests", "limits")
_STRING_LISTS = ("command", "args", "add", "drop", "values", "finalizers")
_MADE_BY_ANOTHER = {"Deployment": "ReplicaSet", "CronJob": "Job"}
_POD_DEFAULTS = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "enableServiceLinks": True,
}
_CONTAINER_DEFAULTS = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "imagePullPolicy": "IfNotPresent",
}


def admitted(obj: Json, namespace: str = NAMESPACE) -> Json | None:
    """The pod of an object as the first webhook sees it; None for a kind that holds no pod."""
    pod = pod_of(obj, namespace)
    return None if pod is None else with_token(defaulted(pod))


def template_of(obj: Json) -> Json | None:
    """The part of an object that says what its pods are like; a pod is its own template."""
    path = template_path(str(obj.get("apiVersion")), str(obj.get("kind")))
    if path is None:
        return None
    for key in path:
        obj = table(obj.get(key))
    return obj


def pod_of(obj: Json, namespace: str = NAMESPACE) -> Json | None:
    """Make the pod that a workload's controller makes: its metadata and spec are copies of the template's."""
    template = deepcopy(template_of(obj))
    if template is None:
        return None
    kind, metadata = str(obj["kind"]), table(template.get("metadata"))
    if kind == POD:
        return {**template, "apiVersion": "v1", "kind": POD, "metadata": {**metadata, "namespace": namespace}}
    name = str(table(obj.get("metadata")).get("name") or "unnamed")
    kept = {key: metadata[key] for key in ("labels", "annotations", "finalizers") if key in metadata}
    spec = table(template.get("spec"))
    naming: Json = {"generateName": f"{name}-"}
    if kind in _MADE_BY_ANOTHER:
        name = f"{name}-{_suffix(name, 9)}"
        naming = {"generateName": f"{name}-"}
    elif kind == "StatefulSet":
        naming = {"name": f"{name}-0"}
        _add_claims(spec, obj)
    elif kind == "DaemonSet":
        _bind_to_node(spec)
    owner = {
        "apiVersion": obj["apiVersion"],
        "kind": _MADE_BY_ANOTHER.get(kind, kind),
        "name": name,
        "uid": "6c1f3a0e-58a1-4f4b-9f0e-2d9a5b7c1d11",
        "controller": True,
        "blockOwnerDeletion": True,
    }
    metadata = {**kept, **naming, "namespace": namespace, "ownerReferences": [owner]}
    return {"apiVersion": "v1", "kind": POD, "metadata": metadata, "spec": spec}


def defaulted(pod: Json) -> Json:
    """Decode, default and encode again (semantics.md 2.1, 2.2, 9): unknown fields, null and empty lists vanish."""
    pod = {**_known(_typed(pod), pod_schema()), "status": {}}
    spec = pod["spec"] = table(pod.get("spec"))
    for key, value in _POD_DEFAULTS.items():
        spec.setdefault(key, value)
    spec.setdefault("containers", None)
    spec.setdefault("securityContext", {})
    account = spec.get("serviceAccountName") or spec.get("serviceAccount")
    if account:
        spec |= {"serviceAccountName": account, "serviceAccount": account}
    for volume in rows(spec.get("volumes")):
        if set(volume) <= {"name"}:
            volume["emptyDir"] = {}
    for field in CONTAINER_LISTS:
        for container in rows(spec.get(field)):
            for key, value in _CONTAINER_DEFAULTS.items():
                container.setdefault(key, value)
            resources = container.setdefault("resources", {})
            if resources.get("limits"):
                resources["requests"] = {**resources["limits"], **(resources.get("requests") or {})}
    return pod


def with_token(pod: Json) -> Json:
    """Do what the ServiceAccount plugin does for an account that says nothing itself (semantics.md 1.3)."""
    if MIRROR in annotations(pod):
        return pod
    pod = deepcopy(pod)
    spec = pod["spec"]
    account = spec.get("serviceAccountName") or "default"
    spec |= {"serviceAccountName": account, "serviceAccount": account}
    if spec.get("automountServiceAccountToken") is False:
        return pod
    present = [str(volume.get("name")) for volume in rows(spec.get("volumes"))]
    own = next((name for name in present if name.startswith(TOKEN_VOLUME_PREFIX)), None)
    name = own or TOKEN_VOLUME_PREFIX + _suffix(str(pod.get("metadata")), 5)
    needed = False
    for field in reversed(CONTAINER_LISTS):
        for container in rows(spec.get(field)):
            mounts = container.get("volumeMounts") or []
            if all(mount.get("mountPath") != TOKEN_FOLDER for mount in mounts):
                needed = True
                container["volumeMounts"] = [*mounts, {"name": name, "readOnly": True, "mountPath": TOKEN_FOLDER}]
    if needed and own is None:
        spec["volumes"] = [*(spec.get("volumes") or []), token_volume(name)]
    return pod


def token_volume(name: str) -> Json:
    """The volume that the plugin adds, `TokenVolumeSource`."""
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    sources = [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]
    return {"name": name, "projected": {"defaultMode": 420, "sources": sources}}


def review(pod: Json, namespace: str = NAMESPACE, **changes: object) -> bytes:
    """The AdmissionReview that asks about the creation of a pod, with every field that kube-apiserver sends."""
    name = table(pod.get("metadata")).get("name")
    user = {"username": "system:serviceaccount:kube-system:replicaset-controller", "groups": ["system:authenticated"]}
    fields: Json = {
        "requestKind": {"group": "", "version": "v1", "kind": POD},
        "requestResource": {"group": "", "version": "v1", "resource": "pods"},
        "namespace": namespace,
        "name": name,
        "userInfo": user,
    }
    return request(pod, **{**fields, **changes})


class Passed(NamedTuple):
    """The answer to the creation of a pod, and the pod with the answer's patch in it."""

    answer: Answer
    after: Json


def passed(
    pod: Json, config: Config, facts: Facts = STANDALONE, namespace: str = NAMESPACE, **changes: object
) -> Passed:
    """Send the creation of a pod through the whole webhook, as bytes, and hold what holds for every answer.

    Nothing is refused, no control fails, the patch applies, and a second call on the result has nothing left to write.
    """
    answer = _answer(pod, config, facts, namespace, changes)
    assert answer.allowed
    assert answer.outcome is None or answer.outcome.errors == []
    after = jsonpatch.apply_patch(pod, patch(response(encode(answer))))
    assert _answer(after, config, facts, namespace, changes).operations == []
    return Passed(answer, after)


def _answer(pod: Json, config: Config, facts: Facts, namespace: str, changes: Json) -> Answer:
    return respond(decode(review(pod, namespace, **changes)), config, facts, TODAY)


def _typed(value: Any, key: str = "") -> Any:
    """What is left of a value once Go has decoded it into a typed object and written it again."""
    if isinstance(value, dict):
        null = "" if key in _STRING_MAPS else "0" if key in _QUANTITY_MAPS else None
        fields = {name: _typed(null if field is None else field, name) for name, field in value.items()}
        return {name: field for name, field in fields.items() if field is not None and field != []}
    if isinstance(value, list):
        null = "" if key in _STRING_LISTS else {"name": ""}
        return [_typed(null if element is None else element) for element in value]
    return value


def _known(value: Any, schema: Json) -> Any:
    """The value without the fields that the API does not have."""
    if "$ref" in schema:
        schema = table(pod_schema()["$defs"])[schema["$ref"].rpartition("/")[2]]
    if isinstance(value, list):
        return [_known(element, table(schema.get("items"))) for element in value]
    if not isinstance(value, dict):
        return value
    if "properties" not in schema:
        return {key: _known(field, table(schema.get("additionalProperties"))) for key, field in value.items()}
    return {
        key: _known(field, schema["properties"][key]) for key, field in value.items() if key in schema["properties"]
    }


def _suffix(seed: str, length: int) -> str:
    """Letters as `rand.SafeEncodeString` makes them, the same for the same seed."""
    return "".join(_SUFFIX_LETTERS[byte % len(_SUFFIX_LETTERS)] for byte in sha256(seed.encode()).digest()[:length])


def _add_claims(spec: Json, stateful_set: Json) -> None:
    """Put the volumes of the claim templates first, in place of any of their name (`updateStorage`)."""
    claims = [
        table(claim.get("metadata")).get("name")
        for claim in rows(table(stateful_set["spec"]).get("volumeClaimTemplates"))
    ]
    others = [volume for volume in rows(spec.get("volumes")) if volume.get("name") not in claims]
    volumes = [{"name": name, "persistentVolumeClaim": {"claimName": f"{name}-0"}} for name in claims]
    if volumes or others:
        spec["volumes"] = volumes + others


def _bind_to_node(spec: Json) -> None:
    """Put the node's name in place of the required affinity (`ReplaceDaemonSetPodNodeNameNodeAffinity`)."""
    affinity = spec["affinity"] = table(spec.get("affinity"))
    node_affinity = affinity["nodeAffinity"] = table(affinity.get("nodeAffinity"))
    field = {"key": "metadata.name", "operator": "In", "values": ["node-1"]}
    node_affinity["requiredDuringSchedulingIgnoredDuringExecution"] = {"nodeSelectorTerms": [{"matchFields": [field]}]}
