"""The annotations that say on the pod what was done (design.md 4)."""

from datetime import date

import pytest

from hardener.admission import Result
from hardener.admission.provenance import SKIPPED_LIMIT
from hardener.controls import CATALOGUE
from hardener.model.pod import ANNOTATIONS_LIMIT, APPLIED, APPLIED_POLICY, PROVENANCE, SKIPPED
from hardener.policy.config import OnError
from tests.admission.asking import EMBEDDED, annotated, ask, broken_config, config, hardened
from tests.admission.reviews import POD, patch, request

EVERY_CONTROL = ",".join(sorted(CATALOGUE))
PRIVILEGED = {"name": "agent", "image": "agent:1", "securityContext": {"privileged": True}}
APP = {"name": "app", "image": "web:1"}
SIDECAR = {"name": "istio-proxy", "image": "istio/proxyv2:1.27"}
AUTOSCALER = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"

MESH = config("exempt:\n  containers: [{name: istio-proxy, image: 'docker.io/istio/proxyv2:*'}]\n")


def after(pod, with_config=EMBEDDED, today=None):
    """The pod as it is stored, which a second pass leaves alone."""
    changes = {} if today is None else {"today": today}
    once = hardened(pod, ask(request(pod), with_config, **changes)[1])
    assert patch(ask(request(once), with_config, **changes)[1]) == []
    return once


def notes(pod, with_config=EMBEDDED, today=None):
    """What is written on the pod about the three."""
    annotations = after(pod, with_config, today)["metadata"].get("annotations", {})
    return {key: annotations[key] for key in PROVENANCE if key in annotations}


def test_a_pod_says_which_policy_did_what():
    assert notes(POD) == {APPLIED_POLICY: EMBEDDED.default.label, APPLIED: EVERY_CONTROL}
    assert EMBEDDED.default.label == f"standard@{EMBEDDED.default.fingerprint}"


def test_a_pod_that_needs_no_change_says_so_too():
    hard = {key: text for key, text in after(POD)["metadata"]["annotations"].items() if key not in PROVENANCE}
    pod = {**after(POD), "metadata": {**POD["metadata"], "annotations": hard}}

    result, answer = ask(request(pod))

    assert result is Result.UNCHANGED
    assert [operation["path"] for operation in patch(answer)] == [
        "/metadata/annotations/hardener.dev~1applied-policy",
        "/metadata/annotations/hardener.dev~1applied",
    ]
    assert notes(pod) == {APPLIED_POLICY: EMBEDDED.default.label, APPLIED: EVERY_CONTROL}


def test_what_is_held_back_is_named_by_container_and_reason_and_not_as_applied():
    found = notes(annotated({}, APP, PRIVILEGED))

    assert found[APPLIED] == "automountServiceAccountToken,resources,seccompProfile"
    assert found[SKIPPED] == (
        "allowPrivilegeEscalation(agent): the container is privileged; "
        "capabilities(agent): the container is privileged; "
        "readOnlyRootFilesystem(agent): the container is privileged; "
        "runAsNonRoot(agent): the container is privileged"
    )


@pytest.mark.parametrize(
    ("annotations", "entry"),
    [
        ({"hardener.dev/opt-out": "resources"}, "resources(the pod): opted out"),
        ({"opt-out.hardener.dev/app": "resources"}, "resources(app): opted out"),
        (
            {"hardener.dev/opt-out": "resources", "hardener.dev/opt-out-until": "2027-01-31"},
            "resources(the pod): opted out until 2027-01-31",
        ),
    ],
)
def test_an_accepted_opt_out_is_named(annotations, entry):
    found = notes(annotated(annotations))

    assert found[SKIPPED] == entry
    assert "resources" not in found[APPLIED].split(",")


@pytest.mark.parametrize(
    "annotations",
    [
        {"hardener.dev/opt-out": "resourses"},
        {"hardener.dev/opt-out": "resources", "hardener.dev/opt-out-until": "2020-01-31"},
        {"opt-out.hardener.dev/nobody": "resources"},
    ],
)
def test_an_opt_out_that_does_nothing_is_not_named(annotations):
    assert notes(annotated(annotations)) == {APPLIED_POLICY: EMBEDDED.default.label, APPLIED: EVERY_CONTROL}


def test_an_opt_out_that_ended_between_two_calls_is_named_no_longer():
    pod = annotated({"hardener.dev/opt-out": "resources", "hardener.dev/opt-out-until": "2026-11-22"})
    on_its_last_day = after(pod, today=date(2026, 11, 22))

    assert SKIPPED in on_its_last_day["metadata"]["annotations"]
    assert notes(on_its_last_day, today=date(2026, 11, 23)) == notes(pod, today=date(2026, 11, 23))
    assert SKIPPED not in notes(on_its_last_day, today=date(2026, 11, 23))


def test_an_exempt_container_is_named_with_the_line_that_exempts_it():
    found = notes(annotated({}, APP, SIDECAR), MESH)

    assert APPLIED not in found
    assert found[SKIPPED].split("; ") == [
        f"{control}(istio-proxy): exempt by exempt.containers[0]" for control in sorted(CATALOGUE)
    ]


RATCHET = config(
    """
policies:
  ratchet: {controls: {capabilities: {mode: dry-run}, runAsNonRoot: {mode: dry-run}, resources: {mode: disabled}}}
default: ratchet
"""
)


@pytest.mark.parametrize(
    ("pod", "skipped"),
    [
        (POD, None),
        (annotated({"hardener.dev/opt-out": "capabilities, resources"}), None),
        (annotated({}, {**APP, "securityContext": {"runAsUser": 0}}), None),
        (
            annotated({}, PRIVILEGED),
            "allowPrivilegeEscalation(agent): the container is privileged; "
            "readOnlyRootFilesystem(agent): the container is privileged",
        ),
    ],
    ids=["plain", "opted out", "root", "held back"],
)
def test_only_enforced_controls_are_named(pod, skipped):
    found = notes(pod, RATCHET)

    assert not {"capabilities", "resources", "runAsNonRoot"} & set(found[APPLIED].split(","))
    assert found.get(SKIPPED) == skipped


def test_a_failed_control_is_named_as_such():
    found = notes(POD, broken_config(OnError.ALLOW))

    assert found[SKIPPED] == "broken(the pod): internal error"
    assert found[APPLIED] == EVERY_CONTROL


@pytest.mark.parametrize("preset", ["hardened by me", "", "x" * 10_000])
def test_preset_values_are_replaced_and_a_stale_key_is_removed(preset):
    pod = annotated({**dict.fromkeys(PROVENANCE, preset), "team": "shop", "hardener.dev/other": "kept"})

    _, answer = ask(request(pod))

    stored = hardened(pod, answer)["metadata"]["annotations"]
    autoscaler = {AUTOSCALER: stored[AUTOSCALER]}
    assert stored == {
        APPLIED_POLICY: EMBEDDED.default.label,
        APPLIED: EVERY_CONTROL,
        "team": "shop",
        "hardener.dev/other": "kept",
        **autoscaler,
    }
    assert notes(pod) == notes(POD)


def test_what_was_preset_is_never_trusted():
    posing = annotated(dict(notes(POD)))

    result, answer = ask(request(posing))

    assert result is Result.PATCHED
    assert hardened(posing, answer) == hardened(POD, ask(request())[1])


def test_a_sidecar_that_comes_between_two_calls_leaves_what_one_call_would_have_written():
    injected = {
        **after(POD),
        "spec": {**after(POD)["spec"], "containers": [PRIVILEGED, *after(POD)["spec"]["containers"]]},
    }

    assert notes(injected) == notes(annotated({}, PRIVILEGED, APP))
    assert notes(injected)[SKIPPED].startswith("allowPrivilegeEscalation(agent): ")


STALE = dict.fromkeys(PROVENANCE, "preset")


@pytest.mark.parametrize(
    ("text", "pod"),
    [
        ("default: observe\n", annotated(STALE)),
        ("default: none\n", annotated(STALE)),
        ("exempt: {usernames: [alice]}\n", annotated(STALE)),
        ("exempt: {groups: ['system:authenticated']}\n", annotated(STALE)),
        (
            "exempt: {runtimeClasses: [gvisor]}\n",
            {**annotated(STALE), "spec": {**POD["spec"], "runtimeClassName": "gvisor"}},
        ),
    ],
    ids=["dry-run", "none", "an exempt user", "an exempt group", "an exempt runtime class"],
)
def test_where_nothing_is_enforced_nothing_is_written_nor_removed(text, pod):
    _, answer = ask(request(pod), config(text))

    assert "patch" not in answer


def padded(size, **annotations):
    """A pod whose annotations take so many bytes."""
    used = sum(len(key) + len(text.encode()) for key, text in annotations.items())
    return annotated({**annotations, "padding": "x" * (size - used - len("padding"))})


def size(pod):
    return sum(len(key.encode()) + len(text.encode()) for key, text in pod["metadata"]["annotations"].items())


AUTOSCALER_BYTES = len(AUTOSCALER) + len("hardener-") + 16
NOTES_BYTES = sum(len(key) + len(text) for key, text in notes(POD).items())


@pytest.mark.parametrize(
    ("room", "noted", "told"),
    [
        (AUTOSCALER_BYTES + NOTES_BYTES, True, True),
        (AUTOSCALER_BYTES + NOTES_BYTES - 1, False, True),
        (AUTOSCALER_BYTES, False, True),
        (AUTOSCALER_BYTES - 1, False, False),
        (0, False, False),
    ],
)
def test_near_the_limit_our_notes_are_left_out_first_and_the_autoscalers_next(room, noted, told):
    stored = after(padded(ANNOTATIONS_LIMIT - room))

    assert (APPLIED in stored["metadata"]["annotations"]) is noted
    assert (AUTOSCALER in stored["metadata"]["annotations"]) is told
    assert size(stored) <= ANNOTATIONS_LIMIT
    assert stored["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True


OURS = "hardener-" + "0" * 16


@pytest.mark.parametrize(("room", "noted"), [(len(OURS) + 1 + NOTES_BYTES, True), (len(OURS) + NOTES_BYTES, False)])
def test_what_the_autoscaler_was_told_before_is_counted_once(room, noted):
    stored = after(padded(ANNOTATIONS_LIMIT - room, **{AUTOSCALER: OURS}))

    told = stored["metadata"]["annotations"][AUTOSCALER]
    assert told.startswith(f"{OURS},hardener-")
    assert (APPLIED in stored["metadata"]["annotations"]) is noted
    assert size(stored) <= ANNOTATIONS_LIMIT


def test_the_note_for_the_autoscaler_makes_way_for_what_another_webhook_writes_between_two_calls():
    once = after(padded(ANNOTATIONS_LIMIT - AUTOSCALER_BYTES - NOTES_BYTES))
    theirs = "x" * (AUTOSCALER_BYTES + NOTES_BYTES - len("injected"))
    filled = {**once, "metadata": {"annotations": {**once["metadata"]["annotations"], "injected": theirs}}}

    stored = after(filled)

    assert AUTOSCALER in once["metadata"]["annotations"]
    assert {*stored["metadata"]["annotations"]} == {"padding", "injected"}
    assert size(stored) == ANNOTATIONS_LIMIT


def test_near_the_limit_preset_notes_are_removed():
    stored = after(padded(ANNOTATIONS_LIMIT, **STALE))

    assert not set(PROVENANCE) & set(stored["metadata"]["annotations"])


def test_bytes_are_counted_and_not_characters():
    room = AUTOSCALER_BYTES + NOTES_BYTES
    stored = after(annotated({"ü": "ü" * ((ANNOTATIONS_LIMIT - room) // 2 - 1)}))
    over = after(annotated({"ü": "ü" * ((ANNOTATIONS_LIMIT - room) // 2)}))

    assert APPLIED in stored["metadata"]["annotations"]
    assert APPLIED not in over["metadata"]["annotations"]


def test_a_long_list_of_holds_is_cut_by_whole_entries_and_counted():
    agents = [{**PRIVILEGED, "name": f"agent-{number}"} for number in range(200)]

    text = notes(annotated({}, *agents))[SKIPPED]

    *entries, rest = text.split("; ")
    assert len(text) <= SKIPPED_LIMIT + 20
    assert all(entry.endswith("): the container is privileged") for entry in entries)
    assert rest == f"and {4 * 200 - len(entries)} more"


def test_a_name_with_control_characters_makes_one_printable_line():
    found = notes(annotated({"hardener.dev/opt-out": "resources"}, {**PRIVILEGED, "name": "a\nb\x1b[31m"}))

    assert found[SKIPPED].isprintable()
    assert "capabilities(a b [31m): the container is privileged" in found[SKIPPED]
