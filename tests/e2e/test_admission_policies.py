"""MutatingAdmissionPolicy, the API server's own way to change pods, beside ours: it runs before all webhooks."""

import pytest

from tests.e2e.hardening import held_back, lacking
from tests.e2e.neighbours import INJECTED, Neighbours, injection, is_read_only, names
from tests.e2e.waiting import eventually

POLICIES = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies"
SIDECAR_POLICY = """
Object{spec: Object.spec{containers: [Object.spec.containers{name: "agent", image: "agent:1"}]}}
"""
CHOICE_POLICY = """
Object{spec: Object.spec{containers: object.spec.containers.map(c, Object.spec.containers{
  name: c.name,
  securityContext: Object.spec.containers.securityContext{readOnlyRootFilesystem: false}
})}}
"""


@pytest.fixture
def neighbours(control_plane, hardener):
    with Neighbours(control_plane) as started:
        yield started


@pytest.fixture
def policy(neighbours):
    """Add a MutatingAdmissionPolicy and wait until it is in force; gives a namespace for it and us."""
    if neighbours.control_plane.request("GET", POLICIES).status == 404:
        pytest.skip(f"Kubernetes {neighbours.control_plane.version} has no MutatingAdmissionPolicy switched on")

    def add(name, expression, is_in_force):
        constraints = {
            "namespaceSelector": {"matchLabels": {INJECTED: name}},
            "resourceRules": [
                {"operations": ["CREATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
            ],
        }
        spec = {
            "matchConstraints": constraints,
            "failurePolicy": "Fail",
            "reinvocationPolicy": "IfNeeded",
            "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}}],
        }
        cluster = neighbours.control_plane
        for path, body in ((POLICIES, spec), (POLICIES.replace("policies", "policybindings"), {"policyName": name})):
            made = cluster.request("POST", path, {"metadata": {"name": name}, "spec": body})
            assert made.status == 201, made.body
            neighbours.stack.callback(cluster.request, "DELETE", f"{path}/{name}")
        plain = neighbours.namespace(name, with_ours=False)
        eventually(lambda: is_in_force(neighbours.create(plain)), what="the policy is in force")
        return neighbours.namespace(name)

    return add


def test_a_sidecar_of_a_mutating_admission_policy_is_hardened(neighbours, policy):
    namespace = policy("adds-agent", SIDECAR_POLICY, lambda pod: "agent" in names(pod))

    pod = neighbours.create(namespace)

    assert sorted(names(pod)) == ["agent", "app"]
    assert lacking(pod) == set()
    assert neighbours.create(namespace, pod) == pod


def test_what_a_mutating_admission_policy_says_explicitly_is_kept(neighbours, policy):
    namespace = policy("chooses", CHOICE_POLICY, is_read_only)

    pod = neighbours.create(namespace)

    assert lacking(pod) == {("readOnlyRootFilesystem", "app")} == set(held_back(pod))
    assert neighbours.create(namespace, pod) == pod


def test_a_policy_and_an_injector_together_settle_too(neighbours, policy):
    namespace = policy("together", SIDECAR_POLICY, lambda pod: "agent" in names(pod))
    neighbours.add("zzz-together", injection("the front"), label="together")

    pod = neighbours.create(namespace)

    assert sorted(names(pod)) == ["agent", "app", "proxy"]
    assert lacking(pod) == set(held_back(pod)) == {("runAsNonRoot", "proxy-init")}
    assert neighbours.create(namespace, pod) == pod
