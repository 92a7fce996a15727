"""Traps of the order of webhooks, and of a second round (semantics.md 1.2, 1.3)."""

import pytest

from hardener.controls.read_only_root_filesystem import SAFE_TO_EVICT
from tests.e2e.double import allow, patching
from tests.e2e.registration import calls
from tests.e2e.traps.bench import OUR_WEBHOOK, pod
from tests.pod_json import is_injected_token, security

POD_NON_ROOT = {"op": "add", "path": "/spec/securityContext/runAsNonRoot", "value": True}
ROOT_SIDECAR = {"name": "late", "image": "proxy", "securityContext": {"runAsUser": 0}}
TMP = {"op": "add", "path": "/spec/volumes/-", "value": {"name": "tmp", "emptyDir": {}}}


@pytest.fixture(scope="module")
def places(bench):
    """Namespaces by their webhooks, in the order in which these are called."""
    return {
        "hardener": "traps",
        "hardener, late": bench.namespace("rounds-ours", ours="pods", late=True),
        "early, hardener": bench.namespace("rounds-early", ours="pods", naive="once"),
        "early, late": bench.namespace("rounds-naive", naive="once", late=True),
        "once": "naive",
        "again": bench.namespace("rounds-again", naive="again"),
        "again, late": bench.namespace("rounds-again-late", naive="again", late=True),
    }


def unless_there(container, position="-"):
    """An answer that adds a container, if there is none of its name."""

    def answer(review):
        names = [each["name"] for each in review["request"]["object"]["spec"]["containers"]]
        add = {"op": "add", "path": f"/spec/containers/{position}", "value": container}
        return allow(review, [] if container["name"] in names else [add])

    return answer


def test_trap_14_a_root_sidecar_that_comes_later_inherits_nothing(bench, places, answers):
    answers["/late"] = unless_there(ROOT_SIDECAR)
    answers["/once"] = patching(POD_NON_ROOT)
    ours, naive = bench.create(pod(), places["hardener, late"]), bench.create(pod(), places["early, late"])

    assert [each["name"] for each in ours.body["spec"]["containers"]] == ["app", "late"]
    assert "runAsNonRoot" not in ours.body["spec"]["securityContext"]
    assert [security(each).get("runAsNonRoot") for each in ours.body["spec"]["containers"]] == [True, None]
    # The API server accepts it; the kubelet will not start the sidecar.
    assert naive.status == 201
    assert naive.body["spec"]["securityContext"] == {"runAsNonRoot": True}
    assert naive.body["spec"]["containers"][1]["securityContext"] == {"runAsUser": 0}


def without_token(review):
    """An answer that takes the token volume and its mount away, and leaves the field alone."""
    volumes = review["request"]["object"]["spec"].get("volumes", [])
    token = [index for index, volume in enumerate(volumes) if is_injected_token(volume)]
    paths = [f"/spec/volumes/{index}" for index in token] + ["/spec/containers/0/volumeMounts/0"]
    return allow(review, [{"op": "remove", "path": path} for path in paths] if token else [])


def test_trap_42_a_token_that_only_its_volume_was_taken_from_comes_back(bench, places, answers):
    answers["/once"] = answers["/again"] = without_token
    before = len(bench.double.calls)
    once = bench.create(pod(), places["once"])
    again = bench.create(pod(), places["again"])
    asked = [call.path for call in bench.double.calls[before:]]
    ours_before = calls(bench.cluster, OUR_WEBHOOK)
    ours = bench.create(pod(), places["hardener"])

    # A plugin of the API server injects it anew. With IfNeeded the webhook is then asked again (semantics.md 9.1).
    assert [is_injected_token(volume) for volume in once.body["spec"]["volumes"]] == [True]
    assert "volumes" not in again.body["spec"]
    assert asked == ["/once", "/again", "/again"]
    assert not any(is_injected_token(volume) for volume in ours.body["spec"]["volumes"])
    assert ours.body["spec"]["automountServiceAccountToken"] is False
    assert calls(bench.cluster, OUR_WEBHOOK) == ours_before + 1


def test_trap_52_a_request_that_another_webhook_raised_gets_no_limit_below_it(bench, places, answers):
    raised = {"op": "add", "path": "/spec/containers/0/resources/requests", "value": {"memory": "2Gi"}}
    limit = {"op": "add", "path": "/spec/containers/0/resources/limits", "value": {"memory": "1Gi"}}
    answers["/once"] = patching(raised)
    answers["/late"] = patching(limit)
    ours, naive = bench.create(pod(), places["early, hardener"]), bench.create(pod(), places["early, late"])

    assert ours.body["spec"]["containers"][0]["resources"] == {"requests": {"cpu": "50m", "memory": "2Gi"}}
    assert (naive.status, naive.message) == (
        422,
        'Pod "web" is invalid: spec.containers[0].resources.requests: Invalid value: "2Gi": '
        "must be less than or equal to memory limit of 1Gi",
    )


def test_trap_69_a_second_call_changes_nothing(bench, places, answers):
    answers["/again"] = patching(TMP)
    answers["/late"] = patching({"op": "add", "path": "/metadata/labels", "value": {"late": "yes"}})
    naive = bench.create(pod(), places["again, late"])
    ours_before = calls(bench.cluster, OUR_WEBHOOK)
    ours = bench.create(pod(), places["hardener, late"])

    assert (naive.status, naive.message) == (
        422,
        'Pod "web" is invalid: spec.volumes[2].name: Duplicate value: "tmp"',
    )
    assert calls(bench.cluster, OUR_WEBHOOK) == ours_before + 2
    assert ours.body["metadata"]["labels"] == {"late": "yes"}
    assert ours.body["spec"] == bench.create(pod(), places["hardener"]).body["spec"]


def by_index(review):
    """An answer that gives each container a volume at /tmp, named by the container's place, unless it has one."""
    pod_spec = review["request"]["object"]["spec"]
    names = [volume["name"] for volume in pod_spec.get("volumes", [])]
    operations = []
    for index, container in enumerate(pod_spec["containers"]):
        name = f"tmp-{index}"
        if name not in names:
            operations.append({"op": "add", "path": "/spec/volumes/-", "value": {"name": name, "emptyDir": {}}})
        if name not in [mount["name"] for mount in container.get("volumeMounts", [])]:
            path = f"/spec/containers/{index}/volumeMounts"
            present = container.get("volumeMounts", [])
            operations.append({"op": "add", "path": path, "value": [*present, {"name": name, "mountPath": "/tmp"}]})
    return allow(review, operations)


def test_trap_70_a_sidecar_that_is_put_in_front_renames_no_volume(bench, places, answers):
    answers["/again"] = by_index
    answers["/late"] = unless_there({"name": "proxy", "image": "proxy"}, 0)
    ours, naive = bench.create(pod(), places["hardener, late"]), bench.create(pod(), places["again, late"])
    alone = bench.create(pod(), places["hardener"])

    assert (naive.status, naive.message) == (
        422,
        'Pod "web" is invalid: spec.containers[1].volumeMounts[2].mountPath: Invalid value: "/tmp": must be unique',
    )
    assert [each["name"] for each in ours.body["spec"]["containers"]] == ["proxy", "app"]
    proxy, app = ours.body["spec"]["containers"]
    assert app["volumeMounts"] == alone.body["spec"]["containers"][0]["volumeMounts"]
    assert [mount["mountPath"] for mount in proxy["volumeMounts"]] == ["/tmp"]
    assert proxy["securityContext"] == app["securityContext"]
    volumes = [volume["name"] for volume in ours.body["spec"]["volumes"]]
    assert volumes == [app["volumeMounts"][0]["name"], proxy["volumeMounts"][0]["name"]]
    assert ours.body["metadata"]["annotations"] == {
        **alone.body["metadata"]["annotations"],
        SAFE_TO_EVICT: ",".join(volumes),
    }
