"""The registration that docs/operations.md shows is the one that all these tests use, and an API server accepts it."""

import base64
import re
from datetime import UTC, datetime

import pytest
import yaml

from hardener.tls import self_signed
from tests.e2e.operations import PAGE
from tests.e2e.registration import configurations, reached_by_service

NAMESPACE = "hardener-system"
ELSEWHERE = {
    "matchExpressions": [
        {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system", NAMESPACE]},
    ]
}
AUTHORITY = "BASE64"
SHOWN = re.compile(r"<!-- registration -->\n```yaml\n(.*?)```", re.DOTALL)


def test_the_page_shows_the_registration_that_is_tested(documents):
    """But for the way to the webhook, and for the namespaces."""
    whole = [reached_by_service(each, NAMESPACE, "hardener") for each in configurations("", AUTHORITY, ELSEWHERE)]

    text = yaml.safe_dump_all(whole, sort_keys=False, default_flow_style=None, width=110)

    documents.show(PAGE, f"```yaml\n{text}```", part="registration")


@pytest.mark.parametrize("number", [0, 1], ids=["pods", "workloads"])
def test_an_api_server_takes_it_as_it_stands_there(control_plane, documents, number):
    shown = SHOWN.search((documents.root / PAGE).read_text(encoding="utf-8"))
    obj = list(yaml.safe_load_all(shown[1]))[number]
    (webhook,) = obj["webhooks"]
    assert webhook["clientConfig"]["caBundle"] == AUTHORITY

    certificate = self_signed([f"hardener.{NAMESPACE}.svc"], datetime.now(UTC), days=2).certificate
    obj["metadata"]["name"] = "as-shown"
    webhook["clientConfig"]["caBundle"] = base64.b64encode(certificate).decode()
    done = control_plane.kubectl("create", "--dry-run=server", "-f", "-", input=yaml.safe_dump(obj))

    assert (done.stdout.rpartition(" ")[2], done.stderr) == ("run)\n", "")
