"""Every check by its own cases: which pods pass, which do not, and what is said to them."""

import re
from collections import Counter

import pytest

from hardener.pss import Level, stand
from hardener.pss.checks import CHECKS
from hardener.pss.manifest import Volume
from tests.pod_json import table
from tests.pod_schema import PodSchemaError, check_pod, pod_schema
from tests.pss.cases import FOLDER, read_case, read_cases

CASES = read_cases()
BASELINE = [
    "appArmorProfile",
    "capabilities_baseline",
    "hostNamespaces",
    "hostPathVolumes",
    "hostPorts",
    "hostProbesAndHostLifecycle",
    "privileged",
    "procMount",
    "seLinuxOptions",
    "seccompProfile_baseline",
    "sysctls",
    "windowsHostProcess",
]
RESTRICTED = [
    "allowPrivilegeEscalation",
    "capabilities_restricted",
    "procMount_restricted",
    "restrictedVolumes",
    "runAsNonRoot",
    "runAsUser",
    "seccompProfile_restricted",
]


def test_the_checks_are_those_of_kubernetes_in_the_order_in_which_it_tells_of_them():
    assert [check.name for check in CHECKS if check.level is Level.BASELINE] == BASELINE
    assert [check.name for check in CHECKS if check.level is Level.RESTRICTED] == RESTRICTED
    assert [check.name for check in CHECKS] == BASELINE + RESTRICTED


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_is_named_like_its_file_which_names_its_source(check):
    module = check.complaints.__globals__

    assert module["__name__"].rpartition(".")[2].replace("_", "") == check.name.replace("_", "").lower()
    assert re.search(r"Source:\spod-security-admission,\s`policy/check_\w+\.go`", module["__doc__"])


def test_volumes_are_read_with_all_types_that_kubernetes_knows():
    types = table(pod_schema()["$defs"])["V1Volume"]["properties"]

    assert set(Volume.__struct_fields__) == set(types)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_a_pod_breaks_the_check_or_passes_it(case):
    said = {violation.check: violation.message for violation in stand(case.pod).violations}.get(case.check)

    if case.breaks is not None and case.breaks.endswith("…"):
        assert said is not None
        said = said[: len(case.breaks) - 1] + "…"
    assert said == case.breaks


def test_no_case_has_a_misspelt_field_but_the_one_that_is_about_it():
    misspelt = []
    for case in CASES:
        try:
            check_pod({"apiVersion": "v1", "kind": "Pod", **case.pod})
        except PodSchemaError:
            misspelt.append(case.name)

    assert misspelt == ["a type that Kubernetes does not know, which is none"]


def test_every_check_has_cases_that_break_it_and_cases_that_pass():
    outcomes = {(case.check, case.breaks is not None) for case in CASES}

    assert outcomes == {(check.name, broken) for check in CHECKS for broken in (True, False)}
    assert [title for title, count in Counter(case.title for case in CASES).items() if count > 1] == []
    assert {path.stem for path in FOLDER.iterdir()} == {check.name for check in CHECKS}


def test_a_misspelt_key_of_a_case_is_an_error():
    with pytest.raises(ValueError, match=r"^privileged\.yaml, x: unknown keys \['breakes'\]; a case has "):
        read_case("privileged", {"case": "x", "spec": {}, "breakes": ""})
