from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from hardener.errors import CertificateError
from hardener.tls import expires_at, self_signed, valid_at

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PAIR = self_signed(["localhost", "127.0.0.1", "::1"], NOW, days=30)


def test_a_self_signed_certificate_names_hosts_and_addresses():
    certificate = x509.load_pem_x509_certificate(PAIR.certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value

    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("127.0.0.1"), ip_address("::1")]


def test_a_self_signed_certificate_has_a_p256_key():
    key = x509.load_pem_x509_certificate(PAIR.certificate).public_key()

    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"


def test_it_expires_after_its_days():
    assert expires_at(PAIR.certificate) == NOW + timedelta(days=30)


@pytest.mark.parametrize(
    ("at", "valid"),
    [
        (NOW - timedelta(days=1), False),
        (NOW - timedelta(minutes=4), True),
        (NOW, True),
        (NOW + timedelta(days=30), True),
        (NOW + timedelta(days=30, seconds=1), False),
    ],
)
def test_it_is_valid_from_its_first_to_its_last_moment(at, valid):
    assert valid_at(PAIR.certificate, at) is valid


@pytest.mark.parametrize("content", [b"", b"no PEM", PAIR.key])
def test_what_is_no_certificate_is_said_to_be_none(content):
    with pytest.raises(CertificateError, match="no certificate in PEM"):
        expires_at(content)
