"""The promises are no better than their rules: each of them must be able to fail, and only on what is wrong."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.overridden import effective_choices_are_kept
from tests.pod_json import ANNOTATIONS_LIMIT, amount, clean, is_injected_token, is_windows
from tests.promised_changes import CHANGE, SAFE_TO_EVICT
from tests.promises import ALONE, broken
from tests.provenance import APPLIED, APPLIED_POLICY, SKIPPED, stripped, told, without_provenance

CASES = yaml.safe_load(Path(__file__).with_name("broken_promises.yaml").read_text(encoding="utf-8"))
TOKEN = CASES.pop("token")
BAD = [(rule, case["before"], case["after"]) for rule, cases in CASES.items() for case in cases]
MOUNT = {"name": "kube-api-access-x7k2p", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
OURS = "hardener-0123456789abcdef"


def pod(spec: dict[str, Any] | str) -> dict[str, Any]:
    """A pod from the shorthand of the cases: A stands for its annotations, C for its one container."""
    spec = deepcopy(yaml.safe_load(spec) if isinstance(spec, str) else spec)
    metadata = {"name": "p", "annotations": spec.pop("A", None)}
    container = {"name": "c", **spec.pop("C", {})}
    return {"metadata": metadata, "spec": {**spec, "containers": [container]}}


@pytest.mark.parametrize(("rule", "before", "after"), BAD, ids=[f"{rule}-{n}" for n, (rule, _, _) in enumerate(BAD)])
def test_a_broken_promise_is_found(rule, before, after):
    found = broken(pod(before), pod(after))

    assert rule in {text.split(":")[0] for text in found}, found


def test_annotations_that_grow_over_the_limit_are_found():
    room = ANNOTATIONS_LIMIT - len(SAFE_TO_EVICT) - len("a")
    before, fits, after = (
        pod({"A": {"a": "ü" * (size // 2), SAFE_TO_EVICT: name}})
        for size, name in [(room, None), (room - 42, OURS), (room, OURS)]
    )

    assert [text for text in broken(before, after) if text.startswith("annotations_fit")]
    assert not [text for text in broken(before, fits) if text.startswith("annotations_fit")]


def test_every_rule_has_a_case_in_which_it_fails():
    rules = (*ALONE, *CHANGE, effective_choices_are_kept)

    assert {rule.__name__ for rule in rules} == {*CASES, "annotations_fit"}


@pytest.mark.parametrize("spec", [spec for _, *pair in BAD for spec in pair], ids=str)
def test_a_pod_that_is_left_alone_breaks_no_promise(spec):
    assert broken(pod(spec), pod(spec)) == []


def test_a_pod_that_is_hardened_in_every_way_breaks_no_promise():
    before = pod(f"""
        A: {{{SAFE_TO_EVICT}: hardener-00000000000000ff}}
        volumes: [{{name: cache}}, {TOKEN}]
        C:
          securityContext: {{capabilities: {{add: [NET_RAW], drop: [NET_ADMIN]}}}}
          command: [sh, -c, ls /tmp]
          volumeMounts: [{MOUNT}, {{name: cache, mountPath: /tmp/cache}}]
          resources: {{requests: {{cpu: 1}}}}
    """)
    after = pod(f"""
        A:
          {SAFE_TO_EVICT}: "hardener-00000000000000ff,{OURS}"
          {APPLIED_POLICY}: strict.2@0123abcd
          {APPLIED}: allowPrivilegeEscalation,automountServiceAccountToken,runAsNonRoot
          {SKIPPED}: "capabilities(c): opted out until 2027-01-31; readOnlyRootFilesystem(c): exempt by
            exempt.containers[0]; resources(the pod): the pod sets resources for all its containers together"
        automountServiceAccountToken: false
        volumes: [{{name: cache}}, {{name: {OURS}, emptyDir: {{sizeLimit: 1Gi}}}}]
        C:
          securityContext:
            capabilities: {{add: [NET_RAW], drop: [NET_ADMIN, ALL]}}
            runAsNonRoot: true
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            seccompProfile: {{type: RuntimeDefault}}
          command: [sh, -c, ls /tmp]
          volumeMounts: [{{name: cache, mountPath: /tmp/cache}}, {{name: {OURS}, mountPath: /tmp}}]
          resources: {{requests: {{cpu: 1, memory: 64Mi}}, limits: {{memory: 1Gi}}}}
    """)

    assert broken(before, after) == []


SECURITY = {
    "allowPrivilegeEscalation": (True, False),
    "readOnlyRootFilesystem": (False, True),
    "runAsNonRoot": (False, True),
    "seccompProfile": ({"type": "Unconfined"}, {"type": "RuntimeDefault"}),
}


def saying(**security: Any) -> dict[str, Any]:
    return pod({"C": {"securityContext": security}})


@pytest.mark.parametrize("field", SECURITY)
def test_an_explicit_value_is_replaced_only_where_its_control_overrides(field):
    old, new = SECURITY[field]
    others = {*SECURITY} - {field}

    assert broken(saying(**{field: old}), saying(**{field: new}), [field]) == []
    assert broken(saying(**{field: old}), saying(**{field: old}), SECURITY) == []
    assert broken(saying(**{field: old}), saying(**{field: new}), others) != []
    assert broken(saying(**{field: old}), saying(**{field: new})) != []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"allowPrivilegeEscalation": True}, {}),
        ({"runAsNonRoot": True}, {"runAsNonRoot": False}),
        ({"runAsUser": 0}, {"runAsUser": 1000}),
        ({"capabilities": {"add": ["NET_RAW"]}}, {"capabilities": {"drop": ["ALL"]}}),
        (
            {"capabilities": {"add": ["SYS_ADMIN"]}, "allowPrivilegeEscalation": True},
            {"allowPrivilegeEscalation": False},
        ),
        ({"privileged": True, "runAsNonRoot": False}, {"privileged": True, "runAsNonRoot": True}),
        ({"privileged": True}, {"privileged": False}),
        (
            {"seccompProfile": {"type": "Localhost", "localhostProfile": "p"}},
            {"seccompProfile": {"type": "RuntimeDefault"}},
        ),
        ({"seccompProfile": {"type": "Unconfined"}}, {"seccompProfile": {}}),
        (
            {"seccompProfile": {"type": "Unconfined"}},
            {"seccompProfile": {"type": "Unconfined", "localhostProfile": "p"}},
        ),
    ],
)
def test_a_policy_that_overrides_everything_still_keeps_the_rest(before, after):
    assert broken(saying(**before), saying(**after), [*SECURITY, "capabilities"]) != []


@pytest.mark.parametrize(
    ("field", "on_pod"), [("runAsNonRoot", False), ("seccompProfile", {"type": "Unconfined"})], ids=str
)
def test_what_a_pod_says_for_its_containers_is_overruled_on_them_and_stays(field, on_pod):
    _, wanted = SECURITY[field]
    before = pod({"securityContext": {field: on_pod}})
    overruled = pod({"securityContext": {field: on_pod}, "C": {"securityContext": {field: wanted}}})
    rewritten = pod({"securityContext": {field: wanted}})

    assert broken(before, overruled, [field]) == []
    assert broken(before, overruled) != []
    assert broken(before, rewritten, [field]) != []


def test_a_patch_and_a_pod_are_told_without_our_annotations():
    notes = {APPLIED_POLICY: "standard@0123abcd", APPLIED: "resources"}
    for path, value, left in [
        ("/metadata", {"annotations": notes}, None),
        ("/metadata", {"annotations": {"a": "b", **notes}}, {"annotations": {"a": "b"}}),
        ("/metadata/annotations", notes, None),
        ("/metadata/annotations", {"a": "b", **notes}, {"a": "b"}),
        ("/metadata/annotations/hardener.dev~1applied", "resources", None),
        ("/metadata/annotations/hardener.dev~1opt-out", "resources", "resources"),
    ]:
        kept = [] if left is None else [{"op": "add", "path": path, "value": left}]
        assert stripped([{"op": "add", "path": path, "value": value}]) == kept, (path, value)

    marked = {"metadata": {"name": "p", "annotations": notes}}
    assert told(marked) == notes
    assert without_provenance(marked) == {"metadata": {"name": "p"}}


def test_what_was_wrong_before_is_not_blamed_on_us():
    wrong = "securityContext: {privileged: true, allowPrivilegeEscalation: false, runAsNonRoot: true, runAsUser: 0}"
    before, after = pod(f"C: {{{wrong}}}"), pod(f"{{C: {{{wrong}}}, automountServiceAccountToken: false}}")

    assert broken(before, after) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1Gi", "1073741824"),
        ("100m", 0.1),
        ("1E", "1e18"),
        ("5E-1", "500m"),
        ("1e3", "1k"),
        ("500e-3", ".5"),
        (None, "0"),
    ],
)
def test_amounts_are_compared_exactly(one, other):
    assert amount(one) == amount(other) is not None


@pytest.mark.parametrize("value", ["1e3m", "1KB", "", "Gi", True, "\uff11"])
def test_what_is_no_amount_is_none(value):
    assert amount(value) is None


@pytest.mark.parametrize("path", ["/tmp", "tmp", "//tmp/", "/./tmp", "/var/../tmp", "../tmp"])
def test_all_spellings_of_a_path_are_one(path):
    assert clean(path) == "/tmp"


def test_a_volume_of_another_audience_is_no_injected_token():
    volume = deepcopy(TOKEN)

    assert is_injected_token(volume)
    volume["projected"]["sources"][0]["serviceAccountToken"]["audience"] = "vault"
    assert not is_injected_token(volume)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("os: {name: windows}", True),
        ("nodeSelector: {beta.kubernetes.io/os: windows}", True),
        ("C: {securityContext: {windowsOptions: {hostProcess: true}}}", True),
        ("os: {name: linux}", False),
        ("nodeSelector: {kubernetes.io/os: linux}", False),
    ],
)
def test_windows_is_known_by_any_of_its_signs(text, expected):
    assert is_windows(pod(text)) is expected
