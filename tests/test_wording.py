"""Outcome -> sentences: lengths, control characters, and what is said about each cause."""

import pytest

from hardener.model import Exempt, Mode, OptOut, OptOutCause, Outcome, Skip, Verdict, Write
from hardener.policy.builtin import BUILTIN
from hardener.policy.config import Doubt, Selection
from hardener.wording import (
    DRY_RUN,
    WARNING_LENGTH,
    WARNINGS_LIMIT,
    Sentence,
    Topic,
    changes,
    doubts,
    edit_path,
    endings,
    exempted,
    held_back,
    hold,
    one_line,
    opt_out_cause,
    opt_out_subject,
    opted_out,
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


def notes(*texts):
    return [Sentence(Topic.NOTE, text) for text in texts]


def test_warnings_are_told_once_and_the_last_one_counts_the_rest():
    told = warnings(notes(*(f"number {number}" for number in range(9)), "number 0"))

    assert len(told) == WARNINGS_LIMIT
    assert told[:4] == [f"hardener: number {number}" for number in range(4)]
    assert told[4] == "hardener: and 5 more, which `hardener preview` and the audit log show"


def test_five_warnings_need_no_count():
    told = warnings(notes(*(f"number {number}" for number in range(5))))

    assert told == [f"hardener: number {number}" for number in range(5)]


def test_every_warning_says_who_speaks_and_whether_it_is_in_earnest():
    assert warnings(notes("set x on app", f"{DRY_RUN} would set y on app")) == [
        "hardener: set x on app",
        "hardener dry-run: would set y on app",
    ]


def test_a_warning_is_cut_to_its_length_and_made_one_line():
    (told,) = warnings(notes("a\nb" * 100))

    assert told.startswith("hardener: a ba ba b")
    assert len(told) == WARNING_LENGTH
    assert told.endswith("…")


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
        (OptOutCause.UNKNOWN_CONTROL, "resources", "did you mean resources?"),
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
        (Topic.REFUSED, "opt-out resources(app) refused: the policy locks this control"),
        (Topic.FAILED, "internal error in broken: it was left out"),
    ]


def writing(control, mode, *places):
    return Verdict(control, mode, tuple(Write(at, ("x",), True, "because") for at in places))


MIXED = Outcome(
    (
        writing("one", Mode.ENFORCE, APP, SIDECAR),
        writing("two", Mode.ENFORCE, APP, SIDECAR),
        writing("three", Mode.DRY_RUN, SIDECAR),
        writing("four", Mode.DRY_RUN, POD),
        Verdict("five", Mode.ENFORCE, skips=(Skip(APP, "it cannot"),)),
        Verdict("six", Mode.DRY_RUN, skips=(Skip(APP, "it cannot"), Skip(SIDECAR, "it cannot"))),
    )
)


def test_controls_that_reach_the_same_containers_share_a_sentence():
    assert list(changes(MIXED)) == [
        (Topic.CHANGE, "set one, two on app, sidecar"),
        (Topic.CHANGE, "dry-run: would set three on sidecar"),
        (Topic.CHANGE, "dry-run: would set four on the pod"),
    ]


def test_of_pods_that_are_still_to_be_made_it_speaks_in_the_future():
    assert [text for _, text in changes(MIXED, beforehand=True)] == [
        "will set one, two on app, sidecar",
        "dry-run: would set three on sidecar",
        "dry-run: would set four on the pod",
    ]


def test_what_is_held_back_for_the_same_reason_shares_a_sentence():
    assert list(held_back(MIXED)) == [
        (Topic.HELD, "held back five, six on app: it cannot"),
        (Topic.HELD, "held back six on sidecar: it cannot"),
    ]


def test_containers_whose_names_take_too_much_room_are_counted_each_set_for_itself():
    crowd = pod(f"{{spec: {{containers: [{', '.join(f'{{name: container-{number}}}' for number in range(5))}]}}}}")
    first, *others = crowd.containers
    outcome = Outcome(
        (
            writing("one", Mode.ENFORCE, first, *others[:-1]),
            writing("two", Mode.ENFORCE, *others),
            writing("three", Mode.ENFORCE, *others),
            writing("four", Mode.ENFORCE, first, others[0]),
        )
    )

    assert [text for _, text in changes(outcome)] == [
        "set one on 4 containers",
        "set two, three on 4 containers",
        "set four on container-0, container-1",
    ]


def test_a_single_container_is_named_however_long_its_name_is():
    lone = pod(f"{{spec: {{containers: [{{name: {'n' * 63}}}]}}}}")

    assert [text for _, text in changes(Outcome((writing("one", Mode.ENFORCE, *lone.containers),)))] == [
        f"set one on {'n' * 63}"
    ]


def test_what_a_control_only_takes_away_is_told_of_the_pod():
    removal = Write(APP, ("volumeMounts", 0), None, "because", "remove")

    assert [text for _, text in changes(Outcome((Verdict("token", Mode.ENFORCE, (removal,)),)))] == [
        "set token on the pod"
    ]


def test_many_controls_are_told_in_as_many_sentences_as_their_names_need():
    verdicts = tuple(writing(f"aControlWithALongName{index}", Mode.ENFORCE, APP) for index in range(12))

    sentences = [text for _, text in changes(Outcome(verdicts))]

    assert len(sentences) > 1
    assert all(len(f"hardener: {sentence}") <= WARNING_LENGTH for sentence in sentences)
    assert all(
        sum(verdict.control in sentence.replace(",", " ").split() for sentence in sentences) == 1
        for verdict in verdicts
    )


OPT_OUTS = Outcome(
    (),
    (
        OptOut("one", None, OptOutCause.ACCEPTED),
        OptOut("two", None, OptOutCause.ACCEPTED, "2027-01-31"),
        OptOut("three", "app", OptOutCause.ACCEPTED, "2026-12-01", ends_soon=True),
        OptOut("four", "app", OptOutCause.ACCEPTED, "2026-12-01", ends_soon=True),
        OptOut("five", None, OptOutCause.EXPIRED, "2020-01-31"),
    ),
)


def test_accepted_opt_outs_are_told_with_their_last_day():
    assert list(opted_out(OPT_OUTS)) == [
        (Topic.OPTED_OUT, "opted out of one on the pod"),
        (Topic.OPTED_OUT, "opted out of two on the pod until 2027-01-31"),
        (Topic.OPTED_OUT, "opted out of three, four on app until 2026-12-01"),
    ]


def test_opt_outs_that_end_soon_say_what_happens_then():
    assert list(endings(OPT_OUTS)) == [
        (Topic.ENDING, "the opt-out of three, four on app ends on 2026-12-01: pods made later are hardened")
    ]


def test_what_is_exempt_is_told_with_the_key_of_the_line():
    outcome = Outcome(exempt=(Exempt(SIDECAR, "exempt.containers[1]", "config.yaml:7"),))

    assert list(exempted(outcome)) == [(Topic.EXEMPT, "sidecar is exempt by exempt.containers[1]")]


STANDARD = BUILTIN["standard"]


@pytest.mark.parametrize(
    ("selection", "told"),
    [
        (Selection(STANDARD, 0), []),
        (Selection(STANDARD, None, by_label=True), []),
        (
            Selection(STANDARD, 0, doubt=Doubt.REFUSED_LABEL, label="non\ne" + "x" * 90),
            ["the namespace's hardener.dev/policy=non e" + "x" * 34 + "… is not selectable: policy standard applies"],
        ),
        (
            Selection(STANDARD, 0, doubt=Doubt.UNKNOWN_LABELS),
            ["the namespace's labels are not known yet: nothing is enforced"],
        ),
    ],
    ids=["a rule", "the label", "a refused label", "unknown labels"],
)
def test_what_stood_in_the_way_of_choosing_a_policy_is_told(selection, told):
    assert list(doubts(selection)) == [(Topic.DOUBT, text) for text in told]


def test_every_doubt_has_a_sentence():
    assert all(list(doubts(Selection(STANDARD, None, doubt=doubt))) for doubt in Doubt)
