"""What the page counts together, what comes first, and where its lists end."""

from dataclasses import replace
from itertools import pairwise

import pytest

from hardener.cli.reports.details import DETAILS
from hardener.cli.reports.parts import ROWS
from hardener.cli.reports.sections import sections
from hardener.model import Mode, OptOutCause
from hardener.pss import Level
from hardener.report.report import Finding, Held, Namespace, Report, State, Word
from tests.browser.made_up import TAKEN_AT, cluster, large


@pytest.fixture(scope="module")
def made():
    return sections(cluster())


def report_of(*findings, mode=Mode.ENFORCE):
    return Report("c", TAKEN_AT, "0", ("runAsNonRoot",), (Namespace("shop", "standard", mode, findings),))


def finding(name="web", state=State.IN_PLACE, pods=1, **more):
    controls = {"runAsNonRoot": state}
    return Finding("Deployment", name, pods, (), state, controls, Level.RESTRICTED, Level.RESTRICTED, **more)


def test_the_levels_are_those_of_the_report(made):
    report = cluster()

    assert made.restricted == {
        "today": report.able(Level.RESTRICTED, hardened=False),
        "hardened": report.able(Level.RESTRICTED, hardened=True),
    }
    assert {each.of: each.number for each in made.levels["hardened"]} == {
        Level.RESTRICTED: 9,
        Level.BASELINE: 1,
        Level.PRIVILEGED: 3,
    }


def test_bars_are_full_and_their_segments_touch(made):
    bars = [segments for _, segments in made.coverage.values()] + [each.bar for each in made.overviews]

    for bar in bars:
        assert sum(segment.width for segment in bar) == pytest.approx(100)
        for before, after in pairwise(bar):
            assert after.start == pytest.approx(before.start + before.width)


def test_one_pod_of_thousands_is_still_seen():
    report = report_of(finding(pods=99_999), finding("job", State.UNHARDENED))
    (bar,) = [each.bar for each in sections(report).overviews]

    assert [(segment.of, segment.number) for segment in bar] == [(State.IN_PLACE, 99_999), (State.UNHARDENED, 1)]
    assert bar[1].width > 0.7


def test_unhardened_workloads_with_most_pods_come_first(made):
    assert [(place.namespace.name, place.finding.name) for place in made.unhardened.rows] == [
        ("checkout", "worker"),
        ("shop", "assets"),
        ("payments", "settlement"),
    ]


def test_a_workload_without_pods_runs_nothing_unhardened():
    assert sections(report_of(finding(state=State.UNHARDENED, pods=0))).unhardened.rows == []


def test_opt_outs_that_are_refused_come_first_and_then_those_that_end_soon(made):
    assert [(word.accepted, word.ends_soon) for _, word in made.opt_outs.rows] == [
        (False, False),
        (False, False),
        (False, False),
        (True, True),
        (True, False),
    ]
    assert (made.refused, made.ending) == (3, 1)


def test_what_is_held_back_for_one_reason_is_counted_together(made):
    (row,) = [each for each in made.held.rows if each.reason.startswith("the container works on the host")]

    assert row.controls == ["capabilities", "readOnlyRootFilesystem", "runAsNonRoot"]
    assert (row.pods, row.workloads, row.namespaces) == (18, 2, 2)
    assert [place.finding.name for place in row.examples.rows] == ["fluent-bit", "node-exporter"]


def test_a_workload_with_two_holds_for_one_reason_counts_once():
    held = tuple(Held("runAsNonRoot", container, "runAsUser is 0") for container in ("a", "b"))
    (row,) = sections(report_of(finding(state=State.HELD, pods=5, held=held))).held.rows

    assert (row.pods, row.workloads, row.namespaces) == (5, 1, 1)


def test_a_workload_whose_pods_differ_is_one_workload():
    held = (Held("runAsNonRoot", "web", "runAsUser is 0"),)
    made = sections(report_of(*[finding(pods=pods, state=State.HELD, held=held) for pods in (3, 4)]))

    assert [(row.pods, row.workloads) for row in made.held.rows] == [(7, 1)]
    assert made.holding == 1
    assert len(made.overviews[0].entries) == 2


def test_checks_are_counted_as_they_fail_now_and_hardened(made):
    rows = {each.check: each for each in made.checks.rows}

    assert rows["hostPathVolumes"].workloads == rows["hostPathVolumes"].workloads_hardened == 4
    assert rows["seccompProfile"].workloads > rows["seccompProfile"].workloads_hardened
    assert [each.workloads_hardened for each in made.checks.rows] == sorted(
        (each.workloads_hardened for each in made.checks.rows), reverse=True
    )


def test_a_roll_out_begins_where_nothing_changes_and_ends_where_most_may_break(made):
    assert [[(each.name, risky) for _, each, risky in step.namespaces.rows] for step in made.steps] == [
        [("website", 0)],
        [("search", 0)],
        [("ml-training", 1), ("legacy-crm", 2)],
    ]


def test_where_all_is_enforced_there_is_no_order():
    assert sections(report_of(finding(), finding("job", State.UNHARDENED))).steps == []


def test_what_needs_a_person_comes_first_in_the_details():
    findings = [finding(state.name, state) for state in State]
    broken = finding("failed", State.OFF, errors=("internal error in runAsNonRoot: it was left out",))
    (overview,) = sections(report_of(*findings, broken)).overviews

    assert [entry.finding.name for entry in overview.entries] == [
        "failed",
        "UNHARDENED",
        "WOULD_CHANGE",
        "HELD",
        "OPTED_OUT",
        "EXEMPT",
        "IN_PLACE",
        "OFF",
    ]


def test_what_is_the_same_for_some_controls_and_containers_is_said_once():
    held = tuple(
        Held(control, container, "the container is privileged")
        for control in ("capabilities", "runAsNonRoot")
        for container in ("a", "b", "c", "d", "e", "f")
    )
    (overview,) = sections(report_of(finding(state=State.HELD, held=held))).overviews
    (line,) = overview.entries[0].lines.rows

    assert line.subjects == ["capabilities", "runAsNonRoot"]
    assert (line.containers.rows, line.containers.left_out) == (("a", "b", "c", "d"), 2)
    assert line.text == "the container is privileged"


def test_lists_end_and_say_how_many_they_leave_out():
    words = tuple(Word(f"word-{index}", "", OptOutCause.UNKNOWN_CONTROL, "no such control") for index in range(1000))
    made = sections(report_of(finding(opt_outs=words)))

    assert (len(made.opt_outs.rows), made.opt_outs.left_out) == (ROWS, 1000 - ROWS)
    assert made.refused == 1000


def test_details_are_shared_among_namespaces_and_the_rest_is_counted_by_state():
    made = sections(large(namespaces=100, workloads=30))
    overview = made.overviews[0]

    assert len(overview.entries) == DETAILS // 100
    assert overview.left_out == {State.WOULD_CHANGE: 5}
    assert sum(len(each.entries) for each in made.overviews) <= DETAILS


def test_a_report_without_namespaces_has_empty_sections():
    made = sections(replace(cluster(), namespaces=()))

    assert made.overviews == []
    assert made.levels == {"today": [], "hardened": []}
    assert all(segments == [] for _, segments in made.coverage.values())
