from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
import uvloop

from hardener.cluster import Bounds, Cluster
from tests.cluster.api_double import ApiDouble
from tests.cluster.parts import Lines, Time, credentials_for

QUICK = Bounds(ask_seconds=2.0)
"""A busy machine must not look like an API server that does not answer."""


@pytest.fixture
async def api():
    async with ApiDouble() as double:
        yield double


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def lines():
    return Lines()


@pytest.fixture
async def start(api, time, lines):
    """Starts clusters that watch the double, and waits until they are synced unless told otherwise."""
    async with AsyncExitStack() as stack:

        async def begin(wait=True, credentials=None, **bounds):
            cluster = Cluster(
                credentials or credentials_for(api.url), log=lines, bounds=replace(QUICK, **bounds), pace=time.pace
            )
            await stack.enter_async_context(cluster)
            assert not wait or await cluster.wait_until_synced(10)
            return cluster

        yield begin


def pytest_asyncio_loop_factories(config, item):
    """The loop that is used in earnest."""
    return {"uvloop": uvloop.new_event_loop}
