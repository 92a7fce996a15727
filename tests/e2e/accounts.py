"""Service accounts that may do just what a test allows, each with a kubeconfig of its own."""

import json
from collections.abc import Iterable
from pathlib import Path

from tests.e2e.cluster import Cluster

RESOURCES = ("namespaces", "limitranges", "resourcequotas", "serviceaccounts")

FACTS = frozenset({("get", "namespaces"), *((verb, plural) for verb in ("list", "watch") for plural in RESOURCES)})
"""All that hardener needs to know of a cluster, as verbs and resources."""

RBAC = "/apis/rbac.authorization.k8s.io/v1"


def account(cluster: Cluster, name: str, rights: Iterable[tuple[str, str]], folder: Path) -> Path:
    """Make a service account with these rights in the whole cluster, and return the kubeconfig of its token."""
    namespace = cluster.make_namespace(prefix="account-")
    cluster.make_service_account(namespace, name)
    role = {
        "metadata": {"name": f"{name}-{namespace}"},
        "rules": [{"apiGroups": [""], "resources": [plural], "verbs": [verb]} for verb, plural in sorted(rights)],
    }
    binding = {
        "metadata": role["metadata"],
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": f"{name}-{namespace}"},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": namespace}],
    }
    replies = [
        cluster.request("POST", f"{RBAC}/clusterroles", role),
        cluster.request("POST", f"{RBAC}/clusterrolebindings", binding),
        cluster.request("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token", {"spec": {}}),
    ]
    assert all(reply.ok for reply in replies), [reply.message for reply in replies]
    config = json.loads(cluster.kubeconfig.read_text(encoding="utf-8"))
    config["users"][0]["user"] = {"token": replies[-1].body["status"]["token"]}
    path = folder / f"{name}.kubeconfig"
    path.write_text(json.dumps(config), encoding="utf-8")
    return path
