"""Review -> Answer -> bytes: the whole decision, without a server."""

from dataclasses import replace

import pytest

from hardener.admission import Result, decode, encode, respond
from hardener.controls import CATALOGUE
from hardener.model import STANDALONE, Mode
from hardener.model.pod import APPLIED, SKIPPED
from hardener.policy.config import OnError
from hardener.policy.policy import Warnings
from tests.admission.asking import BUG, EMBEDDED, ask, broken_config, config, failing_engine, hardened
from tests.admission.reviews import POD, patch, request, response
from tests.pods import TODAY


def test_a_pod_is_hardened_and_the_answer_carries_uid_patch_and_audit():
    result, answer = ask(request())

    assert result is Result.PATCHED
    assert answer["uid"] == "705ab4f5-6393-11e8-b7cc-42010a800002"
    assert answer["allowed"] is True
    assert answer["auditAnnotations"]["policy"].startswith("standard@")
    assert answer["auditAnnotations"]["mode"] == "enforce"
    assert "runAsNonRoot" in answer["auditAnnotations"]["applied"].split(",")
    assert hardened(POD, answer)["spec"]["containers"][0]["securityContext"]["runAsNonRoot"] is True
    assert "warnings" not in answer


def test_the_same_request_gets_the_same_bytes():
    assert encode(respond(decode(request()), EMBEDDED, STANDALONE, TODAY)) == encode(
        respond(decode(request()), EMBEDDED, STANDALONE, TODAY)
    )


def test_a_second_pass_has_neither_patch_nor_patch_type():
    _, first = ask(request())

    result, second = ask(request(hardened(POD, first)))

    assert result is Result.UNCHANGED
    assert "patch" not in second


def test_server_side_dry_run_gets_the_same_patch():
    assert patch(ask(request(dryRun=True))[1]) == patch(ask(request(dryRun=False))[1])


@pytest.mark.parametrize(
    "changes",
    [
        {"operation": "UPDATE", "oldObject": POD},
        {"operation": "DELETE", "object": None, "oldObject": POD},
        {"operation": "CONNECT", "subResource": "exec", "object": {"kind": "PodExecOptions"}},
        {"subResource": "ephemeralcontainers"},
        {"subResource": "binding", "object": {"kind": "Binding", "target": {"name": "node-1"}}},
        {"subResource": "eviction"},
        {"resource": {"group": "apps", "version": "v1", "resource": "deployments"}},
    ],
    ids=lambda changes: "-".join(str(value) for value in changes.values())[:40],
)
def test_anything_but_the_creation_of_a_pod_passes_untouched(changes):
    result, answer = ask(request(**changes))

    assert result is Result.IGNORED
    assert answer == {"uid": answer["uid"], "allowed": True}


def test_a_mirror_pod_passes_untouched_and_unmentioned():
    mirror = {**POD, "metadata": {"name": "etcd", "annotations": {"kubernetes.io/config.mirror": "3f2a"}}}

    result, answer = ask(request(mirror))

    assert result is Result.IGNORED
    assert answer == {"uid": answer["uid"], "allowed": True}


def test_a_namespace_on_policy_none_passes_untouched():
    result, answer = ask(request(namespace="kube-system"))

    assert result is Result.UNCHANGED
    assert answer == {"uid": answer["uid"], "allowed": True}


def test_the_namespace_of_the_request_decides_and_not_that_of_the_object():
    posing = {**POD, "metadata": {"name": "web", "namespace": "kube-system"}}

    assert ask(request(posing))[0] is Result.PATCHED


def test_an_object_that_is_no_pod_is_allowed_with_a_warning_that_names_the_place():
    result, answer = ask(request({**POD, "spec": {"containers": [{"name": "app", "command": "sleep"}]}}))

    assert result is Result.MISFIT
    assert answer["allowed"] is True
    assert "patch" not in answer
    assert answer["warnings"] == [
        "hardener: left alone, the object is no Pod: Expected `array | null`, got `str` - at `spec.containers[0].command`"
    ]


def test_a_pod_without_containers_is_left_to_the_api_server():
    result, answer = ask(request({**POD, "spec": {"containers": None}}))

    assert result is Result.UNCHANGED
    assert [operation["path"] for operation in patch(answer)] == ["/metadata/annotations"]


@pytest.mark.parametrize(
    "username", ["system:kube-controller-manager", "system:serviceaccount:kube-system:job-controller"]
)
def test_controllers_get_no_warnings_that_only_their_logs_would_keep(username):
    refused = {**POD, "metadata": {"annotations": {"hardener.dev/opt-out": "resourses"}}}

    to_alice = ask(request(refused))[1]
    to_controller = ask(request(refused, userInfo={"username": username}))[1]

    assert to_alice["warnings"] == ["hardener: opt-out resourses(the pod) refused: did you mean resources?"]
    assert "warnings" not in to_controller
    assert patch(to_controller) == patch(to_alice)
    assert to_controller["auditAnnotations"]["opt-out"] == to_alice["auditAnnotations"]["opt-out"]


def test_warnings_none_silences_even_problems():
    text = "policies:\n  quiet: {warnings: none}\ndefault: quiet\n"
    refused = {**POD, "metadata": {"annotations": {"hardener.dev/opt-out": "resourses"}}}

    assert "warnings" not in ask(request(refused), config(text))[1]


def test_a_hold_is_in_the_audit_annotation_with_its_reason():
    privileged = {"name": "agent", "image": "agent:1", "securityContext": {"privileged": True}}

    _, answer = ask(request({**POD, "spec": {"containers": [privileged]}}))

    assert "runAsNonRoot(agent): the container is privileged" in answer["auditAnnotations"]["skipped"].split("; ")


def test_a_failing_control_loses_only_its_own_decision():
    result, answer = ask(request(), broken_config(OnError.ALLOW))

    assert result is Result.FAILED
    assert answer["allowed"] is True
    assert hardened(POD, answer)["spec"] == hardened(POD, ask(request())[1])["spec"]
    assert hardened(POD, answer)["metadata"]["annotations"][SKIPPED] == "broken(the pod): internal error"
    assert "broken" not in hardened(POD, answer)["metadata"]["annotations"][APPLIED]
    assert answer["warnings"] == ["hardener: internal error in broken: it was left out"]


def test_on_error_deny_refuses_with_a_message_and_without_a_patch():
    result, answer = ask(request(), broken_config(OnError.DENY))

    assert result is Result.DENIED
    assert answer["allowed"] is False
    assert "patch" not in answer
    assert answer["status"] == {
        "code": 500,
        "message": "hardener: internal error in broken: it was left out, and onError is deny",
    }


def test_a_control_in_dry_run_never_refuses_a_pod():
    result, answer = ask(request(), broken_config(OnError.DENY, Mode.DRY_RUN))

    assert result is Result.FAILED
    assert answer["allowed"] is True


def test_a_failing_engine_leaves_the_pod_as_it_is_and_says_so():
    answer = respond(decode(request()), failing_engine(OnError.ALLOW), STANDALONE, TODAY)

    assert answer.result is Result.FAILED
    assert repr(answer.error) == repr(BUG)
    assert response(encode(answer)) == {
        "uid": answer.uid,
        "allowed": True,
        "warnings": ["hardener: internal error: the pod was left as it is"],
    }


def test_a_failing_engine_tells_nobody_where_the_policy_wants_no_warnings():
    quiet = config("policies:\n  quiet: {warnings: none}\ndefault: quiet\n")

    result, answer = ask(request(), failing_engine(OnError.ALLOW, quiet))

    assert result is Result.FAILED
    assert answer == {"uid": answer["uid"], "allowed": True}


def test_a_failing_engine_tells_no_controller():
    sender = {"username": "system:kube-controller-manager"}

    result, answer = ask(request(userInfo=sender), failing_engine(OnError.ALLOW))

    assert result is Result.FAILED
    assert answer == {"uid": answer["uid"], "allowed": True}


def test_a_failing_engine_refuses_under_on_error_deny():
    result, answer = ask(request(), failing_engine(OnError.DENY))

    assert result is Result.DENIED
    assert answer["allowed"] is False
    assert answer["status"]["message"] == "hardener: internal error, and onError is deny"


@pytest.mark.parametrize("mode", ["mode: dry-run", "controls: {CONTROLS}"])
def test_a_failing_engine_refuses_no_pod_of_which_nothing_would_be_enforced(mode):
    controls = ", ".join(f"{name}: {{mode: dry-run}}" for name in CATALOGUE)
    text = f"policies:\n  trial: {{{mode.replace('CONTROLS', controls)}}}\ndefault: trial\n"

    result, answer = ask(request(), failing_engine(OnError.DENY, config(text)))

    assert result is Result.FAILED
    assert answer["allowed"] is True


def test_changes_are_told_where_the_policy_asks_for_them():
    quiet = replace(EMBEDDED.default, warnings=Warnings.CHANGES)

    _, answer = ask(request(), replace(EMBEDDED, default=quiet))

    assert any(warning.startswith("hardener: set ") and warning.endswith(" on app") for warning in answer["warnings"])
    assert "hardener: set automountServiceAccountToken on the pod" in answer["warnings"]
