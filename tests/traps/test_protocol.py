"""Traps 50, 61 to 64, 66 to 69, 71, 74 to 76, 79 and 88: requests and answers (semantics.md 1.2, 2, 6)."""

import json

import pytest
import yaml

from hardener.controls.read_only_root_filesystem import SAFE_TO_EVICT
from tests.pod_json import annotations
from tests.pod_schema import PodSchemaError, check_pod
from tests.pods import document, opted_out
from tests.provenance import APPLIED, APPLIED_POLICY, SKIPPED, told, without_provenance
from tests.traps.reviews import UID, is_untouched, send

SILENT = "spec: {containers: [{name: app, image: web}]}"


def test_trap_50_a_mirror_pod_is_left_alone_without_a_word():
    mirror = document("""
        metadata:
          annotations: {kubernetes.io/config.mirror: 8f14e45f, hardener.dev/opt-out: nonsense}
        spec: {nodeName: n1, containers: [{name: app, image: web}]}
    """)

    assert is_untouched(send(mirror, namespace="talkative"))


def test_trap_61_debug_containers_are_left_alone():
    pod = document(SILENT)
    debugged = {**pod, "spec": {**pod["spec"], "ephemeralContainers": [{"name": "debug", "image": "busybox"}]}}

    assert is_untouched(send(debugged, oldObject=pod, operation="UPDATE", subResource="ephemeralcontainers"))


def test_trap_62_an_update_is_never_patched():
    pod = document(SILENT)
    labelled = {**pod, "metadata": {**pod["metadata"], "labels": {"app": "web"}}}

    assert is_untouched(send(labelled, oldObject=pod, operation="UPDATE"))


@pytest.mark.parametrize(
    ("operation", "subresource", "kind"),
    [
        ("UPDATE", "resize", "Pod"),
        ("UPDATE", "status", "Pod"),
        ("CREATE", "binding", "Binding"),
        ("CREATE", "eviction", "Eviction"),
        ("CONNECT", "exec", "PodExecOptions"),
        ("CONNECT", "attach", "PodAttachOptions"),
        ("CONNECT", "portforward", "PodPortForwardOptions"),
        ("CONNECT", "proxy", "PodProxyOptions"),
        ("CREATE", "of-the-future", "Pod"),
        ("DELETE", "", "Pod"),
    ],
)
def test_trap_63_other_operations_and_subresources_pass(operation, subresource, kind):
    pod = document(SILENT)
    obj = None if operation == "DELETE" else pod if kind == "Pod" else {"apiVersion": "v1", "kind": kind}
    request = {
        "operation": operation,
        "oldObject": None if operation in ("CREATE", "CONNECT") else pod,
        "kind": {"group": "", "version": "v1", "kind": kind},
    }

    assert is_untouched(send(obj, **request, **({"subResource": subresource} if subresource else {})))


INVALID = {
    "null containers": {"containers": None},
    "no containers": {},
    "empty list": {"containers": []},
    "empty names": {"containers": [{"name": "", "resources": {}}, {"name": "", "resources": {}}]},
    "no names": {"containers": [{"image": "web"}, {"image": "web"}]},
    "doubled names": {"containers": [{"name": "app", "image": "a"}, {"name": "app", "image": "b"}]},
    "doubled in init": {"containers": [{"name": "app"}], "initContainers": [{"name": "app"}]},
    "doubled volumes": {"containers": [{"name": "app"}], "volumes": [{"name": "v"}, {"name": "v"}]},
    "negative user": {"containers": [{"name": "app", "securityContext": {"runAsUser": -1}}]},
    "unreadable quantity": {"containers": [{"name": "app", "resources": {"requests": {"memory": "much"}}}]},
}


@pytest.mark.parametrize("spec", INVALID.values(), ids=INVALID)
def test_trap_64_an_invalid_pod_is_allowed_for_the_api_server_to_refuse(spec):
    reply = send({**document("{}"), "spec": spec})

    assert reply.response["allowed"] is True
    assert "warnings" not in reply.response
    for before, after in zip(spec.get("containers") or [], reply.pod["spec"].get("containers") or [], strict=True):
        assert after.get("name") == before.get("name")
        assert after["securityContext"]["allowPrivilegeEscalation"] is False
    volumes = [volume["name"] for volume in reply.pod["spec"].get("volumes", []) if volume["name"] != "v"]
    assert len(volumes) == len(set(volumes))


NO_ANNOTATIONS = {
    "no metadata": {},
    "null metadata": {"metadata": None},
    "empty metadata": {"metadata": {}},
    "null": {"metadata": {"annotations": None}},
    "empty": {"metadata": {"annotations": {}}},
    "others": {"metadata": {"annotations": {"team/owner": "a~b"}}},
}


@pytest.mark.parametrize("case", NO_ANNOTATIONS)
def test_trap_66_annotations_are_made_where_there_are_none(case):
    reply = send({"apiVersion": "v1", "kind": "Pod", **NO_ANNOTATIONS[case], **yaml.safe_load(SILENT)})

    volume = reply.pod["spec"]["volumes"][0]["name"]
    others = {"team/owner": "a~b"} if case == "others" else {}
    assert annotations(without_provenance(reply.pod)) == {**others, SAFE_TO_EVICT: volume}
    assert set(told(reply.pod)) == {APPLIED_POLICY, APPLIED}


def test_trap_67_our_own_annotations_are_no_input():
    pod = document(SILENT)
    marked = {
        APPLIED_POLICY: "standard@c9523138",
        APPLIED: "allowPrivilegeEscalation,capabilities,resources",
        SKIPPED: "runAsNonRoot(app): it is fine",
    }
    preset = {**pod, "metadata": {**pod["metadata"], "annotations": {**marked, "hardener.dev/version": "99"}}}
    after = send(pod).pod

    assert send(preset).pod["spec"] == after["spec"] != pod["spec"]
    assert told(send(preset).pod) == told(after) != marked
    assert annotations(send(preset).pod) == {**annotations(after), "hardener.dev/version": "99"}


def test_trap_68_the_request_s_namespace_counts_and_a_name_may_be_missing():
    pod = {**document(SILENT), "metadata": {"generateName": "web-"}}
    hardened = send(pod, name="", namespace="shop")
    nothing_done = send(pod, name="", namespace="kube-system")
    misleading = send({**pod, "metadata": {"generateName": "web-", "namespace": "kube-system"}}, namespace="shop")

    assert hardened.pod["metadata"]["generateName"] == "web-"
    assert hardened.pod["spec"]["containers"][0]["securityContext"]["runAsNonRoot"] is True
    assert nothing_done.operations == []
    assert misleading.operations == hardened.operations


def test_trap_69_a_second_call_on_our_own_result_gets_no_patch():
    first = send(document(SILENT))
    second = send(first.pod)

    assert first.operations != []
    assert second.response["allowed"] is True
    assert "patch" not in second.response
    assert "patchType" not in second.response


def test_trap_71_a_native_sidecar_is_hardened_in_full():
    reply = send(
        document("""
            spec:
              containers: [{name: app, image: web}]
              initContainers: [{name: proxy, image: proxy, restartPolicy: Always}]
        """)
    )

    app, proxy = reply.pod["spec"]["containers"][0], reply.pod["spec"]["initContainers"][0]
    assert proxy["securityContext"] == app["securityContext"]
    assert proxy["resources"] == app["resources"]
    assert [mount["mountPath"] for mount in proxy["volumeMounts"]] == ["/tmp"]
    assert proxy["volumeMounts"][0]["name"] != app["volumeMounts"][0]["name"]
    assert proxy["restartPolicy"] == "Always"


@pytest.mark.parametrize("word", ["new\nline", "tab\t\x1b[31mred", "x" * 1000, "ü\u2028\u200b" * 200])
def test_trap_74_warnings_are_short_single_lines(word):
    pod = opted_out(document(SILENT), word)
    pod["metadata"]["annotations"]["hardener.dev/opt-out-until"] = word
    reply = send(pod, namespace="talkative")

    warnings = reply.response["warnings"]
    assert warnings[0].startswith("hardener: opt-out ")
    assert len(warnings) <= 5


def test_trap_75_audit_annotations_have_plain_keys():
    pod = opted_out(document("spec: {hostUsers: false, containers: [{name: app, image: web}]}"), "resources")
    enforced = send(pod).response["auditAnnotations"]
    watched = send(pod, namespace="watched").response["auditAnnotations"]

    assert set(enforced) == {"policy", "mode", "applied", "skipped", "opt-out"}
    assert set(watched) == {"policy", "mode", "would-apply", "skipped", "opt-out"}


def test_trap_76_a_server_dry_run_gets_the_same_answer():
    pod = document(SILENT)

    assert send(pod, dryRun=True).body == send(pod, dryRun=False).body
    assert send(pod, dryRun=True).operations != []


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("spec", "terminationGracePeriodSeconds"), 1.0, "1.0 is not of type 'integer'"),
        (("spec", "automountServiceAccountToken"), "false", "'false' is not of type 'boolean'"),
        (("spec", "securityContext", "runAsUser"), "0", "'0' is not of type 'integer'"),
        (("spec", "securityContext", "readOnlyRootFileSystem"), True, "'readOnlyRootFileSystem' was unexpected"),
    ],
)
def test_trap_79_every_value_has_the_api_s_type_and_the_check_of_it_sees_wrong_ones(path, value, message):
    # `send` checks each result of these tests against the schema.
    good = send(document("spec: {securityContext: {}, containers: [{name: app, image: web}]}")).pod
    bad = json.loads(json.dumps(good))
    at = bad
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value

    check_pod(good)
    with pytest.raises(PodSchemaError, match=message):
        check_pod(bad)


def test_trap_88_a_repeated_request_gets_the_same_bytes():
    pod = opted_out(document("spec: {containers: [{name: app, image: web}, {name: log, image: log}]}"), "resources x")

    assert send(pod, namespace="talkative").body == send(pod, namespace="talkative").body
    assert send(pod).response["uid"] == UID
