"""AdmissionReview bytes <-> decisions: decode, respond, encode."""

from hardener.admission.answer import Answer, Result, encode
from hardener.admission.respond import respond
from hardener.admission.review import Review, decode

__all__ = ["Answer", "Result", "Review", "decode", "encode", "respond"]
