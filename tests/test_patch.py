"""Writes as JSON Patch: parents, lists, escapes, removals, order (semantics.md 6.2)."""

import itertools
import json
from dataclasses import replace

import jsonpatch
import pytest

from hardener.engine import harden
from hardener.model import STANDALONE, Mode, Write
from hardener.patch import render
from tests.pods import STANDARD, TODAY, complete, document, view

BARE = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "a"}, {"name": "b"}]}}


def writes_on(pod, *changes):
    """Writes by place: None is the pod, a number the container of that index."""
    return [
        Write(pod if at is None else pod.containers[at], path, value, "because", how)
        for at, path, value, how in changes
    ]


def applied(obj, *changes, root=()):
    """What comes of the writes, once they are applied to the object as JSON."""
    operations = render(writes_on(view(obj), *changes), root)
    return jsonpatch.apply_patch(json.loads(json.dumps(obj)), json.loads(json.dumps(operations))), operations


def test_nothing_to_write_is_no_operation():
    assert render([]) == []


def test_a_missing_parent_is_written_whole_and_once():
    result, operations = applied(
        BARE,
        (0, ("securityContext", "runAsNonRoot"), True, "set"),
        (0, ("securityContext", "capabilities", "drop"), "ALL", "append"),
        (0, ("securityContext", "seccompProfile"), {"type": "RuntimeDefault"}, "set"),
    )

    expected = {
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert operations == [{"op": "add", "path": "/spec/containers/0/securityContext", "value": expected}]
    assert result["spec"]["containers"] == [{"name": "a", "securityContext": expected}, {"name": "b"}]


@pytest.mark.parametrize(
    ("security", "paths"),
    [
        (None, ["/spec/containers/0/securityContext"]),
        ({}, ["/spec/containers/0/securityContext/capabilities"]),
        ({"capabilities": None}, ["/spec/containers/0/securityContext/capabilities"]),
        ({"capabilities": {}}, ["/spec/containers/0/securityContext/capabilities/drop"]),
        ({"capabilities": {"drop": None}}, ["/spec/containers/0/securityContext/capabilities/drop"]),
        ({"capabilities": {"drop": []}}, ["/spec/containers/0/securityContext/capabilities/drop/-"]),
        ({"capabilities": {"drop": ["X"]}}, ["/spec/containers/0/securityContext/capabilities/drop/-"]),
    ],
)
def test_only_what_is_missing_or_null_is_made(security, paths):
    obj = {**BARE, "spec": {"containers": [{"name": "a", "securityContext": security}]}}
    result, operations = applied(obj, (0, ("securityContext", "capabilities", "drop"), "ALL", "append"))

    assert [operation["path"] for operation in operations] == paths
    present = ((security or {}).get("capabilities") or {}).get("drop") or []
    assert result["spec"]["containers"][0]["securityContext"]["capabilities"]["drop"] == [*present, "ALL"]


def test_deep_parents_are_made_on_the_pod_as_well():
    result, operations = applied(
        BARE,
        (None, ("metadata", "annotations", "one"), "1", "set"),
        (None, ("metadata", "annotations", "two"), "2", "set"),
        (None, ("status", "deep", "deeper"), "x", "append"),
    )

    assert [operation["path"] for operation in operations] == ["/metadata", "/status"]
    assert result["metadata"] == {"annotations": {"one": "1", "two": "2"}}
    assert result["status"] == {"deep": {"deeper": ["x"]}}


def test_a_null_list_and_an_absent_spec_are_written_over():
    result, _ = applied(
        {"apiVersion": "v1", "kind": "Pod", "metadata": None},
        (None, ("spec", "volumes"), {"name": "v", "emptyDir": {}}, "append"),
        (None, ("metadata", "annotations", "key"), "value", "set"),
    )

    assert result["spec"] == {"volumes": [{"name": "v", "emptyDir": {}}]}
    assert result["metadata"] == {"annotations": {"key": "value"}}


@pytest.mark.parametrize(
    ("key", "escaped"),
    [("a/b", "a~1b"), ("a~b", "a~0b"), ("~1", "~01"), ("a~/b~1/~0", "a~0~1b~01~1~00"), ("plain.key", "plain.key")],
)
def test_keys_are_escaped(key, escaped):
    obj = complete({**BARE, "metadata": {"annotations": {"other": "x"}}})
    result, operations = applied(obj, (None, ("metadata", "annotations", key), "value", "set"))

    assert operations == [{"op": "add", "path": f"/metadata/annotations/{escaped}", "value": "value"}]
    assert result["metadata"]["annotations"] == {"other": "x", key: "value"}


def test_a_present_value_is_replaced():
    obj = complete({**BARE, "metadata": {"annotations": {"key": "old"}}})

    assert applied(obj, (None, ("metadata", "annotations", "key"), "new", "set"))[0]["metadata"]["annotations"] == {
        "key": "new"
    }


@pytest.mark.parametrize("present", ["absent", "null", "empty", "filled"])
def test_several_values_are_appended_in_their_order(present):
    spec = {"containers": [{"name": "a"}]}
    values = {"null": None, "empty": [], "filled": [{"name": "own"}]}
    if present in values:
        spec["volumes"] = values[present]
    result, _ = applied(
        {**BARE, "spec": spec},
        (None, ("spec", "volumes"), {"name": "one"}, "append"),
        (None, ("spec", "volumes"), {"name": "two"}, "append"),
    )

    own = ["own"] if present == "filled" else []
    assert [volume["name"] for volume in result["spec"]["volumes"]] == [*own, "one", "two"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_removals_and_additions_never_shift_one_another(order):
    names = [f"v{index}" for index in range(12)]
    obj = {**BARE, "spec": {"containers": [{"name": "a"}], "volumes": [{"name": name} for name in names]}}
    changes = [
        (None, ("spec", "volumes", 2), None, "remove"),
        (None, ("spec", "volumes", 11), None, "remove"),
        (None, ("spec", "volumes", 9), None, "remove"),
        (None, ("spec", "volumes"), {"name": "new"}, "append"),
    ]
    result, operations = applied(obj, *(changes[index] for index in order))

    left = [name for name in names if name not in ("v2", "v9", "v11")]
    assert [volume["name"] for volume in result["spec"]["volumes"]] == [*left, "new"]
    assert [operation["path"] for operation in operations] == [
        "/spec/volumes/-",
        "/spec/volumes/11",
        "/spec/volumes/9",
        "/spec/volumes/2",
    ]


def test_containers_are_told_apart_by_place_and_not_by_name():
    obj = {
        **BARE,
        "spec": {
            "containers": [{"name": "same"}, {"name": "same", "securityContext": {}}],
            "initContainers": [{"name": "same"}],
        },
    }
    result, operations = applied(obj, *((index, ("securityContext", "runAsUser"), index, "set") for index in range(3)))

    assert [operation["path"] for operation in operations] == [
        "/spec/containers/0/securityContext",
        "/spec/containers/1/securityContext/runAsUser",
        "/spec/initContainers/0/securityContext",
    ]
    found = [*result["spec"]["containers"], *result["spec"]["initContainers"]]
    assert [container["securityContext"]["runAsUser"] for container in found] == [0, 1, 2]


@pytest.mark.parametrize("root", [("spec", "template"), ("spec", "jobTemplate", "spec", "template"), ("items", 1)])
def test_a_root_leads_from_the_document_to_the_template(root):
    volume = {"name": "old", "emptyDir": {}}
    template = {"metadata": {"annotations": {"a/b": "x"}}, "spec": {**BARE["spec"], "volumes": [volume]}}
    operations = render(
        writes_on(
            view(template),
            (1, ("securityContext", "runAsNonRoot"), True, "set"),
            (None, ("metadata", "annotations", "c/d"), "y", "set"),
            (None, ("spec", "volumes", 0), None, "remove"),
        ),
        root,
    )

    prefix = "".join(f"/{key}" for key in root)
    assert [operation["path"] for operation in operations] == [
        f"{prefix}/spec/containers/1/securityContext",
        f"{prefix}/metadata/annotations/c~1d",
        f"{prefix}/spec/volumes/0",
    ]


def test_a_removal_carries_no_value_and_false_is_a_value():
    _, operations = applied(
        {**BARE, "spec": {**BARE["spec"], "volumes": [{"name": "v"}]}},
        (None, ("spec", "automountServiceAccountToken"), False, "set"),
        (None, ("spec", "volumes", 0), None, "remove"),
    )

    assert operations == [
        {"op": "add", "path": "/spec/automountServiceAccountToken", "value": False},
        {"op": "remove", "path": "/spec/volumes/0"},
    ]


def test_keys_of_a_mapping_are_removed_by_their_escaped_names_beside_rows_of_lists():
    obj = complete(
        {
            "metadata": {"annotations": {"a/b": "1", "c~d": "2", "kept": "3"}},
            "spec": {"containers": [{"name": "a"}], "volumes": [{"name": "v"}, {"name": "w"}, {"name": "x"}]},
        }
    )
    result, operations = applied(
        obj,
        (None, ("metadata", "annotations", "a/b"), None, "remove"),
        (None, ("spec", "volumes", 0), None, "remove"),
        (None, ("metadata", "annotations", "c~d"), None, "remove"),
        (None, ("spec", "volumes", 2), None, "remove"),
        (None, ("metadata", "annotations", "new"), "4", "set"),
    )

    assert [operation["path"] for operation in operations] == [
        "/metadata/annotations/new",
        "/spec/volumes/2",
        "/spec/volumes/0",
        "/metadata/annotations/a~1b",
        "/metadata/annotations/c~0d",
    ]
    assert result["metadata"]["annotations"] == {"kept": "3", "new": "4"}
    assert result["spec"]["volumes"] == [{"name": "w"}]


PODS = {
    "silent": "spec: {containers: [{name: a, image: a}, {name: b, image: b}]}",
    "filled": """
        metadata: {annotations: {team: shop}}
        spec:
          securityContext: {}
          containers:
          - name: a
            image: a
            securityContext: {capabilities: {drop: [NET_RAW]}}
            resources: {requests: {cpu: 1}}
            volumeMounts:
            - {name: kube-api-access-1, mountPath: /var/run/secrets/kubernetes.io/serviceaccount}
            - {name: data, mountPath: /data}
          - {name: b, image: b, securityContext: {}, resources: {limits: null}}
          initContainers: [{name: c, image: c, volumeMounts: []}]
          volumes:
          - name: kube-api-access-1
            projected:
              sources:
              - serviceAccountToken: {path: token}
              - configMap: {name: kube-root-ca.crt}
          - {name: data, emptyDir: {}}
    """,
}


@pytest.mark.parametrize("name", PODS)
def test_the_order_of_the_controls_does_not_matter(name):
    obj = document(PODS[name])
    results = set()
    counts = set()
    # One in 21 of the 5,040 orders is enough for each control to stand before and after each other one.
    for controls in itertools.islice(itertools.permutations(STANDARD.controls), 0, None, 21):
        outcome = harden(view(obj), replace(STANDARD, controls=controls), STANDALONE, TODAY)
        operations = render(outcome.writes(Mode.ENFORCE))
        result = jsonpatch.apply_patch(obj, json.loads(json.dumps(operations)))
        results.add(json.dumps(result, sort_keys=True))
        counts.add(len(operations))

    assert len(results) == 1
    assert len(counts) == 1
    assert results != {json.dumps(obj, sort_keys=True)}


def test_values_are_shared_and_left_as_they_are():
    value = {"type": "RuntimeDefault"}
    operations = render(writes_on(view(BARE), (0, ("securityContext", "seccompProfile"), value, "set")))

    assert operations[0]["value"]["seccompProfile"] is value
    assert value == {"type": "RuntimeDefault"}
