"""Traps 22 to 27: seccomp profiles, old annotations, OpenShift (semantics.md 3.3, 3.7)."""

import pytest

from hardener.controls import seccomp_profile
from tests.pods import document, run, run_yaml

POD_KEY = "seccomp.security.alpha.kubernetes.io/pod"
CONTAINER_KEY = "container.seccomp.security.alpha.kubernetes.io/"
RUNTIME_DEFAULT = {"type": "RuntimeDefault"}


def annotated(key, value):
    """A pod of two silent containers with one annotation."""
    pod = document("spec: {containers: [{name: app, image: web}, {name: sibling, image: web}]}")
    pod["metadata"]["annotations"] = {key: value}
    return pod


def test_trap_22_a_pod_annotation_with_another_profile_holds_seccomp_everywhere():
    hardened = run(annotated(POD_KEY, "unconfined"))

    reason = seccomp_profile.POD_ANNOTATION
    assert hardened.all_skips() == {"seccompProfile": {"app": reason, "sibling": reason}}
    assert "seccompProfile" not in hardened.security("app")
    assert "seccompProfile" not in hardened.after["spec"].get("securityContext", {})
    assert hardened.security("sibling")["runAsNonRoot"] is True


@pytest.mark.parametrize("value", ["docker/default", "runtime/default"])
def test_trap_23_a_pod_annotation_that_asks_for_the_default_is_no_hold(value):
    hardened = run(annotated(POD_KEY, value))

    assert hardened.all_skips() == {}
    assert hardened.security("app")["seccompProfile"] == RUNTIME_DEFAULT


def test_trap_24_a_container_annotation_holds_seccomp_on_that_container():
    hardened = run(annotated(f"{CONTAINER_KEY}app", "localhost/x.json"))

    assert hardened.all_skips() == {"seccompProfile": {"app": seccomp_profile.CONTAINER_ANNOTATION}}
    assert "seccompProfile" not in hardened.security("app")
    assert hardened.security("app")["runAsNonRoot"] is True
    assert hardened.security("sibling")["seccompProfile"] == RUNTIME_DEFAULT
    assert "seccompProfile" not in hardened.after["spec"].get("securityContext", {})


def test_trap_25_a_localhost_profile_is_kept_whole():
    hardened = run_yaml("""
        spec:
          containers:
          - name: app
            image: web
            securityContext: {seccompProfile: {type: Localhost, localhostProfile: p.json}}
          - {name: sibling, image: web}
    """)

    assert hardened.security("app")["seccompProfile"] == {"type": "Localhost", "localhostProfile": "p.json"}
    assert hardened.security("sibling")["seccompProfile"] == RUNTIME_DEFAULT
    assert hardened.all_skips() == {}


def test_trap_26_unconfined_on_the_pod_is_the_author_s_choice_for_silent_containers():
    hardened = run_yaml("""
        spec:
          securityContext: {seccompProfile: {type: Unconfined}}
          containers:
          - {name: app, image: web}
          - {name: sibling, image: web, securityContext: {seccompProfile: {type: RuntimeDefault}}}
    """)

    assert hardened.all_skips() == {"seccompProfile": {"app": seccomp_profile.EXPLICIT}}
    assert "seccompProfile" not in hardened.security("app")
    assert hardened.after["spec"]["securityContext"] == {"seccompProfile": {"type": "Unconfined"}}


@pytest.mark.parametrize(
    ("scc", "allowed"),
    [
        ("anyuid", False),
        ("hostnetwork", False),
        ("restricted", False),
        ("restricted-v2", True),
        ("nested-container-v3", True),
        ("privileged", True),
    ],
)
def test_trap_27_an_openshift_scc_without_profiles_gets_none(scc, allowed):
    hardened = run(annotated("openshift.io/scc", scc))

    reason = seccomp_profile.OPENSHIFT
    assert hardened.all_skips() == ({} if allowed else {"seccompProfile": {"app": reason, "sibling": reason}})
    assert hardened.security("app").get("seccompProfile") == (RUNTIME_DEFAULT if allowed else None)
    assert hardened.security("sibling")["runAsNonRoot"] is True
