"""Each control alone, and all together, on the pods of `fixtures/`."""

from dataclasses import replace

import pytest

from hardener.controls import CATALOGUE
from hardener.model import STANDALONE
from hardener.policy.opt_out import CONTAINER_PREFIX, OPT_OUT
from tests.controls.cases import FOLDER, Case, edits_of, faults, read_case, read_cases, skips_of
from tests.pods import policy_of, run

CASES = list(read_cases())
ids = [f"{case.control}-{case.name}" for case in CASES]


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_a_control_decides_as_its_fixture_says(case: Case):
    hardened = run(case.pod, case.alone, case.facts)

    verdicts = hardened.outcome.verdicts
    assert [edit for verdict in verdicts for edit in edits_of(verdict)] == case.edits
    assert [skip for verdict in verdicts for skip in skips_of(verdict)] == case.skips
    assert {skip.reason for verdict in verdicts for skip in verdict.skips} <= set(CATALOGUE[case.control].all_holds)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_a_control_decides_the_same_among_all_others(case: Case):
    hardened = run(case.pod, case.among_all, case.facts)

    own = [verdict for verdict in hardened.outcome.verdicts if verdict.control == case.control]
    assert [edit for verdict in own for edit in edits_of(verdict)] == case.edits
    assert [skip for verdict in own for skip in skips_of(verdict)] == case.skips


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_no_two_controls_set_one_path(case: Case):
    hardened = run(case.pod, case.among_all, case.facts)

    paths = [
        (id(write.at), write.path, verdict.control)
        for verdict in hardened.outcome.verdicts
        for write in verdict.writes
        if write.how != "remove"
    ]
    clashes = [
        (path, control, other_control)
        for at, path, control in paths
        for other_at, other, other_control in paths
        if at == other_at and control != other_control and other[: len(path)] == path
    ]
    assert clashes == []


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_no_edit_is_left_where_each_control_has_run_after_the_others(case: Case):
    together = run(case.pod, case.among_all, case.facts).after

    one_by_one = case.pod
    for enabled in reversed(case.among_all.controls):
        one_by_one = run(one_by_one, policy_of(enabled), case.facts).after
    assert run(one_by_one, case.among_all, case.facts).operations == []
    assert run(together, case.alone, case.facts).operations == []


@pytest.mark.parametrize("case", [case for case in CASES if "opted_out" in case.name], ids=lambda case: case.control)
def test_an_opted_out_pod_would_change_without_its_annotation(case: Case):
    kept = {
        key: value
        for key, value in case.pod["metadata"]["annotations"].items()
        if key != OPT_OUT and not key.startswith(CONTAINER_PREFIX)
    }
    asked = run({**case.pod, "metadata": {**case.pod["metadata"], "annotations": kept}}, case.alone)

    assert len(asked.outcome.writes(*{each.mode for each in case.alone.controls})) > len(case.edits)


@pytest.mark.parametrize("control", CATALOGUE)
def test_a_silent_pod_gets_the_control_in_the_case_changed(control):
    changed = next(case for case in CASES if (case.control, case.name) == (control, "changed"))

    assert changed.settings == {}
    assert changed.facts == STANDALONE
    assert changed.edits != []


def test_every_control_shows_all_cases_and_holds():
    assert faults(CASES) == []


def test_every_file_of_the_fixtures_is_read():
    files = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*") if path.is_file()}

    assert files == {f"{case.control}/{case.name}.yaml" for case in CASES}


def test_a_folder_without_a_control_is_a_fault():
    stray = replace(CASES[0], control="runAsRoot", skips=[])

    assert "runAsRoot: a folder without a control" in faults([*CASES, stray])


def test_a_control_without_a_folder_is_a_fault():
    found = faults(case for case in CASES if case.control != "capabilities")

    assert "capabilities: the case changed is missing" in found
    assert "capabilities: no fixture shows the hold 'the container adds ALL capabilities'" in found


def test_a_hold_that_no_fixture_shows_is_a_fault():
    reason = "the container runs as root (runAsUser 0)"

    found = faults(case for case in CASES if reason not in {skip["reason"] for skip in case.skips})

    assert f"capabilities: no fixture shows the hold {reason!r}" in found


def test_a_control_that_overrides_must_show_it():
    found = faults(case for case in CASES if not case.name.startswith("override"))

    assert "runAsNonRoot: the case override is missing" in found
    assert not any("resources" in fault for fault in found)


def test_a_hold_that_is_not_declared_is_a_fault():
    case = replace(CASES[0], control="capabilities", skips=[{"container": "app", "reason": "a bad day"}])

    assert "capabilities: the hold 'a bad day' is not declared" in faults([*CASES, case])


def test_a_misspelt_key_of_a_fixture_is_refused():
    with pytest.raises(ValueError, match=r"capabilities/case\.yaml: unknown keys \['skip'\]"):
        read_case("capabilities", "case", {"pod": {}, "skip": []})
