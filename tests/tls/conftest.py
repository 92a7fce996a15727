import pytest

from tests.tls.world import World


@pytest.fixture
def world():
    """A replica that serves what it has just made."""
    made = World()
    made.look()
    made.serve()
    made.settle()
    return made
