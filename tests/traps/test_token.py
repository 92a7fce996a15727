"""Traps 41 to 49 and 84: the token volume that the API server injects (semantics.md 1.3)."""

import pytest

from hardener.controls import automount_service_account_token
from tests.admission_chain import token_volume, with_token
from tests.pod_json import TOKEN_FOLDER as FOLDER
from tests.pods import document, opted_out, run, standard

CONTROL = "automountServiceAccountToken"
SILENT = "spec: {containers: [{name: app, image: web}]}"
INJECTED = with_token(document(SILENT))["spec"]["volumes"][0]["name"]


def injected(text=SILENT):
    """A pod as the webhook sees it."""
    return with_token(document(text))


def assert_kept(hardened, reason):
    """Field, volumes and mounts of the token are as the author had them; the other controls have run."""
    assert hardened.all_skips() == {CONTROL: {"pod": reason}}
    assert hardened.verdict(CONTROL).writes == []
    before, after = hardened.before["spec"], hardened.after["spec"]
    assert after.get("automountServiceAccountToken") == before.get("automountServiceAccountToken")
    assert after["volumes"][: len(before["volumes"])] == before["volumes"]
    for old, new in zip(before["containers"], after["containers"], strict=True):
        assert new["volumeMounts"][: len(old["volumeMounts"])] == old["volumeMounts"]
        assert new["securityContext"]["runAsNonRoot"] is True


def test_trap_41_the_token_goes_with_its_volume_and_all_its_mounts():
    hardened = run(
        injected("""
            spec:
              containers: [{name: app, image: web}, {name: log, image: log}]
              initContainers: [{name: setup, image: busybox}]
        """)
    )

    assert hardened.after["spec"]["automountServiceAccountToken"] is False
    assert INJECTED not in [volume["name"] for volume in hardened.volumes()]
    for container in ("app", "log", "setup"):
        assert [path for _, path in hardened.mounts(container)] == ["/tmp"]
    assert hardened.after["spec"]["serviceAccountName"] == "default"


def test_trap_42_the_api_server_injects_no_second_token():
    first = run(injected()).after
    again = with_token(first)

    assert again == first
    assert run(again).operations == []


def test_trap_43_an_explicit_true_is_kept():
    pod = injected("spec: {automountServiceAccountToken: true, containers: [{name: app, image: web}]}")

    assert_kept(run(pod), automount_service_account_token.EXPLICIT)


def test_trap_44_a_named_account_keeps_its_token_unless_the_policy_is_strict():
    pod = injected("spec: {serviceAccountName: operator, containers: [{name: app, image: web}]}")
    strict = run(pod, standard(automountServiceAccountToken={"serviceAccounts": "all"}))

    assert_kept(run(pod), automount_service_account_token.NAMED_ACCOUNT)
    assert strict.after["spec"]["automountServiceAccountToken"] is False
    assert INJECTED not in [volume["name"] for volume in strict.volumes()]
    assert strict.after["spec"]["serviceAccountName"] == "operator"


@pytest.mark.parametrize(
    "source",
    [
        {"persistentVolumeClaim": {"claimName": "data"}},
        {"secret": {"secretName": "token"}},
        {"projected": {"sources": [{"configMap": {"name": "kube-root-ca.crt"}}]}},
        {"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
    ],
    ids=["claim", "secret", "no token", "no certificate"],
)
def test_trap_45_a_volume_that_is_only_named_like_the_token_stays(source):
    pod = document(SILENT)
    pod["spec"]["volumes"] = [{"name": "kube-api-access-data", **source}]
    pod["spec"]["containers"][0]["volumeMounts"] = [{"name": "kube-api-access-data", "mountPath": "/data"}]
    hardened = run(with_token(pod))

    assert hardened.volumes()[0] == {"name": "kube-api-access-data", **source}
    assert hardened.mounts("app")[:2] == [("kube-api-access-data", "/data"), ("kube-api-access-data", FOLDER)]
    assert hardened.after["spec"]["automountServiceAccountToken"] is False


@pytest.mark.parametrize("extra", [{"mountPath": "/token"}, {"mountPath": f"{FOLDER}/", "subPath": "token"}])
def test_trap_46_a_token_volume_that_is_mounted_elsewhere_too_is_used_on_purpose(extra):
    pod = injected()
    pod["spec"]["containers"][0]["volumeMounts"].append({"name": INJECTED, **extra})

    assert_kept(run(pod), automount_service_account_token.USED)


def test_trap_47_a_token_for_another_audience_stays():
    pod = document(SILENT)
    vault = token_volume("kube-api-access-vault")
    vault["projected"]["sources"][0]["serviceAccountToken"]["audience"] = "vault"
    pod["spec"]["volumes"] = [vault]
    pod["spec"]["containers"][0]["volumeMounts"] = [{"name": "kube-api-access-vault", "mountPath": "/vault"}]
    hardened = run(pod)

    assert hardened.volumes()[0] == vault
    assert hardened.mounts("app")[0] == ("kube-api-access-vault", "/vault")
    assert hardened.after["spec"]["automountServiceAccountToken"] is False


@pytest.mark.parametrize("path", [FOLDER, f"{FOLDER}/"])
def test_trap_48_an_own_volume_at_the_token_s_path_stays(path):
    pod = document("spec: {containers: [{name: app, image: web}, {name: log, image: log}]}")
    pod["spec"]["volumes"] = [{"name": "own", "secret": {"secretName": "own"}}]
    pod["spec"]["containers"][0]["volumeMounts"] = [{"name": "own", "mountPath": path}]
    hardened = run(with_token(pod))

    assert [mount for mount in hardened.mounts("app") if mount[1] != "/tmp"] == [("own", path)]
    assert [path for _, path in hardened.mounts("log")] == ["/tmp"]
    assert hardened.volumes()[0]["name"] == "own"
    assert INJECTED not in [volume["name"] for volume in hardened.volumes()]


def test_trap_49_several_removals_take_the_highest_index_first():
    pod = document(SILENT)
    names = ["a", "kube-api-access-1", "b", "kube-api-access-2", "c"]
    pod["spec"]["volumes"] = [
        token_volume(name) if name.startswith("kube") else {"name": name, "emptyDir": {}} for name in names
    ]
    pod["spec"]["containers"][0]["volumeMounts"] = [
        {"name": name, "mountPath": FOLDER if name.startswith("kube") else f"/{name}"} for name in names
    ]
    hardened = run(opted_out(pod, "readOnlyRootFilesystem"))

    assert [volume["name"] for volume in hardened.volumes()] == ["a", "b", "c"]
    assert hardened.mounts("app") == [("a", "/a"), ("b", "/b"), ("c", "/c")]


def test_trap_84_a_volume_that_an_environment_variable_names_is_used():
    pod = injected()
    reference = {"fileKeyRef": {"volumeName": INJECTED, "path": "token", "key": "TOKEN"}}
    pod["spec"]["containers"][0]["env"] = [{"name": "TOKEN", "valueFrom": reference}]

    assert_kept(run(pod), automount_service_account_token.USED)
