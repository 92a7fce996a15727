"""AdmissionReviews as kube-apiserver sends them, of any size, and the manifests that lead to them."""

from dataclasses import dataclass
from typing import Any

import orjson

TOKEN_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_VOLUME = "kube-api-access-x7k2p"


@dataclass(frozen=True, slots=True)
class Size:
    """How many of each; `environment` counts variables of each container beside the three that all have."""

    containers: int = 2
    volumes: int = 0
    annotations: int = 0
    environment: int = 0


TWO = Size()
"""The two-container pod that is measured wherever nothing else is said."""

LARGEST = Size(containers=200, environment=83)
"""A pod of 1.5 MiB, which is the most that etcd takes by default."""


def review(size: Size = TWO, number: int = 0) -> bytes:
    """A CREATE of a Deployment's pod with the token volume injected, defaulted, and with its managed fields.

    Reviews of different numbers differ in their uid and in the names of what made the pod, and not in their length.
    """
    return orjson.dumps(
        {
            "kind": "AdmissionReview",
            "apiVersion": "admission.k8s.io/v1",
            "request": {
                "uid": f"705ab4f5-6393-11e8-b7cc-42010a{number:06}",
                "kind": {"group": "", "version": "v1", "kind": "Pod"},
                "resource": {"group": "", "version": "v1", "resource": "pods"},
                "requestKind": {"group": "", "version": "v1", "kind": "Pod"},
                "requestResource": {"group": "", "version": "v1", "resource": "pods"},
                "namespace": "shop",
                "operation": "CREATE",
                "userInfo": {
                    "username": "system:serviceaccount:kube-system:replicaset-controller",
                    "uid": "5d1b7c1e-8f43-4b7c-9b1f-3f6f4f8f5b11",
                    "groups": [
                        "system:serviceaccounts",
                        "system:serviceaccounts:kube-system",
                        "system:authenticated",
                    ],
                },
                "object": _pod(size, f"shop-7d4b{number:06}"),
                "oldObject": None,
                "dryRun": False,
                "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
            },
        }
    )


def reviews(size: Size = TWO, count: int = 64) -> tuple[bytes, ...]:
    """Reviews of pods of one size; nothing that remembers an answer could answer the next one with it."""
    return tuple(review(size, number) for number in range(count))


def manifest(number: int, containers: int = 2) -> dict[str, object]:
    """A Deployment as somebody writes it."""
    labels = {"app": f"shop-{number}"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": f"shop-{number}", "namespace": "shop", "labels": labels},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": written_spec(containers)},
        },
    }


def written_spec(containers: int = 2) -> dict[str, object]:
    """The spec of a pod as somebody writes it, before the API server adds anything."""
    return {"containers": [_written_container(index) for index in range(containers)]}


def _pod(size: Size, owner: str) -> dict[str, object]:
    annotations = {"prometheus.io/scrape": "true", "prometheus.io/port": "8080"}
    annotations |= {f"example.com/note-{index}": f"{index:0100}" for index in range(size.annotations)}
    containers = [_container(index, size.environment) for index in range(size.containers)]
    containers[0]["volumeMounts"] += [
        {"name": f"volume-{index}", "mountPath": f"/etc/volume-{index}"} for index in range(size.volumes)
    ]
    volumes = [
        {"name": f"volume-{index}", "configMap": {"name": f"volume-{index}", "defaultMode": 420}}
        for index in range(size.volumes)
    ]
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "generateName": f"{owner}-",
            "namespace": "shop",
            "labels": {"app": "shop", "pod-template-hash": owner.removeprefix("shop-")},
            "annotations": annotations,
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": owner,
                    "uid": "0b0a2b8e-6d5f-4f0e-8a1e-0b7f6b3f1a2c",
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
            "managedFields": [_managed_fields(size.containers)],
        },
        "spec": {
            "volumes": [_token_volume(), *volumes],
            "containers": containers,
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "serviceAccountName": "default",
            "serviceAccount": "default",
            "securityContext": {},
            "schedulerName": "default-scheduler",
            "tolerations": [
                {
                    "key": f"node.kubernetes.io/{key}",
                    "operator": "Exists",
                    "effect": "NoExecute",
                    "tolerationSeconds": 300,
                }
                for key in ("not-ready", "unreachable")
            ],
            "priority": 0,
            "enableServiceLinks": True,
            "preemptionPolicy": "PreemptLowerPriority",
        },
        "status": {},
    }


def _written_container(index: int) -> dict[str, object]:
    return {
        "name": f"app-{index}",
        "image": "registry.example/shop/frontend:v1.14.2",
        "ports": [{"name": f"http-{index}", "containerPort": 8080 + index}],
        "env": [
            {"name": "PORT", "value": str(8080 + index)},
            {"name": "CATALOG_ADDR", "value": "catalog.shop.svc:3550"},
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        ],
        **{
            probe: {"httpGet": {"path": path, "port": 8080 + index}, "initialDelaySeconds": 10}
            for probe, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/ready"))
        },
    }


def _container(index: int, environment: int) -> dict[str, Any]:
    return {
        "name": f"app-{index}",
        "image": "registry.example/shop/frontend:v1.14.2",
        "ports": [{"name": "http", "containerPort": 8080 + index, "protocol": "TCP"}],
        "env": [
            {"name": "PORT", "value": str(8080 + index)},
            {"name": "CATALOG_ADDR", "value": "catalog.shop.svc:3550"},
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}},
            *({"name": f"SETTING_{number}", "value": f"{number:040}"} for number in range(environment)),
        ],
        "resources": {},
        "volumeMounts": [{"name": TOKEN_VOLUME, "readOnly": True, "mountPath": TOKEN_FOLDER}],
        "livenessProbe": _probe("/healthz", index),
        "readinessProbe": _probe("/ready", index),
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
    }


def _probe(path: str, index: int) -> dict[str, object]:
    return {
        "httpGet": {"path": path, "port": 8080 + index, "scheme": "HTTP"},
        "initialDelaySeconds": 10,
        "timeoutSeconds": 1,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }


def _token_volume() -> dict[str, object]:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    return {
        "name": TOKEN_VOLUME,
        "projected": {
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {"downwardAPI": {"items": [namespace]}},
            ],
            "defaultMode": 420,
        },
    }


def _managed_fields(containers: int) -> dict[str, object]:
    def leaves(*names: str) -> dict[str, object]:
        return {f"f:{name}": {} for name in names}

    probe = leaves("failureThreshold", "initialDelaySeconds", "periodSeconds", "successThreshold", "timeoutSeconds")
    probe |= {".": {}, "f:httpGet": {".": {}, **leaves("path", "port", "scheme")}}
    each = {
        ".": {},
        **leaves("image", "imagePullPolicy", "name", "resources", "terminationMessagePath", "terminationMessagePolicy"),
        "f:env": {
            ".": {},
            **{
                f'k:{{"name":"{name}"}}': {".": {}, **leaves("name", "value")}
                for name in ("PORT", "CATALOG_ADDR", "POD_IP")
            },
        },
        "f:livenessProbe": probe,
        "f:readinessProbe": probe,
        "f:ports": {".": {}, 'k:{"containerPort":8080,"protocol":"TCP"}': {".": {}, **leaves("containerPort", "name")}},
    }
    return {
        "manager": "kube-controller-manager",
        "operation": "Update",
        "apiVersion": "v1",
        "time": "2026-11-22T06:00:00Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {
            "f:metadata": {
                **leaves("generateName"),
                "f:annotations": {".": {}, **leaves("prometheus.io/port", "prometheus.io/scrape")},
                "f:labels": {".": {}, **leaves("app", "pod-template-hash")},
                "f:ownerReferences": {".": {}, 'k:{"uid":"0b0a2b8e-6d5f-4f0e-8a1e-0b7f6b3f1a2c"}': {}},
            },
            "f:spec": {
                **leaves("dnsPolicy", "enableServiceLinks", "restartPolicy", "schedulerName", "securityContext"),
                "f:containers": {f'k:{{"name":"app-{index}"}}': each for index in range(containers)},
            },
        },
    }
