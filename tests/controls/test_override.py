"""`explicit: override` on all fixtures: an insecure value of the author's counts as none (design.md 3).

Every other reason to hold back stays one.
"""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from hardener.controls import CATALOGUE
from hardener.policy.policy import Policy
from tests.controls.cases import Case, edits_of, overrides, read_cases, skips_of
from tests.pods import document, run
from tests.policy.configs import policy
from tests.promises import ALONE

INSECURE: dict[str, Any] = {
    "allowPrivilegeEscalation": True,
    "readOnlyRootFilesystem": False,
    "runAsNonRoot": False,
    "seccompProfile": {"type": "Unconfined"},
}
CASES = [case for case in read_cases() if case.control in INSECURE and case.settings.get("explicit") != "override"]
SILENT = [case for case in CASES if case.name not in ("explicit", "already_right")]


def ids(case: Case) -> str:
    return f"{case.control}-{case.name}"


def containers(pod: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from pod["spec"]["containers"]
    yield from pod["spec"].get("initContainers", [])


def saying(pod: dict[str, Any], control: str, value: Any) -> dict[str, Any]:
    """The pod, in which each container that says nothing about the control's field says this."""
    spoken = deepcopy(pod)
    for container in containers(spoken):
        container.setdefault("securityContext", {}).setdefault(control, value)
    return spoken


def decided(pod: dict[str, Any], case: Case, under: Policy) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    verdicts = run(pod, under, case.facts).outcome.verdicts
    return (
        [edit for verdict in verdicts for edit in edits_of(verdict)],
        [skip for verdict in verdicts for skip in skips_of(verdict)],
    )


@pytest.mark.parametrize("case", SILENT, ids=ids)
def test_an_insecure_value_is_treated_as_none_would_be(case: Case):
    pod = saying(case.pod, case.control, INSECURE[case.control])

    assert decided(pod, case, case.overriding) == (case.edits, case.skips)


@pytest.mark.parametrize("case", SILENT, ids=ids)
def test_without_override_an_insecure_value_is_kept_and_reported(case: Case):
    pod = saying(case.pod, case.control, INSECURE[case.control])

    edits, skips = decided(pod, case, case.alone)

    silent = {each["name"] for each in containers(case.pod) if case.control not in each.get("securityContext", {})}
    assert not silent & {edit["container"] for edit in edits}
    assert {skip["container"] for skip in skips} <= silent | {"pod"}
    if case.name not in ("windows", "opted_out", "opted_out_container"):
        assert {skip["container"] for skip in skips if "explicitly" in skip["reason"]} == silent


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_override_never_keeps_a_reason_that_is_the_authors_word(case: Case):
    _, skips = decided(case.pod, case, case.overriding)

    assert not [skip for skip in skips if "explicitly" in skip["reason"]]


@pytest.mark.parametrize("case", [case for case in read_cases() if case.control == "capabilities"], ids=ids)
def test_override_changes_nothing_about_capabilities(case: Case):
    assert decided(case.pod, case, case.overriding) == (case.edits, case.skips)


def test_the_controls_that_can_override_are_those_of_the_design():
    assert {name for name in CATALOGUE if overrides(name)} == {*INSECURE, "capabilities"}


def test_a_pod_that_contradicts_everything_is_hardened_without_a_contradiction():
    insecure = document("""
        metadata: {annotations: {container.seccomp.security.alpha.kubernetes.io/agent: unconfined}}
        spec:
          securityContext: {runAsNonRoot: false, seccompProfile: {type: Unconfined}}
          containers:
          - name: app
            image: shop/web:1
            securityContext:
              {allowPrivilegeEscalation: true, readOnlyRootFilesystem: false, runAsNonRoot: false,
               seccompProfile: {type: Unconfined}, capabilities: {add: [NET_BIND_SERVICE]}}
          - name: agent
            image: shop/agent:1
            securityContext:
              {privileged: true, allowPrivilegeEscalation: true, readOnlyRootFilesystem: false, runAsUser: 0,
               seccompProfile: {type: Unconfined}}
        """)

    hardened = run(insecure, policy("explicit: override"))

    assert hardened.security("app") == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
        "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
    }
    assert hardened.security("agent") == insecure["spec"]["containers"][1]["securityContext"]
    assert hardened.after["spec"]["securityContext"] == insecure["spec"]["securityContext"]
    assert [text for rule in ALONE for text in rule(hardened.after)] == []
