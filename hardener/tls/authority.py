"""The authority of a self-managed installation, and the serving certificates that it signs: ECDSA on P-256.

Pure: the time is an argument. `cryptography` is imported at once here, unlike in `certificate`: who imports this module
is about to make or judge certificates anyway.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hardener.tls.certificate import COMMON_NAME, KeyPair, general_name
from hardener.tls.clocks import MARGIN, Now

ORGANIZATION = "hardener.dev"
"""What every authority of ours has in its subject, and by which it is known for one."""

AUTHORITY_LIFE = timedelta(days=365)
SERVING_LIFE = timedelta(days=90)

_PEM = serialization.Encoding.PEM


@dataclass(frozen=True, slots=True)
class Terms:
    """How long what is made is valid. A third of it is left when it is renewed: 122 days, and 30.

    The authority has then longer to go than any serving certificate that it signs.
    """

    authority: timedelta = AUTHORITY_LIFE
    serving: timedelta = SERVING_LIFE


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate that signs, and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def service_names(service: str, namespace: str) -> tuple[str, ...]:
    """The DNS names of a Service. The API server asks for `<service>.<namespace>.svc` (Kubernetes, pkg/util/webhook)."""
    return f"{service}.{namespace}.svc", f"{service}.{namespace}", f"{service}.{namespace}.svc.cluster.local"


def make_authority(now: Now, life: timedelta) -> Authority:
    """Make an authority that may sign serving certificates, and no other authorities."""
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    # Each has a name of its own: verifiers look for the issuer by name first, and people by date.
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
            x509.NameAttribute(
                NameOID.COMMON_NAME, f"{COMMON_NAME} authority {now.there:%Y-%m-%d} {serial % 2**32:08x}"
            ),
        ]
    )
    certificate = (
        _dated(x509.CertificateBuilder(subject, subject, key.public_key(), serial), now.there, now.there + life)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def sign(authority: Authority, names: Sequence[str], now: Now, life: timedelta) -> KeyPair:
    """Make a serving certificate for DNS names and IP addresses, which ends with its authority at the latest.

    The common name is not one of them: it holds 64 characters, and Go does not look at it.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = authority.certificate
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, COMMON_NAME)])
    end = min(now.there + life, issuer.not_valid_after_utc)
    builder = x509.CertificateBuilder(issuer.subject, subject, key.public_key(), x509.random_serial_number())
    certificate = (
        _dated(builder, now.there, end)
        .add_extension(x509.SubjectAlternativeName([general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
        .sign(authority.key, hashes.SHA256())
    )
    return KeyPair(certificate.public_bytes(_PEM), private_pem(key))


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key as PKCS 8 in PEM, without a passphrase."""
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def due_at(certificate: x509.Certificate) -> datetime:
    """When it has to be renewed: a third of its own life before its end, so that replicas with other terms agree."""
    return certificate.not_valid_after_utc - _life(certificate) / 3


def spent_at(certificate: x509.Certificate) -> datetime:
    """When it is used no longer, whatever stands in the way of another one: a thirtieth of its life before its end."""
    return certificate.not_valid_after_utc - _life(certificate) / 30


def names_of(certificate: x509.Certificate) -> tuple[str, ...]:
    """The DNS names and IP addresses that it is for."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.DuplicateExtension, x509.ExtensionNotFound, x509.UnsupportedGeneralNameType):
        return ()
    addresses = (str(address) for address in names.get_values_for_type(x509.IPAddress))
    return *names.get_values_for_type(x509.DNSName), *addresses


def _life(certificate: x509.Certificate) -> timedelta:
    return certificate.not_valid_after_utc - certificate.not_valid_before_utc - MARGIN


def _dated(builder: x509.CertificateBuilder, now: datetime, end: datetime) -> x509.CertificateBuilder:
    return builder.not_valid_before(now - MARGIN).not_valid_after(end)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
