"""Traps 34 to 36, 40, 65, 70, 81 and 86: the volumes that hardener adds (semantics.md 1.2, 3.4, 4.5)."""

import dataclasses
import re

import pytest

from hardener.controls import CATALOGUE
from hardener.controls.read_only_root_filesystem import SAFE_TO_EVICT
from tests.pod_json import ANNOTATIONS_LIMIT, annotation_bytes
from tests.pods import Hardened, document, run, run_yaml


def tmp_volume(hardened: Hardened, container: str) -> str:
    """The name of the volume that a container has at /tmp."""
    return next(name for name, path in hardened.mounts(container) if path == "/tmp")


def test_trap_34_a_volume_named_like_ours_gets_a_neighbour_of_another_name():
    silent = document("spec: {containers: [{name: app, image: web}]}")
    name = tmp_volume(run(silent), "app")
    taken = [{"name": name, "persistentVolumeClaim": {"claimName": "data"}}]
    hardened = run({**silent, "spec": {**silent["spec"], "volumes": taken}})

    other = tmp_volume(hardened, "app")
    assert other != name
    assert hardened.volumes() == [*taken, {"name": other, "emptyDir": {}}]


@pytest.mark.parametrize("length", [1, 62, 63])
def test_trap_35_the_name_of_a_volume_is_a_label_however_long_the_container_s_is(length):
    pod = document("spec: {containers: [{name: app, image: web}]}")
    pod["spec"]["containers"][0]["name"] = "a" * length
    hardened = run(pod)

    name = tmp_volume(hardened, "a" * length)
    assert len(name) <= 63
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name)


def test_trap_36_each_container_has_a_tmp_of_its_own():
    hardened = run_yaml("""
        spec:
          containers: [{name: app, image: web}, {name: log, image: log}]
          initContainers: [{name: setup, image: busybox}]
    """)

    names = [tmp_volume(hardened, container) for container in ("app", "log", "setup")]
    assert len(set(names)) == 3
    assert [volume["name"] for volume in hardened.volumes()] == names


LISTS = {
    "absent": "spec: {containers: [{name: app, image: web}]}",
    "null": "spec: {volumes: null, containers: [{name: app, image: web, volumeMounts: null}]}",
    "empty": "spec: {volumes: [], containers: [{name: app, image: web, volumeMounts: []}]}",
    "filled": """
        spec:
          volumes: [{name: own, emptyDir: {}}]
          containers: [{name: app, image: web, volumeMounts: [{name: own, mountPath: /data}]}]
    """,
}


@pytest.mark.parametrize("lists", LISTS)
def test_trap_40_lists_that_are_missing_are_made_first(lists):
    hardened = run_yaml(LISTS[lists])

    own = [("own", "/data")] if lists == "filled" else []
    assert hardened.mounts("app") == [*own, (tmp_volume(hardened, "app"), "/tmp")]
    assert [volume["name"] for volume in hardened.volumes()] == [name for name, _ in hardened.mounts("app")]


@pytest.mark.parametrize(("missing", "told"), [(0, True), (1, False)])
def test_trap_65_what_is_ours_is_left_out_where_annotations_would_grow_too_big(missing, told):
    pod = document("spec: {containers: [{name: app, image: web}]}")
    needed = len(SAFE_TO_EVICT) + len(tmp_volume(run(pod), "app"))
    size = ANNOTATIONS_LIMIT - needed - len("note") + missing
    # One letter of two bytes, since the limit counts bytes.
    pod["metadata"]["annotations"] = {"note": "ü" + "x" * (size - 2)}
    hardened = run(pod)

    annotations = hardened.after["metadata"]["annotations"]
    assert (SAFE_TO_EVICT in annotations) is told
    assert annotation_bytes(hardened.after) <= ANNOTATIONS_LIMIT == 262_144
    assert hardened.security("app")["readOnlyRootFilesystem"] is True
    assert [path for _, path in hardened.mounts("app")] == ["/tmp"]


def test_trap_70_a_sidecar_that_is_put_in_front_renames_no_volume():
    first = run_yaml("spec: {containers: [{name: app, image: web}, {name: log, image: log}]}")
    with_sidecar = {**first.after, "spec": {**first.after["spec"]}}
    with_sidecar["spec"]["containers"] = [{"name": "proxy", "image": "proxy"}, *first.after["spec"]["containers"]]
    second = run(with_sidecar)

    assert tmp_volume(second, "app") == tmp_volume(first, "app")
    assert tmp_volume(second, "log") == tmp_volume(first, "log")
    assert second.volumes() == [*first.volumes(), {"name": tmp_volume(second, "proxy"), "emptyDir": {}}]
    told = second.after["metadata"]["annotations"][SAFE_TO_EVICT].split(",")
    assert told == [volume["name"] for volume in second.volumes()]


@pytest.mark.parametrize(("present", "kept"), [(None, False), ("", False), ("cache", True), ("cache,logs", True)])
def test_trap_81_the_autoscaler_is_told_unless_the_author_told_it(present, kept):
    pod = document("spec: {containers: [{name: app, image: web}]}")
    if present is not None:
        pod["metadata"]["annotations"] = {SAFE_TO_EVICT: present}
    hardened = run(pod)

    assert hardened.after["metadata"]["annotations"] == {
        SAFE_TO_EVICT: present if kept else tmp_volume(hardened, "app")
    }


def test_trap_86_no_medium_can_be_configured_or_is_written():
    settings = {field.name for field in dataclasses.fields(CATALOGUE["readOnlyRootFilesystem"].settings)}
    hardened = run_yaml("spec: {containers: [{name: app, image: web}]}")

    assert settings == {"explicit", "hostAgents", "writablePaths", "sizeLimit"}
    assert [volume["emptyDir"] for volume in hardened.volumes()] == [{}]
