import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from hardener.tls import self_signed
from hardener.tls.authority import ORGANIZATION, make_authority, sign
from hardener.tls.clocks import Now
from hardener.tls.trust import MOST, bundled, named, pem_of, published, read_authorities

MOMENT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOW = Now.at(MOMENT)
DAY = timedelta(days=1)
A, B, *MORE = [make_authority(Now.at(MOMENT + number * DAY), 100 * DAY).certificate for number in range(9)]
SIGNER = make_authority(NOW, 100 * DAY)


def pretender():
    """An authority with our name, which another key has signed."""
    key, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    subject = x509.Name([x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, ORGANIZATION)])
    return (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(MOMENT)
        .not_valid_after(MOMENT + DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(other, hashes.SHA256())
    )


NONE_OF_OURS = {
    "nothing": b"",
    "no PEM": b"trust me",
    "an empty block": b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    "a block that is no certificate": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    "the beginning of one": pem_of(A)[:200],
    "another's": self_signed(["localhost"], MOMENT, days=2).certificate,
    "a serving certificate of ours": sign(SIGNER, ["localhost"], NOW, DAY).certificate,
    "one that bears our name and is not signed by itself": pem_of(pretender()),
}


@pytest.mark.parametrize("case", NONE_OF_OURS)
def test_what_is_no_authority_of_ours_is_passed_over_and_the_rest_is_read(case):
    junk = NONE_OF_OURS[case]

    assert read_authorities(junk, NOW) == set()
    assert read_authorities(pem_of(A) + junk + b"\n" + pem_of(B), NOW) == {A, B}


def test_an_authority_that_is_past_is_none():
    assert read_authorities(pem_of(A), Now.at(MOMENT + 100 * DAY)) == {A}
    assert read_authorities(pem_of(A), Now.at(MOMENT + 101 * DAY)) == set()


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(st.binary(max_size=300), st.integers(0, 700), st.integers(0, 255))
def test_no_bytes_are_too_odd_to_be_read(junk, place, byte):
    damaged = bytearray(pem_of(A))
    damaged[place % len(damaged)] = byte

    assert read_authorities(bytes(damaged) + junk, NOW) <= {A}


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
def test_der_with_any_bit_flipped_is_read_or_passed_over():
    der = ssl.PEM_cert_to_DER_cert(pem_of(A).decode())
    for place in range(len(der)):
        damaged = bytearray(der)
        damaged[place] ^= 1 << place % 8

        # The signature covers all but its own frame.
        assert read_authorities(ssl.DER_cert_to_PEM_cert(bytes(damaged)).encode(), NOW) == set()


def test_the_same_authorities_give_the_same_bytes_the_newest_first():
    assert bundled([A, B]) == bundled([B], [A, B]) == pem_of(B) + pem_of(A)


def test_all_that_is_needed_is_kept_and_of_others_the_newest():
    assert bundled([A], [B, *MORE]).count(b"BEGIN") == MOST
    assert read_authorities(bundled([A], [B, *MORE]), NOW) == {A, *MORE[-4:]}
    assert read_authorities(bundled([A, B, *MORE]), NOW) == {A, B, *MORE}


def test_a_bundle_keeps_what_was_ours_and_loses_what_is_not():
    before = NONE_OF_OURS["another's"] + pem_of(A)

    assert published(before, pem_of(B), NOW) == pem_of(B) + pem_of(A)
    assert published(b"", pem_of(B), NOW) == pem_of(B)
    assert published(pem_of(A), pem_of(B), Now.at(MOMENT + 100 * DAY + timedelta(hours=1))) == pem_of(B)


def test_a_replica_that_has_not_heard_of_a_new_authority_does_not_take_it_out():
    late, early = pem_of(A), pem_of(B) + pem_of(A)

    assert published(published(late, early, NOW), late, NOW) == early


@given(st.permutations([pem_of(each) for each in (A, B, *MORE)]))
def test_the_order_of_writes_does_not_matter(pems):
    bundle = b""
    for pem in pems:
        bundle = published(bundle, pem, NOW)
    again = bundle
    for pem in (pem_of(A), pem_of(B)):
        again = published(again, pem, NOW)

    assert published(bundle, bundle, NOW) == bundle
    assert {pem_of(MORE[-1]), pems[-1]} <= named(bundle, NOW)
    assert {pem_of(A), pem_of(B)} & named(again, NOW)


def test_each_authority_of_a_bundle_is_named_by_its_own_pem():
    assert named(pem_of(A) + b"\n" + pem_of(B).replace(b"\n", b"\r\n"), NOW) == {pem_of(A), pem_of(B)}
