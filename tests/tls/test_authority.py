from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hardener.tls.authority import (
    AUTHORITY_LIFE,
    SERVING_LIFE,
    due_at,
    make_authority,
    names_of,
    service_names,
    sign,
    spent_at,
)
from hardener.tls.clocks import Now
from hardener.tls.trust import pem_of
from tests.tls.handshakes import shakes_hands

MOMENT = datetime.now(UTC).replace(microsecond=0)
NOW = Now.at(MOMENT)
DAY = timedelta(days=1)
NAMES = (*service_names("hardener", "hardener-system"), "127.0.0.1", "::1")
AUTHORITY = make_authority(NOW, AUTHORITY_LIFE)
PAIR = sign(AUTHORITY, NAMES, NOW, SERVING_LIFE)
LEAF = x509.load_pem_x509_certificate(PAIR.certificate)


def extension(certificate, kind):
    return certificate.extensions.get_extension_for_class(kind)


def test_the_names_of_a_service_are_those_that_api_servers_and_people_use():
    assert service_names("web", "shop") == ("web.shop.svc", "web.shop", "web.shop.svc.cluster.local")


@pytest.mark.parametrize("name", NAMES)
def test_a_certificate_is_taken_for_each_of_its_names(name):
    assert shakes_hands(PAIR, pem_of(AUTHORITY.certificate), name)


def test_it_is_not_taken_for_another_name_nor_from_another_authority():
    other = make_authority(NOW, AUTHORITY_LIFE)

    assert not shakes_hands(PAIR, pem_of(AUTHORITY.certificate), "other.shop.svc")
    assert not shakes_hands(PAIR, pem_of(other.certificate), NAMES[0])
    assert shakes_hands(PAIR, pem_of(other.certificate) + pem_of(AUTHORITY.certificate), NAMES[0])


def test_names_may_be_as_long_as_kubernetes_lets_them_be():
    names = service_names("s" * 63, "n" * 63)

    assert shakes_hands(sign(AUTHORITY, names, NOW, DAY), pem_of(AUTHORITY.certificate), names[0])


def test_an_authority_signs_certificates_of_servers_and_nothing_else():
    constraints = extension(AUTHORITY.certificate, x509.BasicConstraints)
    usage = extension(AUTHORITY.certificate, x509.KeyUsage)

    assert (constraints.critical, constraints.value.ca, constraints.value.path_length) == (True, True, 0)
    assert (usage.critical, usage.value.key_cert_sign, usage.value.digital_signature) == (True, True, False)
    assert AUTHORITY.certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "hardener.dev"


def test_a_certificate_serves_and_signs_nothing():
    assert extension(LEAF, x509.BasicConstraints).value.ca is False
    assert extension(LEAF, x509.KeyUsage).value.key_cert_sign is False
    assert list(extension(LEAF, x509.ExtendedKeyUsage).value) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_keys_are_p256_and_every_one_is_new():
    keys = [each.public_key() for each in (AUTHORITY.certificate, LEAF)]
    keys += [x509.load_pem_x509_certificate(sign(AUTHORITY, NAMES, NOW, DAY).certificate).public_key()]

    assert all(isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp256r1" for key in keys)
    assert len({key.public_numbers() for key in keys}) == 3


def test_a_certificate_names_the_key_that_signed_it_and_serials_are_random():
    own = extension(AUTHORITY.certificate, x509.SubjectKeyIdentifier).value.digest
    again = x509.load_pem_x509_certificate(sign(AUTHORITY, NAMES, NOW, DAY).certificate)

    assert extension(LEAF, x509.AuthorityKeyIdentifier).value.key_identifier == own
    assert LEAF.issuer == AUTHORITY.certificate.subject
    assert min(LEAF.serial_number, again.serial_number) > 2**64
    assert LEAF.serial_number != again.serial_number


def test_authorities_have_names_of_their_own():
    assert make_authority(NOW, DAY).certificate.subject != make_authority(NOW, DAY).certificate.subject


@pytest.mark.parametrize(("certificate", "life"), [(AUTHORITY.certificate, AUTHORITY_LIFE), (LEAF, SERVING_LIFE)])
def test_it_is_valid_from_the_day_before_to_the_end_of_its_life(certificate, life):
    assert certificate.not_valid_before_utc == MOMENT - DAY
    assert certificate.not_valid_after_utc == MOMENT + life


def test_a_certificate_ends_with_its_authority():
    short = make_authority(NOW, 10 * DAY)
    leaf = x509.load_pem_x509_certificate(sign(short, NAMES, NOW, SERVING_LIFE).certificate)

    assert leaf.not_valid_after_utc == MOMENT + 10 * DAY


def test_a_third_of_the_life_is_left_when_it_is_due_and_little_when_it_is_spent():
    assert LEAF.not_valid_after_utc - due_at(LEAF) == 30 * DAY
    assert LEAF.not_valid_after_utc - spent_at(LEAF) == 3 * DAY
    assert AUTHORITY.certificate.not_valid_after_utc - due_at(AUTHORITY.certificate) > SERVING_LIFE


def test_new_ones_are_dated_by_the_clock_of_the_api_server():
    ahead = Now(here=MOMENT + 1000 * DAY, there=MOMENT)

    assert make_authority(ahead, DAY).certificate.not_valid_after_utc == MOMENT + DAY


def test_the_names_of_a_certificate_can_be_read_back():
    assert set(names_of(LEAF)) == {str(ip_address(name)) if ":" in name else name for name in NAMES}
    assert names_of(AUTHORITY.certificate) == ()
