"""Certificates: make one, judge one, and serve with one that may be replaced at any time."""

from hardener.tls.certificate import KeyPair, expires_at, self_signed, valid_at
from hardener.tls.serving import ServingCertificate

__all__ = ["KeyPair", "ServingCertificate", "expires_at", "self_signed", "valid_at"]
