"""One node for all tests of this folder, with the webhook as a pod of its own."""

import pytest

from tests.e2e.node import Node
from tests.e2e.on_node.behaviours import BEHAVIOURS
from tests.e2e.webhook_pod import deploy_webhook


@pytest.fixture(scope="session")
def node():
    images = {behaviour.image.reference: behaviour.image for behaviour in BEHAVIOURS}
    with Node(list(images.values())) as started:
        deploy_webhook(started)
        yield started
