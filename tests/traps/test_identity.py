"""Traps 9 to 16 and 80: who a container runs as (semantics.md 4.1, 4.7)."""

import pytest

from hardener.controls import capabilities, read_only_root_filesystem, run_as_non_root
from tests.pods import Hardened, run, run_yaml, standard


def non_root(hardened: Hardened) -> dict[str, bool | None]:
    """What each container of the result says itself about running as root."""
    spec = hardened.after["spec"]
    return {
        container["name"]: container.get("securityContext", {}).get("runAsNonRoot")
        for container in [*spec["containers"], *spec.get("initContainers", [])]
    }


def test_trap_09_a_container_with_user_0_may_run_as_root():
    hardened = run_yaml("""
        spec:
          containers:
          - {name: app, image: web, securityContext: {runAsUser: 0}}
          - {name: sibling, image: web}
    """)

    assert non_root(hardened) == {"app": None, "sibling": True}
    assert "runAsNonRoot" not in hardened.after["spec"].get("securityContext", {})
    assert hardened.all_skips() == {"runAsNonRoot": {"app": run_as_non_root.ROOT_USER}}
    assert hardened.security("app")["allowPrivilegeEscalation"] is False


def test_trap_10_the_pod_s_user_0_counts_where_a_container_has_no_user():
    hardened = run_yaml("""
        spec:
          securityContext: {runAsUser: 0}
          containers:
          - {name: c1, image: web}
          - {name: c2, image: web, securityContext: {runAsUser: 1000}}
    """)

    assert non_root(hardened) == {"c1": None, "c2": True}
    assert hardened.after["spec"]["securityContext"] == {"runAsUser": 0}
    assert hardened.all_skips() == {"runAsNonRoot": {"c1": run_as_non_root.ROOT_USER}}


def test_trap_11_the_pod_s_explicit_false_is_respected():
    hardened = run_yaml("""
        spec:
          securityContext: {runAsNonRoot: false}
          containers: [{name: app, image: web}]
    """)

    assert non_root(hardened) == {"app": None}
    assert hardened.after["spec"]["securityContext"] == {"runAsNonRoot": False}
    assert hardened.all_skips() == {"runAsNonRoot": {"app": run_as_non_root.EXPLICIT}}


def test_trap_12_what_the_pod_says_already_is_not_said_again():
    hardened = run_yaml("""
        spec:
          securityContext: {runAsNonRoot: true}
          containers: [{name: app, image: web}]
    """)

    assert hardened.verdict("runAsNonRoot").writes == []
    assert hardened.all_skips() == {}
    assert non_root(hardened) == {"app": None}


def test_trap_13_a_root_init_container_still_runs():
    hardened = run_yaml("""
        spec:
          containers: [{name: app, image: web}]
          initContainers:
          - {name: chown, image: busybox, command: [chown, "1000", /data], securityContext: {runAsUser: 0}}
    """)

    assert non_root(hardened) == {"app": True, "chown": None}
    assert hardened.all_skips() == {"runAsNonRoot": {"chown": run_as_non_root.ROOT_USER}}


def test_trap_14_a_root_sidecar_that_comes_later_inherits_nothing():
    first = run_yaml("spec: {securityContext: {}, containers: [{name: app, image: web}]}")
    with_sidecar = first.after
    with_sidecar["spec"]["containers"].append({"name": "late", "image": "proxy", "securityContext": {"runAsUser": 0}})
    second = run(with_sidecar)

    assert first.after["spec"]["securityContext"] == {}
    assert non_root(second) == {"app": True, "late": None}
    assert second.all_skips() == {"runAsNonRoot": {"late": run_as_non_root.ROOT_USER}}


@pytest.mark.parametrize(
    ("unknown_image", "expected", "skips"),
    [("set", True, {}), ("hold", None, {"runAsNonRoot": {"app": run_as_non_root.UNKNOWN_IMAGE}})],
)
def test_trap_15_the_policy_says_what_happens_to_an_image_whose_user_nobody_knows(unknown_image, expected, skips):
    policy = standard(runAsNonRoot={"unknownImage": unknown_image})
    hardened = run_yaml("spec: {containers: [{name: app, image: web}]}", policy)

    assert non_root(hardened) == {"app": expected}
    assert hardened.all_skips() == skips


def test_trap_16_root_in_a_user_namespace_is_no_root():
    hardened = run_yaml("spec: {hostUsers: false, containers: [{name: app, image: web}]}")

    assert non_root(hardened) == {"app": None}
    assert hardened.all_skips() == {"runAsNonRoot": {"app": run_as_non_root.USER_NAMESPACE}}
    assert hardened.security("app")["capabilities"] == {"drop": ["ALL"]}
    assert hardened.security("app")["readOnlyRootFilesystem"] is True


AGENTS = {
    "hostPath": """
        spec:
          containers:
          - {name: agent, image: agent, volumeMounts: [{name: host, mountPath: /host}]}
          volumes: [{name: host, hostPath: {path: /}}]
    """,
    "hostPID": "spec: {hostPID: true, containers: [{name: agent, image: agent}]}",
    "hostIPC": "spec: {hostIPC: true, containers: [{name: agent, image: agent}]}",
}


@pytest.mark.parametrize("kind", AGENTS)
def test_trap_80_what_works_on_the_host_is_held_back_until_a_policy_says_otherwise(kind):
    held = run_yaml(AGENTS[kind])
    harden = {"hostAgents": "harden"}
    hardened = run_yaml(AGENTS[kind], standard(runAsNonRoot=harden, capabilities=harden, readOnlyRootFilesystem=harden))

    assert held.all_skips() == {
        "capabilities": {"agent": capabilities.HOST_AGENT},
        "readOnlyRootFilesystem": {"agent": read_only_root_filesystem.HOST_AGENT},
        "runAsNonRoot": {"agent": run_as_non_root.HOST_AGENT},
    }
    assert held.security("agent") == {
        "allowPrivilegeEscalation": False,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert hardened.all_skips() == {}
    assert hardened.security("agent")["runAsNonRoot"] is True
