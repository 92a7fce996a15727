"""Traps 1 to 8, 72 and 73: privileged containers, capabilities, escalation (semantics.md 3.1, 4.2, 5.2)."""

import pytest

from hardener.controls import allow_privilege_escalation, capabilities, read_only_root_filesystem, run_as_non_root
from tests.pods import document, run, run_yaml

ALL_SET = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""The security context of a silent container."""


def with_capabilities(**lists):
    """A pod of two containers, `app` with these capabilities and a silent `sibling`."""
    pod = document("spec: {containers: [{name: app, image: web}, {name: sibling, image: web}]}")
    pod["spec"]["containers"][0]["securityContext"] = {"capabilities": lists}
    return pod


def test_trap_01_a_privileged_container_is_left_alone_and_its_sibling_is_hardened():
    hardened = run_yaml("""
        spec:
          containers:
          - {name: agent, image: agent, securityContext: {privileged: true}}
          - {name: sibling, image: web}
    """)

    assert hardened.security("agent") == {"privileged": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert hardened.mounts("agent") == []
    assert hardened.all_skips() == {
        "allowPrivilegeEscalation": {"agent": allow_privilege_escalation.PRIVILEGED},
        "capabilities": {"agent": capabilities.PRIVILEGED},
        "readOnlyRootFilesystem": {"agent": read_only_root_filesystem.PRIVILEGED},
        "runAsNonRoot": {"agent": run_as_non_root.PRIVILEGED},
    }
    assert hardened.security("sibling") == ALL_SET
    assert [path for _, path in hardened.mounts("sibling")] == ["/tmp"]


def test_trap_02_cap_sys_admin_keeps_its_escalation_and_loses_the_other_capabilities():
    hardened = run(with_capabilities(add=["CAP_SYS_ADMIN"]))

    assert "allowPrivilegeEscalation" not in hardened.security("app")
    assert hardened.security("app")["capabilities"] == {"add": ["CAP_SYS_ADMIN"], "drop": ["ALL"]}
    assert hardened.all_skips() == {"allowPrivilegeEscalation": {"app": allow_privilege_escalation.ADDS_SYS_ADMIN}}
    assert hardened.security("sibling") == ALL_SET


@pytest.mark.parametrize("spelling", ["SYS_ADMIN", "sys_admin", "cap_sys_admin", "Cap_Sys_Admin"])
def test_trap_03_sys_admin_is_recognised_however_it_is_spelt(spelling):
    hardened = run(with_capabilities(add=["NET_ADMIN", spelling]))

    assert "allowPrivilegeEscalation" not in hardened.security("app")
    assert hardened.all_skips() == {"allowPrivilegeEscalation": {"app": allow_privilege_escalation.ADDS_SYS_ADMIN}}
    assert hardened.security("sibling") == ALL_SET


@pytest.mark.parametrize("spelling", ["ALL", "all", "CAP_ALL"])
def test_trap_04_who_adds_all_capabilities_keeps_them(spelling):
    hardened = run(with_capabilities(add=[spelling]))

    assert hardened.security("app")["capabilities"] == {"add": [spelling]}
    assert "allowPrivilegeEscalation" not in hardened.security("app")
    assert hardened.all_skips() == {
        "allowPrivilegeEscalation": {"app": allow_privilege_escalation.ADDS_SYS_ADMIN},
        "capabilities": {"app": capabilities.ADDS_ALL},
    }
    assert hardened.security("sibling") == ALL_SET


@pytest.mark.parametrize("dropped", [["all"], ["CAP_ALL"], ["NET_RAW"], ["NET_RAW", "All"]])
def test_trap_05_the_literal_all_is_appended_to_what_is_dropped_already(dropped):
    hardened = run(with_capabilities(drop=dropped))

    assert hardened.security("app")["capabilities"] == {"drop": [*dropped, "ALL"]}
    assert hardened.all_skips() == {}


def test_trap_06_istio_init_keeps_the_capabilities_that_it_adds():
    hardened = run_yaml("""
        spec:
          containers: [{name: app, image: web}]
          initContainers:
          - name: istio-init
            image: istio/proxyv2
            securityContext: {capabilities: {add: [NET_ADMIN, NET_RAW]}, runAsUser: 0, runAsNonRoot: false}
    """)

    assert hardened.security("istio-init")["capabilities"] == {"add": ["NET_ADMIN", "NET_RAW"], "drop": ["ALL"]}
    paths = [operation["path"] for operation in hardened.operations]
    assert "/spec/initContainers/0/securityContext/capabilities/drop" in paths
    assert "/spec/initContainers/0/securityContext/capabilities" not in paths


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("allowPrivilegeEscalation", True, allow_privilege_escalation.EXPLICIT),
        ("readOnlyRootFilesystem", False, read_only_root_filesystem.EXPLICIT),
        ("runAsNonRoot", False, run_as_non_root.EXPLICIT),
    ],
)
def test_trap_07_what_the_author_wrote_is_kept_and_told(field, value, reason):
    pod = document("spec: {containers: [{name: app, image: web}, {name: sibling, image: web}]}")
    pod["spec"]["containers"][0]["securityContext"] = {field: value}
    hardened = run(pod)

    assert hardened.security("app") == {**ALL_SET, field: value}
    assert hardened.all_skips() == {field: {"app": reason}}
    assert hardened.security("sibling") == ALL_SET


@pytest.mark.parametrize("security", ["{}", "{capabilities: {}}", "null", "{capabilities: null}"])
def test_trap_08_empty_parents_are_written_into(security):
    hardened = run_yaml(f"spec: {{containers: [{{name: app, image: web, securityContext: {security}}}]}}")

    assert hardened.security("app") == ALL_SET


def test_trap_72_privileged_is_never_written():
    hardened = run_yaml("""
        spec:
          containers:
          - name: csi
            image: csi
            securityContext: {privileged: true}
            volumeMounts: [{name: pods, mountPath: /var/lib/kubelet, mountPropagation: Bidirectional}]
          volumes: [{name: pods, hostPath: {path: /var/lib/kubelet}}]
    """)

    assert hardened.security("csi")["privileged"] is True
    assert hardened.container("csi")["volumeMounts"] == hardened.before["spec"]["containers"][0]["volumeMounts"]
    assert not [operation for operation in hardened.operations if "privileged" in str(operation)]


def test_trap_73_unmasked_proc_in_a_user_namespace_is_untouched():
    hardened = run_yaml("""
        spec:
          hostUsers: false
          containers: [{name: app, image: web, securityContext: {procMount: Unmasked}}]
    """)

    expected = {key: value for key, value in ALL_SET.items() if key != "runAsNonRoot"}
    assert hardened.security("app") == {"procMount": "Unmasked", **expected}
    assert hardened.after["spec"]["hostUsers"] is False
    assert hardened.all_skips() == {"runAsNonRoot": {"app": run_as_non_root.USER_NAMESPACE}}
