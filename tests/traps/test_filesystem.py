"""Traps 28 to 33 and 37 to 39, 82 and 87: what an empty /tmp would hide (semantics.md 3.4, 4.4, 4.5)."""

import pytest

from hardener.controls import read_only_root_filesystem
from tests.pods import document, run, run_yaml, standard


def mounting(*paths, sub_path=None):
    """A pod whose `app` mounts its volume `own` at the paths, beside a silent `sibling`."""
    pod = document("spec: {containers: [{name: app, image: web}, {name: sibling, image: web}]}")
    pod["spec"]["volumes"] = [{"name": "own", "persistentVolumeClaim": {"claimName": "own"}}]
    mounts = [{"name": "own", "mountPath": path} | ({"subPath": sub_path} if sub_path else {}) for path in paths]
    pod["spec"]["containers"][0]["volumeMounts"] = mounts
    return pod


def assert_read_only_without_tmp(hardened, *own_paths):
    """`app` has a read-only root and its own mounts only; `sibling` has a /tmp as ever."""
    assert hardened.security("app")["readOnlyRootFilesystem"] is True
    assert hardened.mounts("app") == [("own", path) for path in own_paths]
    assert [path for _, path in hardened.mounts("sibling")] == ["/tmp"]
    assert hardened.all_skips() == {}


def assert_neither(hardened, reason):
    """`app` has neither a read-only root nor a /tmp, and the reason is told; `sibling` has both."""
    assert "readOnlyRootFilesystem" not in hardened.security("app")
    assert hardened.mounts("app") == []
    assert hardened.security("app")["runAsNonRoot"] is True
    assert hardened.all_skips() == {"readOnlyRootFilesystem": {"app": reason}}
    assert hardened.security("sibling")["readOnlyRootFilesystem"] is True
    assert [path for _, path in hardened.mounts("sibling")] == ["/tmp"]


@pytest.mark.parametrize("sub_path", [None, "scratch"])
def test_trap_28_a_mounted_tmp_is_left_alone(sub_path):
    assert_read_only_without_tmp(run(mounting("/tmp", sub_path=sub_path)), "/tmp")


@pytest.mark.parametrize("path", ["/tmp/", "//tmp", "tmp", "/./tmp", "/var/../tmp", "tmp/."])
def test_trap_29_a_mounted_tmp_is_seen_however_it_is_written(path):
    assert_read_only_without_tmp(run(mounting(path)), path)


def test_trap_30_a_mount_below_tmp_survives_beside_ours():
    hardened = run(mounting("/tmp/cache"))

    assert hardened.security("app")["readOnlyRootFilesystem"] is True
    assert [path for _, path in hardened.mounts("app")] == ["/tmp/cache", "/tmp"]
    assert hardened.all_skips() == {}


def test_trap_31_a_block_device_at_tmp_is_left_alone():
    hardened = run_yaml("""
        spec:
          containers:
          - {name: app, image: web, volumeDevices: [{name: own, devicePath: /tmp}]}
          - {name: sibling, image: web}
          volumes: [{name: own, persistentVolumeClaim: {claimName: own}}]
    """)

    assert_read_only_without_tmp(hardened)


def test_trap_32_a_termination_log_at_tmp_allows_no_volume_there():
    hardened = run_yaml("""
        spec:
          containers:
          - {name: app, image: web, terminationMessagePath: /tmp}
          - {name: sibling, image: web, terminationMessagePath: /tmp/message}
    """)

    assert_neither(hardened, read_only_root_filesystem.TERMINATION_LOG)


@pytest.mark.parametrize("mount", ["/var", "/", "/var/tmp"])
def test_trap_33_a_mount_above_a_writable_path_provides_it(mount):
    policy = standard(readOnlyRootFilesystem={"writablePaths": ("/var/tmp",)})
    hardened = run(mounting(mount), policy)

    assert hardened.security("app")["readOnlyRootFilesystem"] is True
    assert hardened.mounts("app") == [("own", mount)]
    assert [path for _, path in hardened.mounts("sibling")] == ["/var/tmp"]


PROGRAMS = {
    "command": {"command": ["/tmp/run.sh"]},
    "command of a shell": {"command": ["sh", "/tmp/run.sh"]},
    "first argument": {"args": ["/tmp/run.sh"]},
    "not plain": {"command": ["/opt/..//tmp/run.sh"]},
    "liveness probe": {"livenessProbe": {"exec": {"command": ["/tmp/alive"]}}},
    "readiness probe": {"readinessProbe": {"exec": {"command": ["/tmp/ready"]}}},
    "startup probe": {"startupProbe": {"exec": {"command": ["/tmp/up"]}}},
    "start hook": {"lifecycle": {"postStart": {"exec": {"command": ["/tmp/start"]}}}},
    "stop hook": {"lifecycle": {"preStop": {"exec": {"command": ["/tmp/stop"]}}}},
}


@pytest.mark.parametrize("fields", PROGRAMS.values(), ids=PROGRAMS)
def test_trap_37_a_program_of_the_image_below_tmp_is_not_hidden(fields):
    pod = document("spec: {containers: [{name: app, image: web}, {name: sibling, image: web}]}")
    pod["spec"]["containers"][0].update(fields)

    assert_neither(run(pod), read_only_root_filesystem.PROGRAM)


def test_trap_38_a_read_only_root_without_tmp_is_its_author_s_design():
    hardened = run_yaml(
        "spec: {containers: [{name: app, image: web, securityContext: {readOnlyRootFilesystem: true}}]}"
    )

    assert hardened.mounts("app") == []
    assert hardened.volumes() == []
    assert hardened.all_skips() == {}


def test_trap_39_an_explicitly_writable_root_gets_no_tmp():
    hardened = run_yaml("""
        spec:
          containers:
          - {name: app, image: web, securityContext: {readOnlyRootFilesystem: false}}
          - {name: sibling, image: web}
    """)

    assert hardened.security("app")["readOnlyRootFilesystem"] is False
    assert hardened.mounts("app") == []
    assert hardened.all_skips() == {"readOnlyRootFilesystem": {"app": read_only_root_filesystem.EXPLICIT}}
    assert [path for _, path in hardened.mounts("sibling")] == ["/tmp"]


def test_trap_82_one_container_can_opt_out_of_a_tmp_without_sticky_bit():
    hardened = run_yaml("""
        metadata: {annotations: {opt-out.hardener.dev/ruby: readOnlyRootFilesystem}}
        spec: {containers: [{name: ruby, image: ruby}, {name: sibling, image: web}]}
    """)

    assert "readOnlyRootFilesystem" not in hardened.security("ruby")
    assert hardened.mounts("ruby") == []
    assert hardened.security("ruby")["runAsNonRoot"] is True
    assert hardened.security("sibling")["readOnlyRootFilesystem"] is True
    assert [path for _, path in hardened.mounts("sibling")] == ["/tmp"]


@pytest.mark.parametrize("folder", ["/tmp/build", "/tmp", "tmp/build/"])
def test_trap_87_a_working_directory_below_tmp_is_not_hidden(folder):
    pod = document("spec: {containers: [{name: app, image: web}, {name: sibling, image: web}]}")
    pod["spec"]["containers"][0].update(workingDir=folder, securityContext={"runAsUser": 1000})

    assert_neither(run(pod), read_only_root_filesystem.WORKING_DIRECTORY)
