"""Two profiles: the usual one is quick, HYPOTHESIS_PROFILE=thorough looks long. No example has a deadline."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

THOROUGH = "thorough"

_ALIKE = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    # Pods are large: to explain a failure would take longer than the test's timeout.
    phases=[phase for phase in Phase if phase is not Phase.explain],
)
_profile = os.environ.get("HYPOTHESIS_PROFILE", "usual")

# In CI the same examples each time: a change is judged by what it changes.
settings.register_profile("usual", _ALIKE, max_examples=100, derandomize="CI" in os.environ)
settings.register_profile(THOROUGH, _ALIKE, max_examples=3000)
settings.load_profile(_profile)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Take the time limit away from a thorough run."""
    if _profile == THOROUGH:
        for item in items:
            item.add_marker(pytest.mark.timeout(0))
