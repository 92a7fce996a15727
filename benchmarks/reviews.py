"""AdmissionReviews as kube-apiserver sends them, of any number of containers."""

import orjson

TOKEN_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_VOLUME = "kube-api-access-x7k2p"


def review(containers: int = 2) -> bytes:
    """A CREATE of a Deployment's pod with the token volume injected, defaulted, and with its managed fields."""
    pod = {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {
            "generateName": "shop-7d4b9c6f5d-",
            "namespace": "shop",
            "labels": {"app": "shop", "pod-template-hash": "7d4b9c6f5d"},
            "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": "8080"},
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": "shop-7d4b9c6f5d",
                    "uid": "0b0a2b8e-6d5f-4f0e-8a1e-0b7f6b3f1a2c",
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
            "managedFields": [_managed_fields(containers)],
        },
        "spec": {
            "volumes": [_token_volume()],
            "containers": [_container(index) for index in range(containers)],
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
    return orjson.dumps(
        {
            "kind": "AdmissionReview",
            "apiVersion": "admission.k8s.io/v1",
            "request": {
                "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
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
                "object": pod,
                "oldObject": None,
                "dryRun": False,
                "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
            },
        }
    )


def _container(index: int) -> dict[str, object]:
    return {
        "name": f"app-{index}",
        "image": "registry.example/shop/frontend:v1.14.2",
        "ports": [{"name": "http", "containerPort": 8080 + index, "protocol": "TCP"}],
        "env": [
            {"name": "PORT", "value": str(8080 + index)},
            {"name": "CATALOG_ADDR", "value": "catalog.shop.svc:3550"},
            {"name": "POD_IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}},
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
