"""The webhook as a pod of the node, behind its Service, registered for pods and workloads of namespaces with the label."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path

from hardener.tls import self_signed
from tests.e2e.node import Node
from tests.e2e.registration import configurations, reached_by_service, register
from tests.e2e.webhook_image import webhook_image

NAMESPACE = "hardener-system"
SERVICE = "hardener"
MANIFEST = Path(__file__).parent / "on_node" / "webhook.yaml"


def deploy_webhook(node: Node) -> None:
    """Build its image from the checkout, start it, and wait until it hardens the pods of labelled namespaces."""
    node.load([webhook_image()])
    node.make_namespace(NAMESPACE)
    pair = self_signed([f"{SERVICE}.{NAMESPACE}.svc"], datetime.now(UTC), days=2)
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/tls",
        "metadata": {"name": "hardener-tls"},
        "stringData": {"tls.crt": pair.certificate.decode(), "tls.key": pair.key.decode()},
    }
    node.kubectl("apply", "--namespace", NAMESPACE, "--filename", "-", input=json.dumps(secret))
    node.kubectl("apply", "--namespace", NAMESPACE, "--filename", MANIFEST)
    node.kubectl("rollout", "status", "deployment/hardener", "--namespace", NAMESPACE, "--timeout=50s")
    for configuration in configurations("", base64.b64encode(pair.certificate).decode()):
        register(node, reached_by_service(configuration, NAMESPACE, SERVICE))
