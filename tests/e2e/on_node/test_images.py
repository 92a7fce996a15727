"""What becomes of images on a real node: they run hardened, or fail as documented, and the documented way brings them back."""

import pytest

from hardener.controls import CATALOGUE
from tests.e2e.on_node.behaviours import BEHAVIOURS
from tests.e2e.on_node.page import PAGE, page
from tests.e2e.on_node.trials import Trials

pytestmark = pytest.mark.timeout(300)  # the first test waits for the node as well

UNTOUCHED = {"NoNewPrivs": "0", "Seccomp": "0", "root": "rw", "tmp": "writable", "token": "present"}

SHOWN_BY = {
    "allowPrivilegeEscalation": {"NoNewPrivs": "1"},
    "automountServiceAccountToken": {"token": "absent"},
    "capabilities": {"CapEff": "0000000000000000"},
    "readOnlyRootFilesystem": {"root": "ro", "tmp": "writable"},
    "seccompProfile": {"Seccomp": "2"},
}
"""What a container says about itself where a control is in force."""

BREAKAGES = [(behaviour, control) for behaviour in BEHAVIOURS for control in behaviour.breaks]


def those(condition=None):
    chosen = [behaviour for behaviour in BEHAVIOURS if condition is None or condition(behaviour)]
    return pytest.mark.parametrize("behaviour", chosen, ids=lambda behaviour: behaviour.name)


@pytest.fixture(scope="module")
def trials(node):
    with Trials(node) as started:
        yield started


@those()
def test_an_image_runs_without_the_webhook_and_with_all_that_it_takes_away(trials, behaviour):
    verdict = trials.verdict(behaviour, "plain")

    assert verdict.runs, verdict
    for report in verdict.reports.values():
        assert report.items() >= UNTOUCHED.items()


@those(lambda behaviour: not behaviour.breaks)
def test_an_ordinary_image_runs_hardened_and_finds_itself_confined(trials, behaviour):
    verdict = trials.verdict(behaviour, "hardened")

    assert verdict.runs, verdict
    assert_in_force(verdict, without=behaviour.held)


@those(lambda behaviour: not behaviour.breaks)
def test_an_ordinary_image_that_is_insecure_by_intention_runs_on_confined_where_the_policy_overrides(trials, behaviour):
    verdict = trials.verdict(behaviour, "overridden")

    assert verdict.runs, verdict
    assert_in_force(verdict, without=behaviour.held)


@those(lambda behaviour: behaviour.breaks)
def test_an_image_that_needs_what_is_taken_away_fails(trials, behaviour):
    assert not trials.verdict(behaviour, "hardened").runs


@pytest.mark.parametrize(("behaviour", "control"), BREAKAGES, ids=lambda value: getattr(value, "name", value))
def test_a_documented_control_is_enough_to_break_the_image(trials, behaviour, control):
    assert not trials.verdict(behaviour, control).runs


@those(lambda behaviour: behaviour.breaks)
def test_the_documented_opt_out_brings_an_image_back_and_the_rest_stays_in_force(trials, behaviour):
    verdict = trials.verdict(behaviour, "opted-out")

    assert verdict.runs, verdict
    assert_in_force(verdict, without=() if behaviour.container else behaviour.breaks)


@those(lambda behaviour: behaviour.better)
def test_the_better_way_needs_no_opt_out(trials, behaviour):
    verdict = trials.verdict(behaviour, "better")

    assert verdict.runs, verdict


def test_every_control_is_seen_to_break_some_image():
    assert {control for _, control in BREAKAGES} == set(CATALOGUE)


def test_the_page_about_images_says_what_was_measured(trials, node, documents):
    documents.show(PAGE, page(trials, node.versions()))


def assert_in_force(verdict, without):
    """Each container that runs says about itself what the controls promise, `without` some of them."""
    for report in verdict.reports.values():
        for control, shown in SHOWN_BY.items():
            if control not in without:
                assert report.items() >= shown.items(), (control, report)
