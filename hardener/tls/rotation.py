"""What the Secret of a self-managed installation must hold, given what it holds, what is served, and the time. Pure.

The Secret holds one private key of an authority, that of the newest. When that authority is due, another one takes its
place at once, but signs nothing before it has stood in both webhook configurations for a while (`settled`). Until then
the certificate in use goes on, and so does the trust in the authority that signed it, until that one is past.
docs/decisions/0015-a-rotation-that-nobody-notices.md has the reasoning.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import verification

from hardener.tls.authority import Authority, Terms, due_at, make_authority, names_of, private_pem, sign, spent_at
from hardener.tls.certificate import KeyPair
from hardener.tls.clocks import Now
from hardener.tls.trust import UNREADABLE, bundled, pem_of, read_authorities

KEYS = ("tls.crt", "tls.key", "ca.crt", "ca.key")
"""Of the Secret's data; the first three are called so in every Secret of type kubernetes.io/tls."""


class Holding(NamedTuple):
    """What a Secret holds, in PEM; empty where it holds nothing.

    `authorities` are those that are trusted, and `authority_key` is the key of one of them.
    """

    certificate: bytes = b""
    key: bytes = b""
    authorities: bytes = b""
    authority_key: bytes = b""

    @classmethod
    def of(cls, data: Mapping[str, bytes]) -> "Holding":
        """From the data of a Secret, whose other keys are none of ours."""
        return cls(*(data.get(key, b"") for key in KEYS))

    def data(self) -> dict[str, bytes]:
        return dict(zip(KEYS, self, strict=True))

    @property
    def pair(self) -> KeyPair:
        return KeyPair(self.certificate, self.key)


class Serving(NamedTuple):
    """A pair to serve with, and the PEM of the authority that signed it."""

    pair: KeyPair
    authority: bytes


class Renewal(NamedTuple):
    """What the Secret must hold, and which pair of it to serve with.

    `reasons` say why that differs from what it held, and are empty where it does not. `found` is the pair that it held,
    if that is good; there is nothing else to serve with where the Secret cannot be written.
    """

    holding: Holding
    serving: Serving
    reasons: tuple[str, ...]
    found: Serving | None


def renewed(
    held: Holding,
    in_use: Serving | None,
    names: Sequence[str],
    now: Now,
    terms: Terms,
    settled: Container[bytes],
) -> Renewal:
    """Judge what a Secret holds, and renew what has to be renewed.

    `in_use` is what this replica serves with; `names` are DNS names and IP addresses; `settled` holds the PEM of every
    authority that the API servers have certainly come to trust.
    """
    used = set() if in_use is None else read_authorities(in_use.authority, now)
    known = read_authorities(held.authorities, now) | used
    authority = _signing(held.authority_key, known, now)
    found = serving = _judged(held.pair, known, names, now)
    reasons = []
    if serving is None and in_use is not None and is_good(in_use, names, now):
        reasons.append("it held no good serving certificate, and the one in use is put back")
        serving = in_use
    # What is made in doubt might be dated by the wrong clock, and can wait as long as there is something to serve.
    if serving is None or not now.is_doubtful:
        all_names = _with_former(names, held.pair, known, now)
        authority, serving, made = _made(authority, serving, all_names, now, terms, settled)
        reasons += made
    needed = {*read_authorities(serving.authority, now), *used}
    if authority is not None:
        needed.add(authority.certificate)
    key = b"" if authority is None else private_pem(authority.key)
    holding = Holding(*serving.pair, bundled(needed, known), key)
    if holding != held and not reasons:
        reasons.append("it did not hold just the authorities that are to be trusted")
    return Renewal(holding, serving, tuple(reasons), found)


def may_use(
    offered: Serving, in_use: Serving | None, names: Sequence[str], now: Now, settled: Container[bytes]
) -> bool:
    """Whether a replica may go over to another pair: not before it is trusted, unless what it has is good no longer."""
    return (
        in_use is None
        or offered.authority == in_use.authority
        or offered.authority in settled
        or not is_good(in_use, names, now)
    )


def is_good(serving: Serving, names: Sequence[str], now: Now) -> bool:
    """Whether a pair can be served with at this time: its authority verifies it for all the names."""
    return _judged(serving.pair, read_authorities(serving.authority, now), names, now) is not None


def _made(
    authority: Authority | None,
    serving: Serving | None,
    names: Sequence[str],
    now: Now,
    terms: Terms,
    settled: Container[bytes],
) -> tuple[Authority, Serving, list[str]]:
    """Make what is missing or due, and say why."""
    reasons = []
    if authority is not None and (reason := _reason_to_sign(serving, authority, now, settled)):
        reasons.append(reason)
        serving = _signed(authority, names, now, terms)
    if reason := _reason_to_replace(authority, serving, now):
        reasons.append(reason)
        authority = None
    authority = authority or make_authority(now, terms.authority)
    return authority, serving or _signed(authority, names, now, terms), reasons


def _reason_to_sign(serving: Serving | None, authority: Authority, now: Now, settled: Container[bytes]) -> str:
    """Why the authority should sign another pair; empty where it should not, or cannot."""
    if not _can_sign(authority, now):
        return ""
    if serving is None:
        return "it held no good serving certificate"
    signer = pem_of(authority.certificate)
    if serving.authority != signer:
        return "its new authority is trusted everywhere by now" if signer in settled else ""
    is_due = now.is_past(due_at(x509.load_pem_x509_certificate(serving.pair.certificate)))
    return "its serving certificate is due" if is_due else ""


def _reason_to_replace(authority: Authority | None, serving: Serving | None, now: Now) -> str:
    """Why there should be another authority; empty where there should not."""
    if authority is None:
        return "it held no authority with its key"
    if now.is_past(due_at(authority.certificate)):
        return "its authority is due"
    if serving is None and not _can_sign(authority, now):
        return "its authority is not valid by the API server's clock"
    return ""


def _can_sign(authority: Authority, now: Now) -> bool:
    certificate = authority.certificate
    return certificate.not_valid_before_utc <= now.there < certificate.not_valid_after_utc


def _signed(authority: Authority, names: Sequence[str], now: Now, terms: Terms) -> Serving:
    return Serving(sign(authority, names, now, terms.serving), pem_of(authority.certificate))


def _signing(key: bytes, authorities: Iterable[x509.Certificate], now: Now) -> Authority | None:
    """The authority whose key this is."""
    private = _private_key(key)
    if private is None:
        return None
    for each in authorities:
        if each.public_key() == private.public_key() and not now.is_to_come(each.not_valid_before_utc):
            return Authority(each, private)
    return None


def _judged(pair: KeyPair, authorities: Iterable[x509.Certificate], names: Sequence[str], now: Now) -> Serving | None:
    """The pair with the authority that verifies it for all the names, if there is one."""
    leaf = _leaf(pair, now)
    if leaf is None:
        return None
    for authority in authorities:
        if not now.is_to_come(authority.not_valid_before_utc) and _verifies(authority, leaf, names):
            return Serving(pair, pem_of(authority))
    return None


def _leaf(pair: KeyPair, now: Now) -> x509.Certificate | None:
    """The certificate of a pair, if the key is its own and it may be used at this time."""
    try:
        leaf = x509.load_pem_x509_certificate(pair.certificate)
        private = _private_key(pair.key)
        if private is None or leaf.public_key() != private.public_key():
            return None
    except UNREADABLE:
        return None
    if now.is_past(spent_at(leaf)) or now.is_to_come(leaf.not_valid_before_utc):
        return None
    return leaf


def _with_former(
    names: Sequence[str], pair: KeyPair, authorities: Iterable[x509.Certificate], now: Now
) -> tuple[str, ...]:
    """The names and those that the certificate before had, or replicas with different names would take turns for good."""
    leaf = _leaf(pair, now)
    if leaf is None:
        return tuple(names)
    former = names_of(leaf)
    is_ours = any(_verifies(authority, leaf, former) for authority in authorities)
    return tuple(dict.fromkeys((*names, *former))) if is_ours else tuple(names)


def _verifies(authority: x509.Certificate, leaf: x509.Certificate, names: Sequence[str]) -> bool:
    """Whether the API server would take the certificate for every name, dates aside, which two clocks have judged."""
    moment = max(leaf.not_valid_before_utc, authority.not_valid_before_utc)
    policy = verification.PolicyBuilder().store(verification.Store([authority])).time(moment)
    try:
        for name in names:
            policy.build_server_verifier(_subject(name)).verify(leaf, [])
    except (verification.VerificationError, *UNREADABLE):
        return False
    return bool(names)


def _subject(name: str) -> verification.Subject:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _private_key(pem: bytes) -> ec.EllipticCurvePrivateKey | None:
    try:
        key = load_pem_private_key(pem, None)
    except UNREADABLE:
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) else None
