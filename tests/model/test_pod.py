"""The views: what is effective, who works on the host, what runs on Windows (semantics.md 3.2, 5.1; design.md 3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardener.model.pod import PROVENANCE
from tests.pods import complete, pod, view


def windows_affinity(*terms):
    """A pod whose required node affinity has these alternatives, each a list of (key, operator, values)."""
    alternatives = [
        {"matchExpressions": [{"key": key, "operator": operator, "values": values} for key, operator, values in term]}
        for term in terms
    ]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": alternatives}}
    return {"affinity": {"nodeAffinity": required}}


WINDOWS_TERM = [("kubernetes.io/os", "In", ["windows"])]
LINUX_TERM = [("kubernetes.io/os", "In", ["linux"])]


@pytest.mark.parametrize(
    "spec",
    [
        {"os": {"name": "windows"}},
        {"nodeSelector": {"kubernetes.io/os": "windows"}},
        {"nodeSelector": {"beta.kubernetes.io/os": "windows", "zone": "a"}},
        {"securityContext": {"windowsOptions": {"hostProcess": True}}},
        {"containers": [{"name": "a"}, {"name": "b", "securityContext": {"windowsOptions": {}}}]},
        {"initContainers": [{"name": "a", "securityContext": {"windowsOptions": {"runAsUserName": "x"}}}]},
        windows_affinity(WINDOWS_TERM),
        windows_affinity([("zone", "Exists", None), *WINDOWS_TERM]),
        windows_affinity(WINDOWS_TERM, [("beta.kubernetes.io/os", "In", ["windows"])]),
    ],
)
def test_a_windows_pod_is_known_by_what_it_says(spec):
    assert view(complete({"spec": spec})).is_windows is True


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"os": {"name": "linux"}},
        {"os": None, "nodeSelector": None, "securityContext": None, "affinity": None},
        {"nodeSelector": {"kubernetes.io/os": "linux"}},
        {"nodeSelector": {"team/os": "windows"}},
        {"affinity": {}},
        {"affinity": {"nodeAffinity": {}}},
        {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}}}},
        windows_affinity(),
        windows_affinity(WINDOWS_TERM, LINUX_TERM),
        windows_affinity([]),
        windows_affinity([("kubernetes.io/os", "In", ["windows", "linux"])]),
        windows_affinity([("kubernetes.io/os", "NotIn", ["windows"])]),
        windows_affinity([("kubernetes.io/os", "In", [])]),
    ],
)
def test_a_pod_that_may_run_on_linux_is_no_windows_pod(spec):
    assert view(complete({"spec": spec})).is_windows is False


def test_a_preference_for_windows_is_no_promise():
    preferred = {"weight": 1, "preference": {"matchExpressions": [{"key": "kubernetes.io/os", "values": ["windows"]}]}}
    affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [preferred]}}

    assert view(complete({"spec": {"affinity": affinity}})).is_windows is False


@pytest.mark.parametrize(
    ("pod_level", "own", "expected"),
    [(None, None, None), (0, None, 0), (None, 0, 0), (0, 1000, 1000), (1000, 0, 0)],
)
def test_the_container_s_user_wins_over_the_pod_s(pod_level, own, expected):
    (app,) = view(
        complete(
            {
                "spec": {
                    "securityContext": {"runAsUser": pod_level},
                    "containers": [{"name": "app", "securityContext": {"runAsUser": own}}],
                }
            }
        )
    ).containers

    assert app.run_as_user == expected


def test_each_container_has_its_own_effective_values():
    quiet, loud = pod("""
        spec:
          securityContext: {runAsNonRoot: true, seccompProfile: {type: Localhost, localhostProfile: p}}
          containers:
          - {name: quiet}
          - {name: loud, securityContext: {runAsNonRoot: false, seccompProfile: {type: Unconfined}}}
    """).containers

    assert (quiet.run_as_non_root, loud.run_as_non_root) == (True, False)
    assert (quiet.seccomp_profile.type, quiet.seccomp_profile.localhostProfile) == ("Localhost", "p")
    assert (loud.seccomp_profile.type, loud.seccomp_profile.localhostProfile) == ("Unconfined", None)


def test_a_host_agent_mounts_a_host_path_itself():
    agent, reader, init = pod("""
        spec:
          volumes: [{name: host, hostPath: {path: /}}, {name: data, emptyDir: {}}, {name: odd, hostPath: null}]
          containers:
          - {name: agent, volumeMounts: [{name: data, mountPath: /data}, {name: host, mountPath: /host}]}
          - {name: reader, volumeMounts: [{name: data, mountPath: /data}, {name: odd, mountPath: /odd}]}
          initContainers: [{name: init, volumeMounts: [{name: host, mountPath: /host}]}]
    """).containers

    assert [each.host_agent for each in (agent, reader, init)] == [True, False, True]


@pytest.mark.parametrize(("field", "expected"), [("hostPID", True), ("hostIPC", True), ("hostNetwork", False)])
def test_a_pod_in_the_host_s_namespaces_is_made_of_host_agents(field, expected):
    (app,) = view(complete({"spec": {field: True, "containers": [{"name": "app"}]}})).containers

    assert app.host_agent is expected


@pytest.mark.parametrize(
    ("added", "names"),
    [
        (None, set()),
        ([], set()),
        (["NET_ADMIN", "cap_net_admin"], {"NET_ADMIN"}),
        (["CAP_SYS_ADMIN", "all", None, ""], {"SYS_ADMIN", "ALL", ""}),
    ],
)
def test_added_capabilities_are_compared_without_spelling(added, names):
    (app,) = view(
        complete({"spec": {"containers": [{"name": "app", "securityContext": {"capabilities": {"add": added}}}]}})
    ).containers

    assert app.added_capabilities == names


def test_only_an_init_container_that_is_always_restarted_is_a_sidecar():
    app, setup, proxy = pod("""
        spec:
          containers: [{name: app, restartPolicy: Always}]
          initContainers: [{name: setup}, {name: proxy, restartPolicy: Always}]
    """).containers

    assert [each.is_sidecar for each in (app, setup, proxy)] == [False, False, True]
    assert [(each.field, each.index) for each in (app, setup, proxy)] == [
        ("containers", 0),
        ("initContainers", 0),
        ("initContainers", 1),
    ]


@pytest.mark.parametrize(
    ("spec", "account"),
    [
        ({}, "default"),
        ({"serviceAccountName": ""}, "default"),
        ({"serviceAccount": "old"}, "old"),
        ({"serviceAccountName": "new", "serviceAccount": "old"}, "new"),
    ],
)
def test_the_service_account_has_an_alias_and_a_default(spec, account):
    assert view(complete({"spec": spec})).service_account == account


@pytest.mark.parametrize(
    ("annotations", "size"),
    [
        (None, 0),
        ({}, 0),
        ({"key": "value"}, 8),
        ({"k": None}, 1),
        ({"k": "ü", "ü": ""}, 5),
        ({"k": "😀"}, 5),
        ({"k": "v", "hardener.dev/applied": "x", "hardener.dev/skipped": "y", "hardener.dev/applied-policy": "z"}, 2),
        ({"hardener.dev/opt-out": "*"}, 21),
    ],
)
def test_annotations_but_ours_are_counted_in_bytes(annotations, size):
    assert view(complete({"metadata": {"annotations": annotations}, "spec": {}})).annotation_bytes() == size


ANNOTATIONS = st.dictionaries(
    st.sampled_from([*PROVENANCE, "a", "ü", "example.com/long-key"]),
    st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=4),
)


@given(ANNOTATIONS, ANNOTATIONS)
def test_changed_annotations_are_counted_as_they_will_be_and_ours_only_where_they_are_changed(present, changed):
    kept = {key: text or "" for key, text in present.items() if key not in PROVENANCE and key not in changed}
    after = kept | {key: text for key, text in changed.items() if text is not None}
    pod = view(complete({"metadata": {"annotations": present}, "spec": {}}))

    for _ in range(2):
        assert pod.annotation_bytes(changed) == sum(len(f"{key}{text}".encode()) for key, text in after.items())


@pytest.mark.parametrize("obj", [{}, {"metadata": None, "spec": None}, {"spec": {"containers": None}}])
def test_an_empty_object_is_a_pod_without_anything(obj):
    empty = view(obj)

    assert list(empty.containers) == []
    assert dict(empty.annotations) == {}
    assert empty.is_windows is False
    assert empty.service_account == "default"
