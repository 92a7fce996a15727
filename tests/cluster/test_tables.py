"""The tables alone: which of two words about a namespace is the later one, and what is forgotten when."""

import pytest

from hardener.cluster.bounds import Backoff, Bounds, Pace
from hardener.cluster.resources import NAMESPACES
from hardener.cluster.tables import Table, Tables
from hardener.model import UNKNOWN, LimitRange
from tests.cluster.parts import Time

OLD, NEW = (LimitRange("Pod", max={"cpu": 1}),), (LimitRange("Pod", max={"cpu": 2}),)


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def tables(time):
    """Listed at position 10, with the namespace `shop`."""
    made = Tables(Bounds(remembered=3), time.pace.clock)
    made.replace(made.namespaces, {"shop": {"shop": {"team": "a"}}}, 10)
    for table in (made.limit_ranges, made.quotas, made.accounts):
        made.replace(table, {}, 10)
    return made


def test_an_answer_stands_until_the_watch_has_come_as_far(tables):
    tables.put(tables.limit_ranges, "shop", "limits", OLD, 11)
    tables.answer(tables.limit_ranges, "shop", {"limits": NEW}, 20)
    assert tables.facts("shop").limit_ranges == NEW
    tables.put(tables.limit_ranges, "shop", "limits", None, 15)
    assert tables.facts("shop").limit_ranges == NEW
    tables.put(tables.limit_ranges, "shop", "limits", OLD, 21)
    assert tables.facts("shop").limit_ranges == OLD


def test_an_answer_that_is_behind_the_watch_says_nothing(tables):
    tables.put(tables.limit_ranges, "shop", "limits", NEW, 21)
    tables.answer(tables.limit_ranges, "shop", {"limits": OLD}, 20)
    assert tables.facts("shop").limit_ranges == NEW


def test_a_bookmark_ends_an_answer_too(tables):
    tables.answer(tables.limit_ranges, "shop", {}, 20)
    assert tables.limit_ranges.is_answered("shop")
    tables.limit_ranges.advance(20)
    assert not tables.limit_ranges.is_answered("shop")


def test_a_store_that_was_brought_back_to_an_older_state_makes_answers_worthless(tables):
    tables.limit_ranges.advance(1000)
    tables.answer(tables.limit_ranges, "shop", {"limits": NEW}, 1001)
    tables.replace(tables.limit_ranges, {"shop": {"limits": OLD}}, 500)
    assert tables.facts("shop").limit_ranges == OLD


def test_only_so_many_answers_are_kept(tables):
    for number in range(5):
        tables.answer(tables.namespaces, f"team-{number}", {f"team-{number}": {}}, 20)
    kept = [f"team-{number}" for number in range(5) if tables.facts(f"team-{number}") is not UNKNOWN]
    assert kept == ["team-2", "team-3", "team-4"]


def test_a_namespace_that_goes_takes_what_was_answered_about_it_along(tables):
    tables.answer(tables.limit_ranges, "shop", {"limits": OLD}, 20)
    tables.put(tables.namespaces, "shop", "shop", None, 30)
    assert tables.facts("shop") is UNKNOWN
    tables.put(tables.namespaces, "shop", "shop", {}, 31)
    assert tables.facts("shop").limit_ranges == ()


def test_the_end_of_a_former_namespace_does_not_end_the_one_of_its_name_that_was_answered(tables):
    tables.answer(tables.namespaces, "shop", {"shop": {"team": "b"}}, 40)
    tables.put(tables.namespaces, "shop", "shop", None, 30)
    assert tables.facts("shop").labels == {"team": "b"}


def test_a_namespace_that_appears_is_young_for_some_seconds(tables, time):
    tables.put(tables.namespaces, "fresh", "fresh", {"team": "b"}, 11)
    assert not tables.facts("fresh").known
    assert tables.facts("fresh").labels == {"team": "b"}
    time.now += 9.9
    assert not tables.settled("fresh").known
    time.now += 0.2
    assert tables.settled("fresh").known
    assert tables.facts("fresh").known


def test_a_namespace_that_a_later_list_shows_first_is_young_too(tables):
    tables.replace(tables.namespaces, {"shop": {"shop": {}}, "fresh": {"fresh": {}}}, 12)
    assert not tables.facts("fresh").known
    assert tables.facts("shop").known


def test_a_namespace_that_changes_is_not_young(tables):
    tables.put(tables.namespaces, "shop", "shop", {"team": "b"}, 11)
    assert tables.facts("shop").known


def test_a_namespace_that_was_asked_for_is_not_young_once_the_watch_shows_it(tables):
    tables.answer(tables.namespaces, "fresh", {"fresh": {}}, 11)
    tables.put(tables.namespaces, "fresh", "fresh", {}, 11)
    assert tables.facts("fresh").known


def test_the_young_are_forgotten_in_time(tables, time):
    for number in range(100):
        tables.put(tables.namespaces, f"team-{number}", f"team-{number}", {}, 11 + number)
        time.now += 1
    assert sum(tables.is_young(f"team-{number}") for number in range(100)) == 10


def test_all_is_complete_once_everything_was_listed(time):
    tables = Tables(Bounds(), time.pace.clock)
    for table in (tables.namespaces, tables.limit_ranges, tables.quotas):
        tables.replace(table, {}, 1)
    assert not tables.complete.is_set()
    tables.replace(tables.accounts, {}, 1)
    assert tables.complete.is_set()


def test_an_empty_table_tells_nothing_from_not_known():
    table = Table(NAMESPACES, 1)
    assert table.of("shop") is None
    table.replace({}, 1)
    assert table.of("shop") == {}


def test_pauses_differ_between_replicas_by_up_to_a_half():
    shortest = Backoff(Bounds(), Pace(random=lambda: 0.999999))
    longest = Backoff(Bounds(), Pace(random=lambda: 0.0))
    for expected in (0.2, 0.4, 0.8):
        assert longest.next() == expected
        assert shortest.next() == pytest.approx(expected / 2, rel=0.001)
    for _ in range(2000):
        assert longest.next() <= 30
