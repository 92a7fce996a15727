"""AdmissionReview bytes <-> decisions: decode, respond, encode."""

from hardener.admission.answer import Answer, Result, encode
from hardener.admission.explain import Explained, Explanation, encode_explanation, explain
from hardener.admission.respond import respond
from hardener.admission.review import Review, WorkloadReview, decode, decode_workload

__all__ = [
    "Answer",
    "Explained",
    "Explanation",
    "Result",
    "Review",
    "WorkloadReview",
    "decode",
    "decode_workload",
    "encode",
    "encode_explanation",
    "explain",
    "respond",
]
