"""stand(pod) -> Standing: which level of the Pod Security Standards a pod meets, and what keeps it from the next."""

from collections.abc import Mapping
from dataclasses import dataclass

from hardener.pss.check import Violation
from hardener.pss.checks import CHECKS
from hardener.pss.level import Level
from hardener.pss.manifest import read
from hardener.pss.pod import view


@dataclass(frozen=True, slots=True)
class Standing:
    """What was found about one pod: the violations of baseline come first, each level's by name."""

    violations: tuple[Violation, ...] = ()

    @property
    def level(self) -> Level:
        """The strictest level whose checks, and those of the weaker ones, all pass."""
        broken = {violation.level for violation in self.violations}
        if Level.BASELINE in broken:
            return Level.PRIVILEGED
        return Level.BASELINE if broken else Level.RESTRICTED


def stand(pod: Mapping[str, object]) -> Standing:
    """Judge a pod or a pod template, as JSON holds it, by the rules of version `latest` of Kubernetes 1.36.

    The answer is that of kube-apiserver's PodSecurity admission to a pod which it would make, defaults included. What it
    would not make for other reasons is judged by what it says; one without containers breaks nothing. Raises MisfitError
    where the pod is not shaped as the API server wants it.
    """
    seen = view(read(pod))
    found = (check.violation(seen) for check in CHECKS)
    return Standing(tuple(violation for violation in found if violation is not None))
