"""Answers that the API server cannot use: what a webhook must never send, and what users would see then."""

import pytest

from tests.e2e.double import patching
from tests.e2e.operations import show_message
from tests.e2e.registration import CONFIGURATIONS, register, unregister, webhook_configuration
from tests.e2e.waiting import eventually

LABEL = "e2e.hardener.dev/bad-patches"
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web"},
    "spec": {"containers": [{"name": "app", "image": "web:1"}]},
}


def create(control_plane, namespace, **query):
    return control_plane.request("POST", f"/api/v1/namespaces/{namespace}/pods", POD, user="dev", query=query)


BAD_PATCHES = {
    "an addition below a missing parent": (
        {"op": "add", "path": "/metadata/annotations/note", "value": "here"},
        'add operation does not apply: doc is missing path: "/metadata/annotations/note": missing value',
    ),
    "the removal of what is not there": (
        {"op": "remove", "path": "/spec/containers/7"},
        "error in remove for path: '/spec/containers/7': Unable to access invalid index: 7: invalid index referenced",
    ),
    "a test that fails": (
        {"op": "test", "path": "/metadata/name", "value": "other"},
        "testing value /metadata/name failed: test failed",
    ),
    "a string for a boolean": (
        {"op": "add", "path": "/spec/automountServiceAccountToken", "value": "false"},
        "json: cannot unmarshal string into Go struct field PodSpec.spec.automountServiceAccountToken of type bool",
    ),
    "a fraction for an integer": (
        {"op": "add", "path": "/spec/activeDeadlineSeconds", "value": 1.5},
        "json: cannot unmarshal number 1.5 into Go struct field PodSpec.spec.activeDeadlineSeconds of type int64",
    ),
}


@pytest.fixture(scope="module")
def badly_patched(control_plane, double):
    """A namespace whose webhook may fail, by its policy, and answers at `/bad`."""
    labels = {LABEL: "zz-bad"}
    configuration = webhook_configuration(
        "zz-bad",
        double.url,
        double.ca_bundle,
        path="/bad",
        namespace_selector={"matchLabels": labels},
        failure_policy="Ignore",
    )
    register(control_plane, configuration)
    yield control_plane.make_namespace(labels=labels)
    unregister(control_plane, configuration)


@pytest.mark.parametrize("patch", BAD_PATCHES)
def test_a_patch_that_does_not_fit_is_a_500_even_with_the_policy_ignore(
    control_plane, double, documents, badly_patched, patch
):
    """What a webhook must never cause: no policy and no user can get round it, and nobody is told who did it."""
    operation, message = BAD_PATCHES[patch]
    double.answers["/bad"] = patching(operation)

    reply = create(control_plane, badly_patched)

    assert (reply.status, reply.body["reason"]) == (500, "InternalError")
    assert reply.message == f"Internal error occurred: {message}"
    if patch == next(iter(BAD_PATCHES)):
        show_message(documents, control_plane, "a patch does not fit", reply.message)


def test_the_replacement_of_what_is_not_there_counts_as_an_addition(control_plane, double, badly_patched):
    """Unlike RFC 6902, section 4.3, and semantics.md, trap 8: only a missing parent is an error."""
    double.answers["/bad"] = patching({"op": "replace", "path": "/spec/nodeSelector", "value": {"disk": "ssd"}})

    reply = create(control_plane, badly_patched, dryRun="All")

    assert reply.body["spec"]["nodeSelector"] == {"disk": "ssd"}


def test_a_patch_to_a_deletion_is_a_500_too(control_plane, double):
    double.answers["/bad"] = patching({"op": "add", "path": "/metadata", "value": {}})
    labels = {LABEL: "zz-deletion"}
    configuration = webhook_configuration(
        "zz-deletion", double.url, double.ca_bundle, path="/bad", namespace_selector={"matchLabels": labels}
    )
    configuration["webhooks"][0]["rules"][0]["operations"] = ["DELETE"]
    namespace = control_plane.make_namespace(labels=labels)
    assert create(control_plane, namespace).status == 201
    made = control_plane.request("POST", CONFIGURATIONS, configuration)
    assert made.status == 201, made.body
    path = f"/api/v1/namespaces/{namespace}/pods/web"

    def refused():
        reply = control_plane.request("DELETE", path, query={"dryRun": "All"})
        return reply.message if reply.status == 500 else None

    try:
        message = eventually(refused, what="the API server asks about deletions")
    finally:
        control_plane.request("DELETE", f"{CONFIGURATIONS}/zz-deletion")

    assert message == (
        'Internal error occurred: admission webhook "zz-deletion.e2e.hardener.dev" attempted to modify the object, '
        "which is not supported for this operation"
    )
