"""The Pod Security Standards, as kube-apiserver decides them: one check a file in `checks`."""

from hardener.pss.check import Violation
from hardener.pss.level import Level
from hardener.pss.standing import Standing, stand

__all__ = ["Level", "Standing", "Violation", "stand"]
