"""One workload of each kind that a controller makes pods for."""

from copy import deepcopy

import yaml

from tests.e2e.cluster import Json

_TEMPLATE = yaml.safe_load("""
metadata: {labels: {app: web}}
spec:
  initContainers:
  - {name: migrate, image: "web:1"}
  containers:
  - {name: app, image: "web:1"}
  - {name: logs, image: "logs:1", securityContext: {runAsUser: 1000}}
""")
_ONCE = deepcopy(_TEMPLATE)
_ONCE["spec"]["restartPolicy"] = "Never"
_SELECTOR = {"matchLabels": {"app": "web"}}
_CLAIM = yaml.safe_load("""
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
""")

_WORKLOADS = {
    "Deployment": ("apps/v1", {"replicas": 2, "selector": _SELECTOR, "template": _TEMPLATE}),
    "ReplicaSet": ("apps/v1", {"replicas": 2, "selector": _SELECTOR, "template": _TEMPLATE}),
    "StatefulSet": (
        "apps/v1",
        {
            "replicas": 2,
            "serviceName": "web",
            "selector": _SELECTOR,
            "template": _TEMPLATE,
            "volumeClaimTemplates": [_CLAIM],
        },
    ),
    "DaemonSet": ("apps/v1", {"selector": _SELECTOR, "template": _TEMPLATE}),
    "Job": ("batch/v1", {"completions": 2, "parallelism": 2, "template": _ONCE}),
    "CronJob": ("batch/v1", {"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": {"spec": {"template": _ONCE}}}),
    "ReplicationController": ("v1", {"replicas": 2, "selector": {"app": "web"}, "template": _TEMPLATE}),
}

KINDS = tuple(_WORKLOADS)


def manifest(kind: str) -> Json:
    """A workload `web`, which nobody else changes."""
    version, spec = _WORKLOADS[kind]
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "web"}, "spec": deepcopy(spec)}
