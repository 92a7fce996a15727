"""The vocabulary: what a pod is, what a decision is, what a control is."""

from hardener.model.control import ON_WINDOWS, Control
from hardener.model.facts import STANDALONE, UNKNOWN, Facts, LimitRange, Quota
from hardener.model.manifest import PodManifest
from hardener.model.outcome import (
    Exempt,
    Finding,
    Mode,
    OptOut,
    OptOutCause,
    Outcome,
    Path,
    Skip,
    Value,
    Verdict,
    Write,
)
from hardener.model.pod import ALL_CAPABILITIES, Annotations, Container, Pod
from hardener.model.quantity import parse_quantity

__all__ = [
    "ALL_CAPABILITIES",
    "ON_WINDOWS",
    "STANDALONE",
    "UNKNOWN",
    "Annotations",
    "Container",
    "Control",
    "Exempt",
    "Facts",
    "Finding",
    "LimitRange",
    "Mode",
    "OptOut",
    "OptOutCause",
    "Outcome",
    "Path",
    "Pod",
    "PodManifest",
    "Quota",
    "Skip",
    "Value",
    "Verdict",
    "Write",
    "parse_quantity",
]
