"""Review -> Answer -> bytes: the whole decision, without a server."""

from dataclasses import dataclass, replace

import jsonpatch
import orjson
import pytest

from hardener.admission import Result, decode, encode, respond
from hardener.admission.audit import WOULD_APPLY_LIMIT
from hardener.model import STANDALONE, Control, Facts, Mode
from hardener.policy.config import OnError
from hardener.policy.policy import Enabled, Warnings
from hardener.policy.reading import embedded_config, parse_config
from tests.admission.reviews import POD, patch, request, response
from tests.pods import TODAY

EMBEDDED = embedded_config()
HEADER = "apiVersion: hardener.dev/v1\nkind: HardenerConfig\n"


def config(text: str):
    return parse_config(HEADER + text, "test.yaml")


def ask(body: bytes, with_config=EMBEDDED, facts: Facts = STANDALONE):
    """One request through all of admission; the answer's result beside its response."""
    answer = respond(decode(body), with_config, facts, TODAY)
    return answer.result, response(encode(answer))


@dataclass(frozen=True, slots=True)
class NoSettings:
    """Settings of a control made for a test."""


def broken_config(on_error: OnError, mode: Mode = Mode.ENFORCE):
    """The embedded configuration with one more control, which fails half-way."""

    def apply(pod, containers, settings, facts):
        raise RuntimeError("boom")
        yield

    control = Control(apply, NoSettings, holds=(), name="broken")
    policy = replace(EMBEDDED.default, controls=(*EMBEDDED.default.controls, Enabled(control, NoSettings(), mode)))
    return replace(EMBEDDED, default=policy, on_error=on_error)


def test_a_pod_is_hardened_and_the_answer_carries_uid_patch_and_audit():
    result, answer = ask(request())

    assert result is Result.PATCHED
    assert answer["uid"] == "705ab4f5-6393-11e8-b7cc-42010a800002"
    assert answer["allowed"] is True
    assert answer["auditAnnotations"]["policy"].startswith("standard@")
    assert answer["auditAnnotations"]["mode"] == "enforce"
    assert "runAsNonRoot" in answer["auditAnnotations"]["applied"].split(",")
    hardened = jsonpatch.apply_patch(POD, patch(answer))
    assert hardened["spec"]["containers"][0]["securityContext"]["runAsNonRoot"] is True
    assert "warnings" not in answer


def test_the_same_request_gets_the_same_bytes():
    assert encode(respond(decode(request()), EMBEDDED, STANDALONE, TODAY)) == encode(
        respond(decode(request()), EMBEDDED, STANDALONE, TODAY)
    )


def test_a_second_pass_has_neither_patch_nor_patch_type():
    _, first = ask(request())
    hardened = jsonpatch.apply_patch(POD, patch(first))

    result, second = ask(request(hardened))

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
    assert "patch" not in answer


@pytest.mark.parametrize(
    "username", ["system:kube-controller-manager", "system:serviceaccount:kube-system:job-controller"]
)
def test_controllers_get_no_warnings_that_only_their_logs_would_keep(username):
    refused = {**POD, "metadata": {"annotations": {"hardener.dev/opt-out": "resourses"}}}

    to_alice = ask(request(refused))[1]
    to_controller = ask(request(refused, userInfo={"username": username}))[1]

    assert to_alice["warnings"] == [
        "hardener: opt-out resourses(the pod) refused: no such control; did you mean resources?"
    ]
    assert "warnings" not in to_controller
    assert patch(to_controller) == patch(to_alice)
    assert to_controller["auditAnnotations"]["opt-out"] == to_alice["auditAnnotations"]["opt-out"]


def test_a_dry_run_announces_the_patch_that_enforcing_would_send_and_sends_none():
    result, announced = ask(request(), config("default: observe\n"))
    _, enforced = ask(request(), config("default: standard\n"))

    assert result is Result.ANNOUNCED
    assert "patch" not in announced
    assert orjson.loads(announced["auditAnnotations"]["would-apply"]) == patch(enforced)
    assert "applied" not in announced["auditAnnotations"]
    assert all(warning.startswith("hardener dry-run: would set ") for warning in announced["warnings"])
    assert any("runAsNonRoot" in warning and " on app" in warning for warning in announced["warnings"])


def test_in_a_mixed_policy_enforced_controls_are_patched_and_the_rest_is_announced():
    text = "policies:\n  ratchet:\n    controls:\n      resources: {mode: dry-run}\ndefault: ratchet\n"

    result, answer = ask(request(), config(text))

    assert result is Result.PATCHED
    assert not any("resources" in operation["path"] for operation in patch(answer))
    announced = orjson.loads(answer["auditAnnotations"]["would-apply"])
    assert any("resources" in operation["path"] for operation in announced)
    assert "resources" not in answer["auditAnnotations"]["applied"].split(",")


def test_an_announced_patch_that_is_too_long_loses_whole_operations_and_counts_them():
    pod = {**POD, "spec": {"containers": [{"name": f"app-{index}", "image": "web:1"} for index in range(100)]}}

    _, answer = ask(request(pod), config("default: observe\n"))

    text = answer["auditAnnotations"]["would-apply"]
    kept, _, rest = text.rpartition("] and ")
    assert len(text) <= WOULD_APPLY_LIMIT + 40
    operations = orjson.loads(kept + "]")
    _, enforced = ask(request(pod), config("default: standard\n"))
    assert operations == patch(enforced)[: len(operations)]
    assert rest == f"{len(patch(enforced)) - len(operations)} more operations"


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
    assert patch(answer) == patch(ask(request())[1])
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


def failing_engine(on_error: OnError):
    """A configuration that breaks the engine itself, outside any control."""
    return replace(EMBEDDED, default=replace(EMBEDDED.default, controls=(None,)), on_error=on_error)


def test_a_failing_engine_leaves_the_pod_as_it_is_and_says_so():
    answer = respond(decode(request()), failing_engine(OnError.ALLOW), STANDALONE, TODAY)

    assert answer.result is Result.FAILED
    assert isinstance(answer.error, AttributeError)
    told = response(encode(answer))
    assert told["allowed"] is True
    assert told["warnings"] == ["hardener: internal error: the pod was left as it is"]


def test_a_failing_engine_refuses_under_on_error_deny():
    result, answer = ask(request(), failing_engine(OnError.DENY))

    assert result is Result.DENIED
    assert answer["allowed"] is False
    assert answer["status"]["message"] == "hardener: internal error, and onError is deny"


def test_changes_are_told_where_the_policy_asks_for_them():
    quiet = replace(EMBEDDED.default, warnings=Warnings.CHANGES)

    _, answer = ask(request(), replace(EMBEDDED, default=quiet))

    assert any(warning.startswith("hardener: set ") and warning.endswith(" on app") for warning in answer["warnings"])
    assert "hardener: set automountServiceAccountToken on the pod" in answer["warnings"]
