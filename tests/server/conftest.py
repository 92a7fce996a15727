import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime

import pytest
import uvloop

from hardener.server.running import Options
from hardener.tls import self_signed
from tests.server.serving import QUICK, Webhook


@pytest.fixture
async def serve():
    """Starts servers, and stops them at the end of the test."""
    async with AsyncExitStack() as stack:

        async def start(**options):
            webhook = Webhook(Options(**{"limits": QUICK, **options}))
            await webhook.start()
            stack.push_async_callback(webhook.close)
            return webhook

        yield start


@pytest.fixture
async def webhook(serve):
    """A server with the embedded configuration."""
    return await serve()


@pytest.fixture
def certificate(tmp_path):
    pair = self_signed(["localhost", "127.0.0.1"], datetime.now(UTC), days=1)
    (tmp_path / "tls.crt").write_bytes(pair.certificate)
    (tmp_path / "tls.key").write_bytes(pair.key)
    return tmp_path / "tls.crt"


def pytest_asyncio_loop_factories(config, item):
    """Run each test on the loop that is used in earnest, and those of the bounds on its stand-in as well."""
    factories = {"uvloop": uvloop.new_event_loop}
    if item.path.stem == "test_bounds":
        factories["asyncio"] = asyncio.new_event_loop
    return factories
