"""Make and judge certificates. Pure: the time is an argument.

`cryptography` is imported where it is used: it costs eight megabytes and a part of the start, and only a server needs it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, NamedTuple

from hardener.errors import CertificateError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, GeneralName

COMMON_NAME = "hardener"

CLOCK_SKEW = timedelta(minutes=5)
"""How far a client's clock may be behind ours."""


class KeyPair(NamedTuple):
    """A certificate, with the chain above it where there is one, and its private key, both in PEM."""

    certificate: bytes
    key: bytes


def self_signed(names: Sequence[str], now: datetime, days: int) -> KeyPair:
    """Make a certificate that is its own authority, ECDSA on P-256, for DNS names and IP addresses.

    It is valid from a little before `now`, for `days` days.
    """
    from cryptography import x509  # noqa: PLC0415  costs memory; see the module
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415  as above
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415  as above
    from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415  as above

    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, COMMON_NAME)])
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return KeyPair(certificate.public_bytes(pem), secret)


def expires_at(certificate: bytes) -> datetime:
    """The moment, in UTC, after which the first certificate of a PEM no longer counts; raises CertificateError."""
    return _read(certificate).not_valid_after_utc


def valid_at(certificate: bytes, now: datetime) -> bool:
    """Whether the first certificate of a PEM is within its time; raises CertificateError where there is none."""
    leaf = _read(certificate)
    return leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc


def _read(certificate: bytes) -> "Certificate":
    from cryptography import x509  # noqa: PLC0415  costs memory; see the module

    try:
        return x509.load_pem_x509_certificate(certificate)
    except ValueError as error:
        raise CertificateError("it holds no certificate in PEM; put one there, the server's own first") from error


def general_name(name: str) -> "GeneralName":
    """A DNS name or an IP address as a certificate holds it."""
    from cryptography import x509  # noqa: PLC0415  costs memory; see the module

    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
