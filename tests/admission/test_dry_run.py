"""What is announced instead of done: warnings, audit annotations, and the patch that would have been sent."""

import orjson
import pytest
from jsonpatch import apply_patch

from hardener.admission import Result
from hardener.admission.audit import WOULD_APPLY_LIMIT
from hardener.model.pod import PROVENANCE
from hardener.wording import WARNING_LENGTH, WARNINGS_LIMIT
from tests.admission.asking import annotated, ask, config, hardened
from tests.admission.reviews import POD, patch, request

OBSERVE = config("default: observe\n")
STANDARD = config("default: standard\n")
MIXED = config(
    """
policies:
  ratchet:
    warnings: changes
    controls:
      resources: {mode: dry-run}
      readOnlyRootFilesystem: {mode: dry-run}
      seccompProfile: {mode: disabled}
default: ratchet
"""
)
PRIVILEGED = {"name": "agent", "image": "agent:1", "securityContext": {"privileged": True}}


def would_apply(answer):
    return orjson.loads(answer["auditAnnotations"]["would-apply"])


def without_notes(pod):
    """The pod without the annotations that say what was done."""
    annotations = {key: text for key, text in pod["metadata"]["annotations"].items() if key not in PROVENANCE}
    return {**pod, "metadata": {**pod["metadata"], "annotations": annotations}}


def test_a_dry_run_announces_the_patch_that_enforcing_would_send_and_sends_none():
    result, told = ask(request(), OBSERVE)
    _, enforced = ask(request(), STANDARD)

    assert result is Result.ANNOUNCED
    assert "patch" not in told
    assert apply_patch(POD, would_apply(told)) == without_notes(hardened(POD, enforced))
    assert "applied" not in told["auditAnnotations"]
    assert told["auditAnnotations"]["mode"] == "dry-run"


def test_nothing_announced_is_about_our_own_annotations():
    stale = dict.fromkeys(PROVENANCE, "preset")

    _, told = ask(request(annotated(stale)), OBSERVE)

    assert "patch" not in told
    assert not any("hardener.dev" in str(operation) for operation in would_apply(told))


def test_the_warnings_say_in_plain_words_what_would_be_set_and_where():
    assert ask(request(), OBSERVE)[1]["warnings"] == [
        "hardener dry-run: would set allowPrivilegeEscalation, capabilities, readOnlyRootFilesystem, resources on app",
        "hardener dry-run: would set runAsNonRoot, seccompProfile on app",
        "hardener dry-run: would set automountServiceAccountToken on the pod",
    ]


def test_what_is_held_back_is_told_with_its_reason():
    pod = {**POD, "spec": {**POD["spec"], "serviceAccountName": "operator", "containers": [PRIVILEGED]}}

    _, told = ask(request(pod), OBSERVE)

    assert told["warnings"] == [
        "hardener dry-run: would set resources, seccompProfile on agent",
        "hardener: held back allowPrivilegeEscalation, capabilities, readOnlyRootFilesystem on agent: "
        "the container is privileged",
        "hardener: held back runAsNonRoot on agent: the container is privileged",
        "hardener: held back automountServiceAccountToken on the pod: the pod names a service account",
    ]
    assert "capabilities(agent): the container is privileged" in told["auditAnnotations"]["skipped"]


@pytest.mark.parametrize("length", [1, 20, 63, 5000])
@pytest.mark.parametrize("number", [1, 7, 300])
def test_there_are_at_most_five_warnings_of_at_most_120_characters(number, length):
    kinds = [{"image": "web:1"}, {"securityContext": {"privileged": True}}, {"securityContext": {"runAsUser": 0}}]
    containers = [{"name": f"{index}".rjust(length, "n"), **kinds[index % 3]} for index in range(number)]

    _, told = ask(request(annotated({"hardener.dev/opt-out": "nonsense"}, *containers)), OBSERVE)

    assert 2 <= len(told["warnings"]) <= WARNINGS_LIMIT == 5
    assert max(map(len, told["warnings"])) <= WARNING_LENGTH == 120
    assert all(warning.isprintable() for warning in told["warnings"])


def test_many_containers_are_counted_so_that_every_control_is_named():
    names = ["checkout-service", "istio-proxy", "log-shipper", "metrics-exporter", "config-reloader"]

    _, told = ask(request(annotated({}, *({"name": name} for name in names))), OBSERVE)

    assert told["warnings"] == [
        "hardener dry-run: would set allowPrivilegeEscalation, capabilities, readOnlyRootFilesystem, resources "
        "on 5 containers",
        "hardener dry-run: would set runAsNonRoot, seccompProfile on 5 containers",
        "hardener dry-run: would set automountServiceAccountToken on the pod",
    ]


def test_what_finds_no_room_is_counted_in_the_last_warning():
    words = ", ".join(f"word{number}" for number in range(12))

    _, told = ask(request(annotated({"hardener.dev/opt-out": words})), OBSERVE)

    assert told["warnings"][3:] == [
        "hardener: opt-out word3(the pod) refused: no such control",
        "hardener: and 11 more, which `hardener preview` and the audit log show",
    ]


def test_an_announced_patch_that_is_too_long_loses_whole_operations_and_counts_them():
    containers = [{"name": f"app-{index}", "image": "web:1"} for index in range(100)]
    pod = annotated({}, *containers)

    _, answer = ask(request(pod), OBSERVE)

    text = answer["auditAnnotations"]["would-apply"]
    kept, _, rest = text.rpartition("] and ")
    operations = orjson.loads(kept + "]")
    _, enforced = ask(request(pod), STANDARD)
    whole = [operation for operation in patch(enforced) if "hardener.dev~1" not in operation["path"]]
    assert WOULD_APPLY_LIMIT // 2 < len(text) <= WOULD_APPLY_LIMIT + 40
    assert operations == whole[: len(operations)]
    assert rest == f"{len(whole) - len(operations)} more operations"


def test_in_a_mixed_policy_enforced_controls_are_patched_and_the_rest_is_announced():
    result, answer = ask(request(), MIXED)

    assert result is Result.PATCHED
    after = hardened(POD, answer)
    container = after["spec"]["containers"][0]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
    }
    assert container["resources"] == {}
    assert "volumes" not in after["spec"]
    audit = answer["auditAnnotations"]
    assert (audit["mode"], audit["applied"]) == (
        "enforce",
        "allowPrivilegeEscalation,automountServiceAccountToken,capabilities,runAsNonRoot",
    )
    assert answer["warnings"] == [
        "hardener: set allowPrivilegeEscalation, capabilities, runAsNonRoot on app",
        "hardener: set automountServiceAccountToken on the pod",
        "hardener dry-run: would set readOnlyRootFilesystem, resources on app",
    ]


def test_a_mixed_policy_announces_what_enforcing_all_of_it_would_send():
    text = "policies:\n  all: {controls: {seccompProfile: {mode: disabled}}}\ndefault: all\n"
    _, mixed = ask(request(annotated({"team": "shop"})), MIXED)
    _, enforced = ask(request(annotated({"team": "shop"})), config(text))

    whole = [operation for operation in patch(enforced) if "hardener.dev~1" not in operation["path"]]
    assert would_apply(mixed) == whole


def test_where_the_controls_in_dry_run_have_nothing_to_do_nothing_is_announced():
    spec = {
        "containers": [
            {
                "name": "app",
                "securityContext": {"readOnlyRootFilesystem": True},
                "resources": {"requests": {"cpu": "1", "memory": "1Gi"}},
            }
        ]
    }

    result, answer = ask(request({**POD, "spec": spec}), MIXED)

    assert result is Result.PATCHED
    assert "would-apply" not in answer["auditAnnotations"]
    assert not any("dry-run" in warning for warning in answer["warnings"])


def test_a_dry_run_that_would_change_nothing_announces_nothing():
    _, enforced = ask(request(), STANDARD)

    result, answer = ask(request(without_notes(hardened(POD, enforced))), OBSERVE)

    assert result is Result.UNCHANGED
    assert "would-apply" not in answer["auditAnnotations"]
    assert "warnings" not in answer


@pytest.mark.parametrize(
    ("policy", "control", "enforced"),
    [("enforce", "enforce", True), ("enforce", "dry-run", False), ("dry-run", "enforce", False)],
)
def test_the_weaker_of_the_modes_of_policy_and_control_counts(policy, control, enforced):
    text = f"policies:\n  p: {{mode: {policy}, controls: {{capabilities: {{mode: {control}}}}}}}\ndefault: p\n"

    _, answer = ask(request(), config(text))

    assert ("capabilities" in str(patch(answer))) is enforced
    assert ("capabilities" in answer["auditAnnotations"].get("would-apply", "")) is not enforced


def test_a_refused_opt_out_is_told_in_a_dry_run_too_and_what_it_asked_for_is_announced():
    _, told = ask(request(annotated({"hardener.dev/opt-out": "resourses"})), OBSERVE)

    assert told["warnings"][0] == "hardener: opt-out resourses(the pod) refused: did you mean resources?"
    assert any("resources" in operation["path"] for operation in would_apply(told))


def test_an_accepted_opt_out_is_announced_by_nothing():
    _, told = ask(request(annotated({"hardener.dev/opt-out": "*"})), OBSERVE)

    assert "would-apply" not in told["auditAnnotations"]
    assert "warnings" not in told
    assert told["auditAnnotations"]["opt-out"].startswith("allowPrivilegeEscalation(the pod): accepted; ")
