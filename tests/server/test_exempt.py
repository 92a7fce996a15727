"""Exemptions, as the API server meets them over TLS."""

import pytest

from tests.admission.asking import HEADER, annotated
from tests.admission.reviews import POD, patch
from tests.cli.command_line import hardener

CONFIG = f"""{HEADER}exempt:
  usernames: [carol]
  groups: ["system:masters"]
  runtimeClasses: [gvisor]
  priorityClasses: [system-node-critical]
  containers:
  - {{name: istio-proxy, image: "docker.io/istio/proxyv2:*"}}
"""


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG)
    return file


@pytest.fixture
async def exempting(serve, config):
    return await serve(config=config)


def with_spec(**fields):
    return {**POD, "spec": {**POD["spec"], **fields}}


@pytest.mark.parametrize(
    ("key", "line", "request_fields"),
    [
        ("usernames[0]", 4, {"userInfo": {"username": "carol"}}),
        ("groups[0]", 5, {"userInfo": {"username": "bob", "groups": ["dev", "system:masters"]}}),
        ("runtimeClasses[0]", 6, {"pod": with_spec(runtimeClassName="gvisor")}),
        ("priorityClasses[0]", 7, {"pod": with_spec(priorityClassName="system-node-critical")}),
    ],
)
async def test_an_exempt_pod_gets_an_audit_annotation_and_nothing_else(exempting, config, key, line, request_fields):
    response = (await exempting.ask(**{"uid": "u-1", "pod": POD, **request_fields}))["response"]

    policy = exempting.server.state.config.default
    assert response == {
        "uid": "u-1",
        "allowed": True,
        "auditAnnotations": {
            "policy": policy.label,
            "mode": "enforce",
            "exempt": f"the pod by exempt.{key} ({config}:{line})",
        },
    }
    assert exempting.count("hardener_exemptions_total", line=f"exempt.{key}") == 1
    assert exempting.count("hardener_reviews_total", policy="standard", result="exempt") == 1


@pytest.mark.parametrize(
    ("image", "exempt"), [("istio/proxyv2:1.27", True), ("evil.example/istio/proxyv2:1.27", False)]
)
async def test_an_injected_sidecar_is_left_alone_by_name_and_image(exempting, config, image, exempt):
    pod = annotated({}, {"name": "app", "image": "web:1"}, {"name": "istio-proxy", "image": image})
    response = (await exempting.ask(pod=pod))["response"]

    touched = [operation["path"] for operation in patch(response) if "/containers/" in operation["path"]]
    assert any(path.startswith("/spec/containers/0/") for path in touched)
    assert any(path.startswith("/spec/containers/1/") for path in touched) is not exempt
    found = response["auditAnnotations"].get("exempt")
    assert found == (f"istio-proxy by exempt.containers[0] ({config}:9)" if exempt else None)


async def test_preview_tells_the_same_but_knows_no_users(exempting, config):
    manifest = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers: [{name: app, image: web}, {name: istio-proxy, image: istio/proxyv2}]
"""
    (entry,) = hardener("preview", "-", "-o", "json", "--config", config, stdin=manifest).json
    out = hardener("preview", "-", "--config", config, stdin=manifest).out
    whole = hardener("preview", "-", "--config", config, stdin=f"{manifest}  runtimeClassName: gvisor\n")

    assert entry["exempt"] == [{"container": "istio-proxy", "line": "exempt.containers[0]"}]
    assert "  istio-proxy is exempt by exempt.containers[0]" in out.splitlines()
    assert {edit["container"] for edit in entry["edits"]} == {None, "app"}
    assert whole.code == 0
    assert whole.out.splitlines() == [
        "=== <stdin> Pod default/web: unchanged",
        "  the pod is exempt by exempt.runtimeClasses[0]",
    ]
