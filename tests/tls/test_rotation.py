"""What the Secret must hold, given what it holds, what is served, and the time."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from hardener.tls import KeyPair, self_signed, valid_at
from hardener.tls.authority import Terms, make_authority, names_of, private_pem, sign
from hardener.tls.clocks import Now
from hardener.tls.rotation import KEYS, Holding, Serving, is_good, may_use, renewed
from hardener.tls.trust import bundled, named, pem_of, read_authorities

MOMENT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
NAMES = ("hardener.hardener-system.svc", "hardener.hardener-system")
TERMS = Terms()
EMPTY = Holding()
OTHERS = self_signed(NAMES, MOMENT, days=365)
NOBODY = frozenset()


@dataclass
class World:
    """One Secret and one replica. `settled` is what API servers trust; time passes as a test says."""

    day: float = 0
    held: Holding = EMPTY
    in_use: Serving | None = None
    names: tuple[str, ...] = NAMES
    settled: set[bytes] = field(default_factory=set)

    @property
    def now(self):
        return Now.at(MOMENT + self.day * DAY)

    def look(self, **changes):
        """Write what a replica finds that must be written, and return why."""
        renewal = renewed(
            changes.get("held", self.held),
            self.in_use,
            changes.get("names", self.names),
            changes.get("now", self.now),
            TERMS,
            self.settled,
        )
        self.held = renewal.holding
        return renewal.reasons

    def serve(self):
        """Go over to what the Secret holds."""
        self.in_use = renewed(self.held, None, self.names, self.now, TERMS, NOBODY).serving

    def settle(self):
        """Time enough passes for every API server to hear of all authorities."""
        self.settled |= named(self.held.authorities, self.now)

    @property
    def authority(self):
        """The one whose key is held."""
        key = load_pem_private_key(self.held.authority_key, None).public_key()
        (found,) = [each for each in read_authorities(self.held.authorities, self.now) if each.public_key() == key]
        return pem_of(found)

    @property
    def signer(self):
        """The one that has signed the certificate that is held."""
        return renewed(self.held, None, self.names, self.now, TERMS, NOBODY).serving.authority


@pytest.fixture
def world():
    """A replica that serves what it has just made."""
    made = World()
    made.look()
    made.serve()
    made.settle()
    return made


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
    """Look twice a day, serve what is found and let authorities settle; return the reasons for all that was written."""
    reasons = []
    while world.day < until_day:
        world.day += 0.5
        reasons += world.look()
        if may_use(Serving(world.held.pair, world.signer), world.in_use, NAMES, world.now, world.settled):
            world.serve()
        if settles:
            world.settle()
    return reasons


def test_an_authority_is_replaced_four_months_before_its_end_and_the_new_one_signs_when_it_is_trusted(world):
    keep_renewing(world, 243)
    first = world.authority
    world.day = 243.5

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
    keep_renewing(world, 365)
    assert first in named(world.held.authorities, world.now)
    keep_renewing(world, 366)
    assert first not in named(world.held.authorities, world.now)
    assert len(named(world.held.authorities, world.now)) == 1


def test_whoever_could_not_look_for_a_month_still_serves_what_is_trusted(world):
    """However the month falls, and through two years of renewals."""
    sleeper = World(held=world.held, in_use=world.in_use)
    for _ in range(24):
        keep_renewing(world, world.day + 29)
        assert sleeper.in_use.authority in named(world.held.authorities, world.now)
        assert valid_at(sleeper.in_use.pair.certificate, world.now.here)
        sleeper.held, sleeper.day = world.held, world.day
        sleeper.serve()


def test_a_new_authority_that_never_gets_trusted_signs_when_there_is_nothing_else_left(world):
    keep_renewing(world, 243)
    first = world.authority
    reasons = keep_renewing(world, 340, settles=False)

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


DAMAGE = {
    "nothing": lambda _: EMPTY,
    "blanks": lambda _: Holding(b"\n", b"\n", b"\n", b"\n"),
    "junk": lambda _: Holding(b"a", b"b", b"c", b"d"),
    "no authority's key": lambda held: held._replace(authority_key=b""),
    "no authorities": lambda held: held._replace(authorities=b""),
    "no certificate": lambda held: held._replace(certificate=b""),
    "no key": lambda held: held._replace(key=b""),
    "half a certificate": lambda held: held._replace(certificate=held.certificate[:200]),
    "half a key": lambda held: held._replace(key=held.key[:100]),
    "half an authority": lambda held: held._replace(authorities=held.authorities[:200]),
    "the keys swapped": lambda held: held._replace(key=held.authority_key, authority_key=held.key),
    "the authority as certificate": lambda held: held._replace(certificate=held.authorities, key=held.authority_key),
    "another's pair": lambda held: held._replace(certificate=OTHERS.certificate, key=OTHERS.key),
    "all of another's": lambda _: Holding(OTHERS.certificate, OTHERS.key, OTHERS.certificate, OTHERS.key),
    "a key with a passphrase": lambda held: held._replace(key=with_passphrase(held.key)),
    "a key of another kind": lambda held: held._replace(key=of_another_kind()),
}


def with_passphrase(key):
    private, secret = load_pem_private_key(key, None), serialization.BestAvailableEncryption(b"secret")
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret)


def of_another_kind():
    private, secret = ed25519.Ed25519PrivateKey.generate(), serialization.NoEncryption()
    return private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_secret_is_made_whole_around_what_is_in_use(world, damage):
    """So that nothing that is served has to change, and what is served stays trusted."""
    before = world.in_use

    assert world.look(held=DAMAGE[damage](world.held)) != ()
    assert world.held.pair == before.pair
    assert before.authority in named(world.held.authorities, world.now)
    assert world.authority in named(world.held.authorities, world.now)
    assert world.look() == ()
    world.settle()
    world.look()
    assert world.signer == world.authority
    assert world.look() == ()


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_secret_of_which_nobody_remembers_anything_is_made_whole_too(world, damage):
    world.in_use = None

    assert world.look(held=DAMAGE[damage](world.held)) != ()
    assert is_good(Serving(world.held.pair, world.signer), NAMES, world.now)
    assert world.authority in named(world.held.authorities, world.now)
    assert world.look() == ()


@settings(deadline=None)
@given(st.sampled_from(KEYS), st.binary(max_size=40), st.integers(0, 300), st.booleans())
def test_no_damage_is_too_odd(key, junk, place, remembers):
    world = World()
    world.look()
    world.serve()
    world.in_use = world.in_use if remembers else None
    data = world.held.data()
    data[key] = data[key][:place] + junk + data[key][place + len(junk) :]

    world.look(held=Holding.of(data))
    assert is_good(Serving(world.held.pair, world.signer), NAMES, world.now)
    assert world.look() == ()


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


def test_a_pair_is_told_from_one_whose_key_is_another(world):
    other = sign(make_authority(world.now, DAY), NAMES, world.now, DAY)

    assert not is_good(Serving(KeyPair(world.held.certificate, other.key), world.authority), NAMES, world.now)
    assert not is_good(Serving(world.held.pair, b""), NAMES, world.now)
    assert not is_good(Serving(world.held.pair, world.authority), (), world.now)
