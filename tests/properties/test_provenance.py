"""What the annotations say depends on the pod as it is, and on nothing that an earlier call or anybody else left there.

A sidecar that comes between two calls gets what it would have got in one call over the whole pod, and so do the others,
but where a control decides by all containers together: a default for ephemeral-storage is for all or none, and a
LimitRange on pods bounds their sum; the first call did not know of the sidecar. Nor does a token that it took come back
for a sidecar that is left out or uses it otherwise. A sidecar that says Windows makes it a Windows pod.
"""

import json
from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardener.admission import Result
from tests.admission_chain import admitted, defaulted, passed, with_token
from tests.pod_json import (
    ANNOTATIONS_LIMIT,
    CONTAINER_LISTS,
    TOKEN_FOLDER,
    annotation_bytes,
    annotations,
    containers,
    is_injected_token,
    rows,
    spec,
)
from tests.pods import document
from tests.promised_changes import SAFE_TO_EVICT
from tests.promises import broken
from tests.properties.containers import IMAGES, SHARP
from tests.properties.pods import FORGERIES, pods
from tests.properties.policies import configuration, exemptions, facts, policies
from tests.provenance import APPLIED, APPLIED_POLICY, MOST_BYTES, PROVENANCE, SKIPPED, told, without_provenance

STANDARD = configuration({})

forgeries = st.dictionaries(st.sampled_from(PROVENANCE), st.sampled_from(FORGERIES) | st.none(), max_size=3)
"""What somebody makes of the annotations; None takes one away."""

SIDECARS = ("proxy", "app-proxy")

sidecars = st.builds(
    lambda name, image, fields, more: {**fields, **more, "name": name, "image": image},
    st.sampled_from(SIDECARS),
    st.sampled_from(list(IMAGES)[:3]),
    st.sampled_from([{}, *(each for each in SHARP if "env" not in each and "volumeMounts" not in each)]),
    st.sampled_from(
        [
            {},
            {"volumeMounts": [{"name": "side", "mountPath": "/tmp/side"}]},
            {"volumeMounts": [{"name": "node", "mountPath": "/node"}]},
        ]
    ),
)
SIDE_VOLUMES = [{"name": "side", "emptyDir": {}}, {"name": "node", "hostPath": {"path": "/var/log"}}]


@given(pods, sidecars, st.sampled_from(CONTAINER_LISTS), st.booleans(), policies, exemptions, facts, forgeries)
def test_a_sidecar_between_two_calls_changes_nothing_that_one_call_would_not(
    pod, sidecar, field, first, policy, exempt, known, forged
):
    config = configuration(_without_sums(policy), _for_sidecars(exempt))
    known = replace(known, limit_ranges=tuple(each for each in known.limit_ranges if each.type == "Container"))
    before = admitted(_with_own_names(pod))
    in_between = _forge(passed(before, config, known).after, forged)
    again = passed(_join(in_between, sidecar, field, first), config, known)
    at_once = passed(_join(before, sidecar, field, first), config, known)

    if config.default.enforced and not at_once.answer.outcome.is_exempt:
        assert told(again.after) == told(at_once.after)
    assert _comparable(again.after) == _comparable(at_once.after)


@given(pods, policies, exemptions, forgeries)
def test_what_somebody_writes_there_decides_nothing(pod, policy, exempt, forged):
    config = configuration(policy, exempt)
    before = admitted(pod)
    clean = passed(without_provenance(before), config)
    marked = passed(_forge(before, forged), config)

    assert without_provenance(marked.after) == without_provenance(clean.after)
    if clean.answer.policy.enforced and not clean.answer.outcome.is_exempt:
        assert told(marked.after) == told(clean.after)
    else:
        assert told(marked.after) == told(_forge(before, forged))


@given(pods, st.integers(-2 * MOST_BYTES, 200) | st.integers(-1200, 20), policies)
def test_annotations_never_outgrow_their_limit_because_of_us(pod, size, policy):
    config = configuration(policy)
    before = _padded(admitted(pod), size)
    after = passed(before, config).after

    assert broken(before, after) == [] or config.default.enforced
    assert annotation_bytes(after) <= max(ANNOTATIONS_LIMIT, annotation_bytes(before))
    assert annotations(after)["padding"] == annotations(before)["padding"]


SILENT = admitted(document("spec: {containers: [{name: app, image: web}, {name: log, image: log}]}"))
HARDENED = passed(SILENT, STANDARD).after
OURS = annotation_bytes({"metadata": {"annotations": told(HARDENED)}})
AUTOSCALER = annotation_bytes(HARDENED) - OURS


@pytest.mark.parametrize("letter", ["x", "ü", "😀"])
@pytest.mark.parametrize(
    ("room", "is_told", "autoscaler_is_told"),
    [
        (OURS + AUTOSCALER, True, True),
        (OURS + AUTOSCALER - 1, False, True),
        (AUTOSCALER, False, True),
        (AUTOSCALER - 1, False, False),
        (1, False, False),
        (0, False, False),
        (-1, False, False),
    ],
)
def test_the_annotations_of_ours_go_first_and_then_the_autoscaler_s(letter, room, is_told, autoscaler_is_told):
    preset = _padded(SILENT, -room, letter)
    assert annotation_bytes(preset) == ANNOTATIONS_LIMIT - room
    for forged in ({}, dict.fromkeys(PROVENANCE, "x")):
        answer, after = passed(_forge(preset, forged), STANDARD)

        assert answer.result is Result.PATCHED
        assert told(after) == (told(HARDENED) if is_told else {})
        assert (SAFE_TO_EVICT in annotations(after)) is autoscaler_is_told
        assert annotation_bytes(after) <= max(ANNOTATIONS_LIMIT, annotation_bytes(preset))
        assert spec(after) == spec(HARDENED)


def test_ours_give_way_to_a_sidecar_s_volume_that_the_autoscaler_is_told_of():
    full = passed(_padded(SILENT, -OURS - AUTOSCALER), STANDARD).after
    assert set(told(full)) == {APPLIED_POLICY, APPLIED}
    after = passed(_join(full, {"name": "proxy", "image": "proxy"}, "containers", False), STANDARD).after

    assert told(after) == {}
    assert len(annotations(after)[SAFE_TO_EVICT].split(",")) == 3


def test_a_long_account_of_what_was_skipped_is_cut_at_whole_entries():
    agents = [
        {"name": f"agent-{number}", "image": "a", "securityContext": {"privileged": True}} for number in range(600)
    ]
    before = admitted(document("spec: {containers: []}") | {"spec": {"containers": agents}})
    after = passed(before, STANDARD).after

    assert broken(before, after) == []
    assert told(after)[SKIPPED].rpartition("; ")[2].startswith("and ")
    assert len(told(after)[SKIPPED]) <= 16 * 1024


def _padded(pod, size, letter="x"):
    """The same pod, whose annotations are over the limit by so many bytes."""
    notes = {**annotations(pod), "padding": ""}
    room = ANNOTATIONS_LIMIT + size - annotation_bytes({"metadata": {"annotations": notes}})
    width = len(letter.encode())
    notes["padding"] = letter * (room // width) + "x" * (room % width)
    return {**pod, "metadata": {**pod["metadata"], "annotations": notes}}


def _forge(pod, forged):
    notes = {key: text for key, text in {**annotations(pod), **forged}.items() if text is not None or key not in forged}
    return {**pod, "metadata": {**pod["metadata"], "annotations": notes}}


def _join(pod, sidecar, field, first):
    """The pod as the next webhook sees it, once an injector has put a sidecar in."""
    pod = deepcopy(pod)
    own = spec(pod)
    others = own.get(field) or []
    own[field] = [sidecar, *others] if first else [*others, sidecar]
    own["volumes"] = [*(own.get("volumes") or []), *SIDE_VOLUMES]
    return with_token(defaulted(pod))


def _with_own_names(pod):
    """The pod with another name for each container that has none, or that of another one."""
    pod, seen = deepcopy(pod), set()
    for number, container in enumerate(
        container for field in CONTAINER_LISTS for container in spec(pod).get(field) or ()
    ):
        if not container.get("name") or container["name"] in seen:
            container["name"] = f"c{number}"
        seen.add(container["name"])
    return pod


def _without_sums(policy):
    """The policy without defaults for ephemeral-storage."""
    policy = deepcopy(policy)
    own = (policy.get("controls") or {}).get("resources") or {}
    for half in ("requests", "limits"):
        if half in own:
            own[half].pop("ephemeral-storage", None)
    return policy


def _for_sidecars(exempt):
    """The same exemptions, of sidecars as well."""
    entries = [{**entry, "name": "proxy"} for entry in exempt.get("containers", ())]
    return {**exempt, "containers": [*exempt.get("containers", ()), *entries]}


def _comparable(pod):
    """The pod without our annotations, the order of volumes, and the random name of the token volume.

    What the API server mounts for the token into the sidecar is left out, and so is the token where nobody else has it.
    """
    pod = defaulted(pod)
    text = json.dumps(without_provenance(pod))
    names = [str(volume.get("name")) for volume in rows(spec(pod).get("volumes")) if is_injected_token(volume)]
    for number, name in enumerate(names):
        text = text.replace(f'"{name}"', f'"token {number}"')
    tokens = {f"token {number}" for number in range(len(names))}
    pod = json.loads(text)
    mounted = set()
    for _, container in containers(pod):
        mounts = rows(container.pop("volumeMounts", None))
        if container["name"] in SIDECARS:
            mounts = [mount for mount in mounts if mount.get("mountPath") != TOKEN_FOLDER]
        mounted |= {mount.get("name") for mount in mounts}
        if mounts:
            container["volumeMounts"] = mounts
    volumes = [each for each in rows(spec(pod).get("volumes")) if each.get("name") not in tokens - mounted]
    notes = dict(annotations(pod))
    if SAFE_TO_EVICT in notes:
        notes[SAFE_TO_EVICT] = sorted(notes[SAFE_TO_EVICT].split(","))
    return notes, {**spec(pod), "volumes": sorted(volumes, key=lambda volume: str(volume.get("name")))}
