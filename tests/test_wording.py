"""Outcome -> sentences: lengths, control characters, and what is said about each cause."""

import pytest

from hardener.model import OptOut, OptOutCause, Outcome, Skip, Verdict, Write
from hardener.model.outcome import Mode
from hardener.wording import (
    WARNING_LENGTH,
    WARNINGS_LIMIT,
    changes,
    edit_path,
    hold,
    one_line,
    opt_out_cause,
    opt_out_subject,
    problems,
    warnings,
)
from tests.pods import pod

POD = pod("{spec: {containers: [{name: app}, {name: sidecar}]}}")
APP, SIDECAR = POD.containers


@pytest.mark.parametrize(
    "text", ["two\nlines", "a\ttab", "a\x00null", "a\x7fdelete", "a\u2028separator", "a\x1b[31mcolour"]
)
def test_control_characters_become_spaces_since_the_api_server_drops_such_a_warning(text):
    line = one_line(text)

    assert line.isprintable()
    assert len(line) == len(text)


def test_a_long_warning_is_cut_with_a_sign_that_it_was():
    line = one_line("x" * 500, WARNING_LENGTH)

    assert len(line) == WARNING_LENGTH
    assert line.endswith("x…")


def test_warnings_are_told_once_and_the_last_one_counts_the_rest():
    told = warnings([f"hardener: number {number}" for number in range(9)] + ["hardener: number 0"])

    assert len(told) == WARNINGS_LIMIT
    assert told[:4] == [f"hardener: number {number}" for number in range(4)]
    assert told[4].startswith("hardener: and 5 more")


def test_five_warnings_need_no_count():
    told = warnings([f"hardener: number {number}" for number in range(5)])

    assert told == [f"hardener: number {number}" for number in range(5)]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("securityContext", "runAsNonRoot"), "securityContext.runAsNonRoot"),
        (("spec", "volumes", 2), "spec.volumes[2]"),
        (("metadata", "annotations", "example.com/key"), 'metadata.annotations["example.com/key"]'),
        (("resources", "requests", "ephemeral-storage"), "resources.requests.ephemeral-storage"),
    ],
)
def test_a_path_is_written_as_people_write_it(path, text):
    assert edit_path(Write(POD, path, True, "because")) == text


@pytest.mark.parametrize(
    ("cause", "detail", "sentence"),
    [
        (OptOutCause.ACCEPTED, "", "accepted"),
        (OptOutCause.ACCEPTED, "2027-01-31", "accepted until 2027-01-31"),
        (OptOutCause.LOCKED, "", "the policy locks this control"),
        (OptOutCause.NO_REASON, "", "hardener.dev/opt-out-reason must say why"),
        (OptOutCause.NO_EXPIRY, "30", "hardener.dev/opt-out-until must name a day within 30 days"),
        (OptOutCause.BAD_EXPIRY, "soon", "hardener.dev/opt-out-until is 'soon', not a day such as 2027-01-31"),
        (OptOutCause.EXPIRED, "2026-01-31", "it ended on 2026-01-31"),
        (OptOutCause.TOO_FAR_AHEAD, "30", "hardener.dev/opt-out-until is more than 30 days ahead"),
        (OptOutCause.UNKNOWN_CONTROL, "", "no such control"),
        (OptOutCause.UNKNOWN_CONTROL, "resources", "no such control; did you mean resources?"),
    ],
)
def test_each_cause_says_what_would_mend_it(cause, detail, sentence):
    assert opt_out_cause(OptOut("resources", None, cause, detail)) == sentence


def test_every_cause_has_a_sentence():
    assert all(opt_out_cause(OptOut("resources", None, cause, "x")) for cause in OptOutCause)


def test_a_star_that_no_control_allows_says_that_all_are_locked():
    assert opt_out_cause(OptOut("*", None, OptOutCause.LOCKED)) == "the policy locks every control"


def test_subject_and_hold_name_the_container_or_the_pod():
    assert opt_out_subject(OptOut("resources", "app", OptOutCause.ACCEPTED)) == "resources(app)"
    assert opt_out_subject(OptOut("resources", None, OptOutCause.ACCEPTED)) == "resources(the pod)"
    assert hold("capabilities", Skip(APP, "no")) == "capabilities(app): no"
    assert hold("resources", Skip(POD, "no")) == "resources(the pod): no"


def test_problems_are_refused_opt_outs_and_internal_errors_only():
    outcome = Outcome(
        (Verdict("broken", Mode.ENFORCE, error=RuntimeError()), Verdict("fine", Mode.ENFORCE)),
        (OptOut("resources", None, OptOutCause.ACCEPTED), OptOut("resources", "app", OptOutCause.LOCKED)),
    )

    assert list(problems(outcome)) == [
        "hardener: opt-out resources(app) refused: the policy locks this control",
        "hardener: internal error in broken: it was left out",
    ]


def test_controls_that_reach_the_same_containers_share_a_sentence():
    def verdict(control, mode, *at):
        return Verdict(control, mode, tuple(Write(each, ("x",), True, "because") for each in at))

    outcome = Outcome(
        (
            verdict("one", Mode.ENFORCE, APP, SIDECAR),
            verdict("two", Mode.ENFORCE, APP, SIDECAR),
            verdict("three", Mode.DRY_RUN, SIDECAR),
            Verdict("four", Mode.ENFORCE, skips=(Skip(APP, "it cannot"),)),
            Verdict("five", Mode.DRY_RUN, skips=(Skip(APP, "it cannot"),)),
        )
    )

    assert list(changes(outcome)) == [
        "hardener: set one, two on app, sidecar",
        "hardener dry-run: would set three on sidecar",
        "hardener: held back four, five on app: it cannot",
    ]


def test_many_controls_are_told_in_as_many_sentences_as_their_names_need():
    verdicts = tuple(
        Verdict(f"aControlWithALongName{index}", Mode.ENFORCE, (Write(APP, ("x",), True, "because"),))
        for index in range(12)
    )

    sentences = list(changes(Outcome(verdicts)))

    assert all(len(sentence) <= WARNING_LENGTH for sentence in sentences)
    assert all(
        sum(verdict.control in sentence.replace(",", " ").split() for sentence in sentences) == 1
        for verdict in verdicts
    )
