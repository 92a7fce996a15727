"""The sums that a report makes of its findings."""

from dataclasses import replace

from hardener.pss import Level
from hardener.report.report import State
from tests.cli.reports.reported import finding, namespace, report
from tests.report.findings import BARE, SAFE, assess_deployment

PRIVILEGED = "{spec: {hostNetwork: true, containers: [{name: app}]}}"


def test_the_worst_state_is_the_one_that_most_is_to_be_done_about():
    assert State.worst([State.IN_PLACE, State.HELD, State.UNHARDENED, State.OFF]) is State.UNHARDENED
    assert State.worst([State.OFF, State.IN_PLACE]) is State.IN_PLACE
    assert State.worst([]) is State.OFF
    assert {state.rank for state in State} == set(range(len(State)))


def test_pods_are_counted_and_workloads_without_any_are_not():
    whole = report(
        namespace("a", finding(BARE, pods=3), finding(SAFE, pods=2), replace(assess_deployment(BARE), name="idle")),
        namespace("b", finding(SAFE, pods=5)),
    )

    assert whole.pods == 10
    assert {state: whole.count(state) for state in State if whole.count(state)} == {
        State.UNHARDENED: 3,
        State.IN_PLACE: 7,
    }
    assert whole.coverage("resources") == {State.UNHARDENED: 3, State.IN_PLACE: 7, State.WOULD_CHANGE: 0}


def test_a_namespace_meets_the_level_that_all_in_it_meet_also_a_template_without_pods():
    mixed = namespace("a", finding(SAFE), replace(assess_deployment(BARE), name="idle"))

    assert (mixed.now, mixed.hardened) == (Level.BASELINE, Level.RESTRICTED)
    assert (namespace("empty").now, namespace("empty").hardened) == (Level.RESTRICTED, Level.RESTRICTED)


def test_an_empty_namespace_is_not_counted_among_those_that_can_enforce_a_level():
    whole = report(namespace("safe", finding(SAFE)), namespace("empty"))

    assert [each.name for each in whole.inhabited] == ["safe"]
    assert whole.able(Level.RESTRICTED, hardened=True) == 1


def test_a_namespace_that_meets_a_level_can_enforce_every_weaker_one():
    whole = report(
        namespace("safe", finding(SAFE)), namespace("bare", finding(BARE)), namespace("host", finding(PRIVILEGED))
    )

    assert [whole.able(level, hardened=False) for level in Level] == [3, 2, 1]
    assert [whole.able(level, hardened=True) for level in Level] == [3, 2, 2]
