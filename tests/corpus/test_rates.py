"""No change may harden less of the corpus unnoticed."""

from copy import deepcopy

from tests.corpus import baseline
from tests.corpus.rates import WRITTEN, losses, measure, table_of


def test_no_control_hardens_less_than_the_baseline(record_property):
    rates, committed = measure(), baseline.read()
    record_property("summary", table_of(rates, committed))

    assert losses(rates, committed) == []


def test_a_control_that_hardens_less_is_named_with_the_command_to_run():
    committed = baseline.read()
    worse = deepcopy(committed)
    worse["controls"]["capabilities"][WRITTEN] -= 1

    [loss] = losses(worse, committed)
    assert loss.startswith("capabilities hardened")
    assert "make baseline" in loss


def test_another_corpus_is_not_compared():
    committed = baseline.read()

    [loss] = losses({**committed, "pods": 7}, committed)
    assert "the corpus has 7 pods" in loss
