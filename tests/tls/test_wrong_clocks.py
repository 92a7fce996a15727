"""Clocks that jump by ten years: ours, the API server's, or both."""

import pytest

from hardener.tls import valid_at
from hardener.tls.clocks import Now
from hardener.tls.rotation import Holding, Serving, is_good
from hardener.tls.trust import named
from tests.tls.world import DAY, EMPTY, MOMENT, NAMES, World

YEARS = 3650 * DAY


@pytest.mark.parametrize("here", [MOMENT - YEARS, MOMENT + YEARS])
@pytest.mark.parametrize("is_ours", [True, False])
def test_a_clock_that_jumps_changes_nothing(world, here, is_ours):
    now = Now(here, MOMENT) if is_ours else Now(MOMENT, here)
    before = world.held

    assert world.look(now=now) == ()
    assert world.held == before
    assert is_good(world.in_use, NAMES, now)


@pytest.mark.parametrize("there", [MOMENT - YEARS, MOMENT + YEARS])
def test_where_there_is_nothing_to_serve_the_clock_of_the_api_server_decides(world, there):
    world.in_use = None

    assert "its authority is not valid by the API server's clock" in world.look(
        held=world.held._replace(certificate=b""), now=Now(MOMENT, there)
    )
    assert valid_at(world.held.certificate, there)


@pytest.mark.parametrize("there", [MOMENT - YEARS, MOMENT + YEARS])
def test_while_clocks_are_in_doubt_nothing_new_is_made_that_can_wait(world, there):
    """The Secret is lost, and the API server that is asked has a wrong clock, or this machine has."""
    before = world.in_use

    assert world.look(held=EMPTY, now=Now(MOMENT, there)) == (
        "it held no good serving certificate, and the one in use is put back",
    )
    assert world.held == Holding(*before.pair, before.authority, b"")
    assert world.look(now=Now(there, MOMENT)) == ()
    assert world.look() == ("it held no authority with its key",)


@pytest.mark.parametrize("there", [MOMENT - YEARS, MOMENT + YEARS])
def test_an_authority_that_a_wrong_clock_has_dated_does_not_stay(world, there):
    """The Secret was lost, nothing was served, and the API server that was asked had a wrong clock."""
    stranger = World()
    stranger.look(now=Now(MOMENT, there))
    assert valid_at(stranger.held.certificate, there)

    world.look(held=stranger.held)
    assert world.held.authority_key != stranger.held.authority_key
    assert world.held.pair == world.in_use.pair
    assert world.in_use.authority in named(world.held.authorities, world.now)
    world.settle()
    world.look()
    assert world.signer == world.authority
    assert world.look() == ()


@pytest.mark.parametrize("shift", [-3650, 3650])
def test_when_all_clocks_jump_forth_and_back_there_is_a_good_certificate_at_any_time(world, shift):
    for world.day in (shift, 0):
        world.look()
        assert is_good(Serving(world.held.pair, world.signer), NAMES, world.now)
        world.serve()
