"""What a verifier is given to trust: authorities in PEM, one after the other, as in `ca.crt` and in a `caBundle`."""

import re
from collections.abc import Iterable
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

from hardener.tls.authority import ORGANIZATION
from hardener.tls.clocks import Now

MOST = 5
"""Authorities that are kept; who empties the Secret again and again must not make the bundle grow without end."""

UNREADABLE = (
    ValueError,
    TypeError,
    InvalidSignature,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.ExtensionNotFound,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises about bytes that are not what they should be."""

# A block that is cut off must not swallow the next.
_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")


def read_authorities(pem: bytes, now: Now) -> set[x509.Certificate]:
    """Those authorities in a PEM that are ours and not past. Whatever else is in it, readable or not, is passed over."""
    found = map(_authority, _BLOCK.findall(pem))
    return {each for each in found if each is not None and not now.is_past(each.not_valid_after_utc)}


def bundled(needed: Iterable[x509.Certificate], others: Iterable[x509.Certificate] = ()) -> bytes:
    """All that is needed and the newest of the others, as one PEM; the same authorities always give the same bytes."""
    chosen = set(needed)
    spare = sorted(set(others) - chosen, key=_age)
    chosen.update(spare[: max(0, MOST - len(chosen))])
    return b"".join(pem_of(certificate) for certificate in sorted(chosen, key=_age))


def published(bundle: bytes, authorities: bytes, now: Now) -> bytes:
    """What a `caBundle` must hold that now holds `bundle`: the authorities, and those of ours that were in it.

    Nothing of ours is ever taken out before it is past. A replica that has not yet heard of a new authority can
    therefore not take away the trust that another one has just added, and no order of writes is wrong.
    """
    return bundled(read_authorities(authorities, now), read_authorities(bundle, now))


def named(pem: bytes, now: Now) -> frozenset[bytes]:
    """Each authority in a PEM that is ours and not past, as a PEM of its own."""
    return frozenset(pem_of(certificate) for certificate in read_authorities(pem, now))


def pem_of(certificate: x509.Certificate) -> bytes:
    """By which an authority is named wherever several are told apart."""
    return certificate.public_bytes(Encoding.PEM)


@lru_cache(maxsize=16)
def _authority(block: bytes) -> x509.Certificate | None:
    """The certificate, if it is one and an authority of ours."""
    try:
        certificate = x509.load_pem_x509_certificate(block)
        organizations = certificate.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
        if [each.value for each in organizations] != [ORGANIZATION]:
            return None
        certificate.verify_directly_issued_by(certificate)
        is_authority = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except UNREADABLE:
        return None
    return certificate if is_authority else None


def _age(certificate: x509.Certificate) -> tuple[float, bytes]:
    """The newest first."""
    return -certificate.not_valid_before_utc.timestamp(), pem_of(certificate)
