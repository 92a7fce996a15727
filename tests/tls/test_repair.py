"""A Secret that was damaged is made whole, around what is in use where somebody knows it."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from hardener.tls import self_signed
from hardener.tls.rotation import KEYS, Holding, Serving, is_good
from hardener.tls.trust import named
from tests.tls.world import EMPTY, MOMENT, NAMES, World

OTHERS = self_signed(NAMES, MOMENT, days=365)
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
