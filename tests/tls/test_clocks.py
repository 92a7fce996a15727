from datetime import UTC, datetime, timedelta

import pytest

from hardener.tls.clocks import MARGIN, Now

MOMENT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
YEAR = timedelta(days=365)


@pytest.mark.parametrize(
    ("here", "there", "past", "to_come"),
    [
        (MOMENT + YEAR, MOMENT + YEAR, True, False),
        (MOMENT - YEAR, MOMENT - YEAR, False, True),
        (MOMENT, MOMENT, False, False),
        (MOMENT + YEAR, MOMENT - YEAR, False, False),
        (MOMENT - YEAR, MOMENT + YEAR, False, False),
    ],
)
def test_a_moment_is_past_or_to_come_only_if_both_clocks_say_so(here, there, past, to_come):
    now = Now(here, there)

    assert (now.is_past(MOMENT), now.is_to_come(MOMENT)) == (past, to_come)


def test_clocks_may_differ_by_as_much_as_certificates_allow_for():
    assert not Now(MOMENT, MOMENT + MARGIN).is_doubtful
    assert Now(MOMENT, MOMENT + MARGIN + timedelta(seconds=1)).is_doubtful
    assert Now(MOMENT + YEAR, MOMENT).is_doubtful
