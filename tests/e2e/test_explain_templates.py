"""`/explain` on a real API server for a custom resource: the chart's rule, and the configuration's line, are enough."""

import pytest
import yaml

from tests.e2e.installation import Installation
from tests.e2e.registration import LABEL, explain_configuration, register, unregister
from tests.e2e.report_definitions import ROLLOUTS
from tests.e2e.waiting import eventually

CONFIG = """\
apiVersion: hardener.dev/v1
kind: HardenerConfig
templates:
- {group: argoproj.io, kind: Rollout, path: spec.template}
default: compatible
"""
RULE = {
    "apiGroups": ["argoproj.io"],
    "apiVersions": ["*"],
    "resources": ["rollouts"],
    "operations": ["CREATE", "UPDATE"],
    "scope": "Namespaced",
}
ROLLOUT = yaml.safe_load("""
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  replicas: 1
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: "web:1"}]}
""")


@pytest.fixture(scope="module")
def namespace(control_plane, tmp_path_factory):
    folder = tmp_path_factory.mktemp("templates")
    with Installation(control_plane, "templates", folder, CONFIG) as installed:
        definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
        assert control_plane.request("POST", definitions, ROLLOUTS).status in (201, 409)
        path = "/apis/argoproj.io/v1alpha1/rollouts"
        eventually(lambda: control_plane.request("GET", path).ok, what="rollouts are served")
        configuration = explain_configuration(
            "templates-explain",
            installed.hardener.url,
            installed.hardener.ca_bundle,
            namespace_selector={"matchLabels": {LABEL: "templates"}},
        )
        configuration["webhooks"][0]["rules"].append(RULE)
        register(control_plane, configuration)
        yield installed.namespace()
        unregister(control_plane, configuration)


def told(control_plane, namespace, obj):
    """The warnings that kubectl shows to whoever applies an object."""
    done = control_plane.kubectl("-n", namespace, "apply", "-f", "-", input=yaml.safe_dump(obj))
    return [line.removeprefix("Warning: ") for line in done.stderr.splitlines()]


def test_who_applies_a_custom_workload_reads_what_its_pods_will_receive(control_plane, namespace):
    assert told(control_plane, namespace, ROLLOUT) == [
        "hardener: will set allowPrivilegeEscalation, resources, seccompProfile on app",
        "hardener: will set automountServiceAccountToken on the pod",
    ]
    scaled = {**ROLLOUT, "spec": {**ROLLOUT["spec"], "replicas": 3}}
    assert told(control_plane, namespace, scaled) == []
    stored = control_plane.request("GET", f"/apis/argoproj.io/v1alpha1/namespaces/{namespace}/rollouts/web").body
    assert stored["spec"] == scaled["spec"]
