"""Opt-out annotations, judged word by word (design.md 4)."""

from datetime import date, timedelta

import pytest

from hardener.controls import CATALOGUE
from hardener.model import OptOut, OptOutCause
from hardener.policy.opt_out import CONTAINER_PREFIX, MOST_WORDS, OPT_OUT, REASON, SOON_DAYS, UNTIL, decide
from hardener.policy.policy import OptOutRules

TODAY = date(2026, 11, 22)
KNOWN = frozenset(CATALOGUE)
FREE = OptOutRules(KNOWN)


def judged(annotations, rules=FREE, today=TODAY):
    """What is decided, as (control, container, cause, detail)."""
    return [
        (each.control, each.container, each.cause, each.detail) for each in decide(annotations, rules, KNOWN, today)
    ]


def accepted(*controls, container=None):
    return [(control, container, OptOutCause.ACCEPTED, "") for control in controls]


def test_a_pod_without_opt_outs_has_no_decisions():
    assert judged({}) == []
    assert judged({REASON: "because", UNTIL: "2020-01-01", "hardener.dev/other": "resources"}) == []


@pytest.mark.parametrize("text", ["", " ", ",", ", ,\n", None])
def test_an_empty_opt_out_says_nothing(text):
    assert judged({OPT_OUT: text}) == []


@pytest.mark.parametrize(
    "text",
    ["resources,capabilities", "resources, capabilities", " resources\n  capabilities\t", "resources ,, capabilities,"],
)
def test_commas_and_white_space_part_words(text):
    assert judged({OPT_OUT: text}) == accepted("resources", "capabilities")


def test_a_word_that_is_said_twice_counts_once():
    assert judged({OPT_OUT: "resources, resources resources"}) == accepted("resources")


def test_a_container_opts_out_for_itself():
    found = judged({CONTAINER_PREFIX + "app": "capabilities", CONTAINER_PREFIX + "log": "capabilities resources"})

    assert found == [
        *accepted("capabilities", container="app"),
        *accepted("capabilities", "resources", container="log"),
    ]


def test_pod_and_container_may_say_the_same():
    found = judged({OPT_OUT: "resources", CONTAINER_PREFIX + "app": "resources"})

    assert found == [*accepted("resources"), *accepted("resources", container="app")]


def test_a_star_is_every_control():
    assert judged({OPT_OUT: "*"}) == accepted(*sorted(KNOWN))
    assert judged({CONTAINER_PREFIX + "app": "*"}) == accepted(*sorted(KNOWN), container="app")


def test_a_star_is_every_control_that_is_not_locked():
    rules = OptOutRules(frozenset({"resources", "seccompProfile"}))

    assert judged({OPT_OUT: "*"}, rules) == accepted("resources", "seccompProfile")


def test_a_star_where_all_is_locked_is_refused_as_it_stands():
    assert judged({OPT_OUT: "*"}, OptOutRules(frozenset())) == [("*", None, OptOutCause.LOCKED, "")]


def test_a_locked_control_is_refused_alone():
    rules = OptOutRules(KNOWN - {"capabilities"})

    assert judged({OPT_OUT: "capabilities, resources"}, rules) == [
        ("capabilities", None, OptOutCause.LOCKED, ""),
        *accepted("resources"),
    ]


@pytest.mark.parametrize(
    ("word", "nearest"),
    [
        ("readonlyrootfilesystem", "readOnlyRootFilesystem"),
        ("readOnlyRootFileSystem", "readOnlyRootFilesystem"),
        ("RESOURCES", "resources"),
        ("resource", "resources"),
        ("capabilites", "capabilities"),
        ("runAsNonRot", "runAsNonRoot"),
        ("seccomp_profile", "seccompProfile"),
        ("serviceAccountToken", "automountServiceAccountToken"),
        ("nonsense", ""),
        ("**", ""),
        ("all", ""),
    ],
)
def test_an_unknown_word_is_refused_with_the_nearest_control(word, nearest):
    assert judged({OPT_OUT: f"{word} capabilities"}) == [
        (word, None, OptOutCause.UNKNOWN_CONTROL, nearest),
        *accepted("capabilities"),
    ]


@pytest.mark.parametrize("reason", [None, "", " ", "\t\n "])
def test_a_reason_that_the_policy_requires_must_say_something(reason):
    annotations = {OPT_OUT: "resources"} if reason is None else {OPT_OUT: "resources", REASON: reason}

    assert judged(annotations, OptOutRules(KNOWN, require_reason=True)) == [
        ("resources", None, OptOutCause.NO_REASON, "")
    ]
    assert judged(annotations) == accepted("resources")


def test_a_reason_serves_every_word_of_the_pod():
    annotations = {OPT_OUT: "resources", CONTAINER_PREFIX + "app": "capabilities", REASON: "legacy image"}

    assert judged(annotations, OptOutRules(KNOWN, require_reason=True)) == [
        *accepted("resources"),
        *accepted("capabilities", container="app"),
    ]


@pytest.mark.parametrize(
    ("days", "cause"),
    [(-365, OptOutCause.EXPIRED), (-1, OptOutCause.EXPIRED), (0, OptOutCause.ACCEPTED), (1, OptOutCause.ACCEPTED)],
)
def test_an_opt_out_counts_up_to_its_last_day(days, cause):
    until = (TODAY + timedelta(days=days)).isoformat()

    assert judged({OPT_OUT: "resources", UNTIL: until}) == [("resources", None, cause, until)]


def test_white_space_around_the_last_day_is_no_mistake():
    assert judged({OPT_OUT: "resources", UNTIL: " 2026-11-22\n"})[0][2] is OptOutCause.ACCEPTED


@pytest.mark.parametrize(
    "text", ["tomorrow", "2027-13-01", "2027-02-29", "31.01.2027", "2027-01-31T00:00:00Z", "2027-1-31", "never", "0"]
)
@pytest.mark.parametrize("max_days", [None, 30])
def test_a_last_day_that_is_no_day_is_refused_with_its_text(text, max_days):
    rules = OptOutRules(KNOWN, max_days=max_days)

    assert judged({OPT_OUT: "resources", UNTIL: text}, rules) == [("resources", None, OptOutCause.BAD_EXPIRY, text)]


@pytest.mark.parametrize(
    ("days", "cause", "detail"),
    [
        (-1, OptOutCause.EXPIRED, "2026-11-21"),
        (0, OptOutCause.ACCEPTED, "2026-11-22"),
        (30, OptOutCause.ACCEPTED, "2026-12-22"),
        (31, OptOutCause.TOO_FAR_AHEAD, "30"),
        (10_000, OptOutCause.TOO_FAR_AHEAD, "30"),
    ],
)
def test_a_policy_may_bound_how_far_ahead_the_last_day_lies(days, cause, detail):
    until = (TODAY + timedelta(days=days)).isoformat()

    assert judged({OPT_OUT: "resources", UNTIL: until}, OptOutRules(KNOWN, max_days=30)) == [
        ("resources", None, cause, detail)
    ]


@pytest.mark.parametrize("until", [None, "", "  "])
def test_a_policy_with_a_bound_wants_a_last_day(until):
    annotations = {OPT_OUT: "resources"} if until is None else {OPT_OUT: "resources", UNTIL: until}

    assert judged(annotations, OptOutRules(KNOWN, max_days=30)) == [("resources", None, OptOutCause.NO_EXPIRY, "30")]
    assert judged(annotations) == accepted("resources")


@pytest.mark.parametrize(
    ("days", "soon"), [(0, True), (1, True), (SOON_DAYS, True), (SOON_DAYS + 1, False), (365, False)]
)
def test_an_opt_out_that_ends_within_a_fortnight_ends_soon(days, soon):
    annotations = {
        OPT_OUT: "resources",
        CONTAINER_PREFIX + "app": "*",
        UNTIL: (TODAY + timedelta(days=days)).isoformat(),
    }

    decisions = decide(annotations, FREE, KNOWN, TODAY)

    assert SOON_DAYS == 14
    assert len(decisions) == 1 + len(KNOWN)
    assert {decision.ends_soon for decision in decisions} == {soon}


@pytest.mark.parametrize(
    ("words", "until", "rules"),
    [
        ("resources", None, FREE),
        ("resources", "", FREE),
        ("resources", "2026-11-21", FREE),
        ("resources", "tomorrow", FREE),
        ("nonsense", "2026-11-22", FREE),
        ("resources", "2026-11-22", OptOutRules(frozenset())),
        ("resources", "2026-11-22", OptOutRules(KNOWN, require_reason=True)),
        ("resources", "2026-11-29", OptOutRules(KNOWN, max_days=3)),
    ],
)
def test_what_does_not_count_or_never_ends_does_not_end_soon(words, until, rules):
    annotations = {OPT_OUT: words} if until is None else {OPT_OUT: words, UNTIL: until}

    assert [decision.ends_soon for decision in decide(annotations, rules, KNOWN, TODAY)] == [False]


def test_the_last_day_of_all_is_far_ahead_but_no_error():
    annotations = {OPT_OUT: "resources", UNTIL: "9999-12-31"}

    assert judged(annotations, OptOutRules(KNOWN, max_days=10**6))[0][2] is OptOutCause.TOO_FAR_AHEAD
    assert judged(annotations)[0][2] is OptOutCause.ACCEPTED


def test_what_is_locked_or_unknown_stays_so_whatever_the_reason_and_day():
    rules = OptOutRules(KNOWN - {"capabilities"}, require_reason=True, max_days=1)
    found = judged({OPT_OUT: "capabilities nonsense resources"}, rules)

    assert [cause for _, _, cause, _ in found] == [
        OptOutCause.LOCKED,
        OptOutCause.UNKNOWN_CONTROL,
        OptOutCause.NO_REASON,
    ]


def test_only_one_cause_accepts():
    assert [cause for cause in OptOutCause if OptOut("resources", None, cause).accepted] == [OptOutCause.ACCEPTED]


def test_more_words_than_anybody_needs_are_counted_and_not_judged():
    words = " ".join(f"word{number}" for number in range(MOST_WORDS + 50))

    decisions = decide({OPT_OUT: words}, OptOutRules(KNOWN), KNOWN, TODAY)

    assert [decision.control for decision in decisions[:MOST_WORDS]] == words.split()[:MOST_WORDS]
    assert [decision.control for decision in decisions[MOST_WORDS:]] == ["and 50 more"]
    assert not any(decision.accepted for decision in decisions)
