"""What the Secret must hold, given what it holds, what is served, and the time."""

from cryptography import x509

from hardener.tls import KeyPair, valid_at
from hardener.tls.authority import make_authority, names_of, private_pem, sign
from hardener.tls.rotation import KEYS, Holding, Serving, is_good, may_use
from hardener.tls.trust import bundled, named
from tests.tls.world import DAY, EMPTY, MOMENT, NAMES, NOBODY, World


def test_an_empty_secret_gets_an_authority_and_a_certificate_that_it_has_signed():
    world = World()

    assert world.look() == ("it held no authority with its key",)
    assert world.signer == world.authority == world.held.authorities
    assert is_good(Serving(world.held.pair, world.authority), NAMES, world.now)
    assert tuple(world.held.data()) == KEYS == ("tls.crt", "tls.key", "ca.crt", "ca.key")


def test_nothing_is_done_twice_and_nothing_before_it_is_due(world):
    before = world.held
    for world.day in (0, 1, 59.9):
        assert world.look() == ()
    assert world.held == before


def test_a_certificate_is_renewed_a_month_before_its_end_by_the_same_authority(world):
    before, world.day = world.held, 60.1

    assert world.look() == ("its serving certificate is due",)
    assert world.held.authorities == before.authorities
    assert world.held.authority_key == before.authority_key
    assert world.held.certificate != before.certificate
    assert world.look() == ()


def keep_renewing(world, until_day, *, settles=True):
    """Look every other day, serve what is found and let authorities settle; return the reasons for all that was written."""
    reasons = []
    while world.day < until_day:
        world.day += 2
        reasons += world.look()
        if may_use(Serving(world.held.pair, world.signer), world.in_use, NAMES, world.now, world.settled):
            world.serve()
        if settles:
            world.settle()
    return reasons


def test_an_authority_is_replaced_four_months_before_its_end_and_the_new_one_signs_when_it_is_trusted(world):
    keep_renewing(world, 242)
    first, world.day = world.authority, 243.5

    assert world.look() == ("its authority is due",)
    second = world.authority
    assert second != first
    assert named(world.held.authorities, world.now) == {first, second}
    assert world.signer == first

    assert world.look() == ()
    world.settle()
    assert world.look() == ("its new authority is trusted everywhere by now",)
    assert world.signer == second
    assert named(world.held.authorities, world.now) == {first, second}
    assert world.look() == ()


def test_the_former_authority_is_trusted_until_its_own_end(world):
    first = world.authority
    keep_renewing(world, 364)
    assert first in named(world.held.authorities, world.now)
    keep_renewing(world, 366)
    assert first not in named(world.held.authorities, world.now)
    assert len(named(world.held.authorities, world.now)) == 1


def test_whoever_could_not_look_for_a_month_still_serves_what_is_trusted(world):
    """However the month falls, and through a year of renewals."""
    sleeper = World(held=world.held, in_use=world.in_use)
    for _ in range(13):
        keep_renewing(world, world.day + 28)
        assert sleeper.in_use.authority in named(world.held.authorities, world.now)
        assert valid_at(sleeper.in_use.pair.certificate, world.now.here)
        sleeper.held, sleeper.day = world.held, world.day
        sleeper.serve()


def test_a_new_authority_that_never_gets_trusted_signs_when_there_is_nothing_else_left(world):
    keep_renewing(world, 242)
    first = world.authority
    reasons = keep_renewing(world, 300, settles=False)

    assert reasons == ["its authority is due", "it held no good serving certificate"]
    assert world.signer == world.authority != first


def test_a_cluster_that_slept_for_years_begins_anew(world):
    before, world.day = world.held, 2000

    assert world.look() == ("it held no authority with its key",)
    assert is_good(Serving(world.held.pair, world.signer), NAMES, world.now)
    assert len(named(world.held.authorities, world.now)) == 1
    assert world.held.authorities != before.authorities


def test_a_certificate_whose_authority_is_about_to_end_lasts_no_longer(world):
    world.day, world.in_use = 360, None

    world.look()
    assert world.signer in named(world.held.authorities, world.now)
    leaf = x509.load_pem_x509_certificate(world.held.certificate)
    assert world.now.here < leaf.not_valid_after_utc <= MOMENT + 365 * DAY


def test_without_the_authoritys_key_there_is_a_new_one_which_waits_for_trust(world):
    """It is also the way to a new authority before its time: delete the Secret."""
    first = world.authority

    assert world.look(held=EMPTY) == (
        "it held no good serving certificate, and the one in use is put back",
        "it held no authority with its key",
    )
    assert world.signer == first != world.authority
    world.settle()
    assert world.look() == ("its new authority is trusted everywhere by now",)


def test_two_replicas_that_start_at_once_take_over_what_the_faster_one_has_written():
    fast, slow = World(), World()
    fast.look()
    slow.look()
    assert fast.held != slow.held

    slow.held = fast.held
    assert slow.look() == ()
    assert slow.signer == fast.authority


def test_a_replica_sees_to_the_trust_in_what_it_serves(world):
    """Another one has begun anew, without knowing that there was anything."""
    stranger = World()
    stranger.look()

    assert world.look(held=stranger.held) == ("it did not hold just the authorities that are to be trusted",)
    assert world.held.pair == stranger.held.pair
    assert named(world.held.authorities, world.now) == {world.in_use.authority, stranger.authority}


def test_a_replica_waits_with_what_another_authority_has_signed(world):
    stranger = World()
    stranger.look()
    offered = Serving(stranger.held.pair, stranger.authority)

    assert not may_use(offered, world.in_use, NAMES, world.now, NOBODY)
    assert may_use(offered, world.in_use, NAMES, world.now, {stranger.authority})
    assert may_use(offered, None, NAMES, world.now, NOBODY)
    assert may_use(Serving(offered.pair, world.in_use.authority), world.in_use, NAMES, world.now, NOBODY)
    world.day = 88
    assert may_use(offered, world.in_use, NAMES, world.now, NOBODY)


def test_what_is_in_use_is_put_down_three_days_before_its_end(world):
    world.day = 86.9
    assert is_good(world.in_use, NAMES, world.now)
    world.day = 87.1
    assert not is_good(world.in_use, NAMES, world.now)


def test_a_certificate_for_other_names_is_replaced_at_once(world):
    world.look(names=("hardener.elsewhere.svc",))

    assert names_of(x509.load_pem_x509_certificate(world.held.certificate)) == ("hardener.elsewhere.svc", *NAMES)


def test_replicas_with_different_names_do_not_take_turns(world):
    """As while an upgrade changes the name of the Service."""
    before, other = world.held, World(names=("new.hardener-system.svc",))
    assert other.look(held=before) == ("it held no good serving certificate",)

    world.in_use = None
    assert world.look(held=other.held) == ()
    assert other.look() == ()


def test_addresses_are_names_too():
    world = World(names=("127.0.0.1", "::1"))
    world.look()

    assert is_good(Serving(world.held.pair, world.authority), world.names, world.now)
    assert not is_good(Serving(world.held.pair, world.authority), ("127.0.0.2",), world.now)
    assert world.look() == ()


def test_what_an_authority_of_ours_was_made_for_by_somebody_else_is_not_served(world):
    """A certificate that no server may use."""
    authority = make_authority(world.now, 365 * DAY)
    other = make_authority(world.now, 365 * DAY)
    pair = sign(other, NAMES, world.now, 90 * DAY)
    held = Holding(*pair, bundled([authority.certificate]), private_pem(authority.key))

    assert world.look(held=held)[0] == "it held no good serving certificate, and the one in use is put back"


def test_a_pair_is_told_from_one_whose_key_is_another(world):
    other = sign(make_authority(world.now, DAY), NAMES, world.now, DAY)

    assert not is_good(Serving(KeyPair(world.held.certificate, other.key), world.authority), NAMES, world.now)
    assert not is_good(Serving(world.held.pair, b""), NAMES, world.now)
    assert not is_good(Serving(world.held.pair, world.authority), (), world.now)
