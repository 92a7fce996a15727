"""All checks of version `latest`: each module of this package is one.

The rules are those of k8s.io/pod-security-admission v0.36, which is Kubernetes 1.36; each file names the upstream file that
its rule is from. Of checks that were changed over time only the last form is here.
"""

import importlib
import pkgutil

from hardener.pss.check import Check
from hardener.pss.level import Level


def _load() -> tuple[Check, ...]:
    names = [info.name for info in pkgutil.iter_modules(__path__)]
    checks: list[Check] = [importlib.import_module(f"{__name__}.{name}").CHECK for name in names]
    return tuple(sorted(checks, key=lambda check: (list(Level).index(check.level), check.name)))


CHECKS = _load()
"""In the order in which the API server tells of them: those of baseline first, each level's by name."""
