"""Single objects: read, changed unless somebody else was faster, and followed, over real HTTP."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest

from hardener.cluster import Bounds
from hardener.cluster.api_server import ApiError, ApiServer
from hardener.cluster.objects_by_name import Follower
from hardener.cluster.tls_objects import Registered, Stored, TlsSecret, WebhookConfiguration
from tests.cluster.faults import body, cut, expired, line, pieces, status
from tests.cluster.objects_double import ObjectsDouble
from tests.cluster.parts import Lines, credentials_for
from tests.cluster.store import (
    CONFIGURATION_NAME,
    MUTATING,
    NAMESPACE,
    SECRET,
    SECRET_NAME,
    VALIDATING,
    Store,
)
from tests.server.serving import until

MOMENT = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
async def double():
    async with ObjectsDouble(Store()) as started:
        started.store.install("pods", "others")
        yield started


@pytest.fixture
async def api(double, time):
    server = ApiServer(credentials_for(double.url), Bounds(), time.pace, Lines())
    await server.open()
    yield server
    await server.close()


@pytest.fixture
def secret(api):
    return TlsSecret(api, NAMESPACE, SECRET_NAME)


@pytest.fixture
def configuration(api):
    return WebhookConfiguration(api, "mutating", CONFIGURATION_NAME)


async def test_a_secret_without_data_is_empty(secret, double):
    assert await secret.read() == Stored(str(double.store.objects[SECRET]["metadata"]["resourceVersion"]), {})


async def test_what_is_written_to_a_secret_can_be_read_and_the_rest_of_it_stays(secret, double):
    double.store.set_data({"note": b"mine", "tls.crt": b"old"})

    assert await secret.write(await secret.read(), {"tls.crt": b"\x00new", "tls.key": b""})
    assert (await secret.read()).data == {"note": b"mine", "tls.crt": b"\x00new", "tls.key": b""}
    assert double.sent[-1][0] == "application/strategic-merge-patch+json"


async def test_a_secret_that_is_not_there_is_made_with_its_type(secret, double):
    double.store.delete(SECRET)
    found = await secret.read()
    assert found == Stored()

    assert await secret.write(found, {"tls.crt": b"new", "tls.key": b"key"})
    assert double.store.objects[SECRET]["type"] == "Opaque"
    assert (await secret.read()).data == {"tls.crt": b"new", "tls.key": b"key"}


async def test_of_two_who_write_at_once_one_is_told_that_the_other_was_faster(secret, double):
    found = await secret.read()
    assert [await secret.write(found, {"a": value}) for value in (b"1", b"2")] == [True, False]
    assert double.store.data() == {"a": b"1"}

    double.store.delete(SECRET)
    assert [await secret.write(Stored(), {"a": value}) for value in (b"3", b"4")] == [True, False]
    assert double.store.data() == {"a": b"3"}


async def test_what_was_deleted_meanwhile_counts_as_changed(secret, configuration, double):
    stored, registered = await secret.read(), await configuration.read()
    double.store.delete(SECRET)
    double.store.delete(MUTATING)

    assert not await secret.write(stored, {"a": b"1"})
    assert not await configuration.write(registered, {"pods": b"1"})
    assert await configuration.read() is None


async def test_a_namespace_that_is_gone_is_told(secret, double):
    double.store.delete(SECRET)
    double.faults.append(status(404, 'namespaces "hardener-system" not found'))

    with pytest.raises(ApiError, match="not found"):
        await secret.write(Stored(), {"a": b"1"})


async def test_the_bundles_of_a_configuration_are_read_and_written_by_webhook(configuration, double):
    before = double.store.objects[MUTATING]
    found = await configuration.read()
    assert found == Registered(before["metadata"]["resourceVersion"], {"pods": b"", "others": b""})

    assert await configuration.write(found, {"others": b"trust"})
    assert (await configuration.read()).bundles == {"pods": b"", "others": b"trust"}
    assert double.store.objects[MUTATING]["webhooks"][1]["clientConfig"] == {"url": "https://a", "caBundle": "dHJ1c3Q="}
    assert not await configuration.write(found, {"pods": b"late"})


async def test_both_kinds_of_configurations_are_reached(api, double):
    await WebhookConfiguration(api, "validating", CONFIGURATION_NAME).read()
    assert double.asked == [("GET", VALIDATING)]


@pytest.mark.parametrize(
    "fault",
    [
        status(403, "secrets is forbidden"),
        status(500),
        body(b"<html>", "text/html"),
        body(b'{"metadata": {"name": "a"}}'),
        body(b'{"metadata": {"name": "a", "resourceVersion": "1"}, "data": {"tls.crt": "&"}}'),
        body(b'{"metadata": {"name": "a", "resourceVersion": "1"}, "data": []}'),
        cut(b'{"metadata"'),
    ],
    ids=["403", "500", "html", "versionless", "no-base64", "misshapen", "cut-off"],
)
async def test_what_cannot_be_read_names_the_object(secret, double, fault):
    double.faults.append(fault)
    with pytest.raises(ApiError, match=SECRET):
        await secret.read()


async def test_a_refused_write_says_why(secret, double):
    found = await secret.read()
    double.faults.append(status(422, "field is immutable when `immutable` is set"))
    with pytest.raises(ApiError, match="422 field is immutable"):
        await secret.write(found, {"a": b"1"})


async def test_the_time_is_that_of_the_api_server_and_goes_on_with_a_steady_clock(api, secret, double, time):
    assert api.time is None
    double.date = MOMENT
    await secret.read()
    time.now += 90

    assert api.time == MOMENT + timedelta(seconds=90)


@pytest.mark.parametrize("date", ["", "soon", "Tue, 01 Jan 2030 12:00:00 -0000", "Tue, 32 Jan 2030 12:00:00 GMT"])
async def test_a_time_that_cannot_be_read_is_none(api, secret, double, date):
    double.date = date
    await secret.read()

    assert api.time is None


class Followed:
    """What a follower has told."""

    def __init__(self):
        self.calls = 0
        self.lines = Lines()

    def changed(self):
        self.calls += 1


@pytest.fixture
async def follow(api, time):
    """Follows objects until the test is over."""
    async with AsyncExitStack() as stack:

        def begin(followed):
            told = Followed()
            task = asyncio.create_task(Follower(followed, told.changed, Bounds(), time.pace, told.lines).run())

            async def end():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

            stack.push_async_callback(end)
            return told

        yield begin


async def test_a_follower_tells_what_is_there_and_every_change_of_it(secret, follow, double):
    told = follow(secret.object)
    await until(lambda: told.calls == 1)
    double.store.set_data({"a": b"1"})
    await until(lambda: told.calls == 2)
    double.store.delete(SECRET)
    await until(lambda: told.calls == 3)
    double.store.put(MUTATING, webhooks=[])
    double.store.set_data({"a": b"2"})
    await until(lambda: told.calls == 4)

    (query,) = double.watched
    assert (query["fieldSelector"], query["resourceVersion"]) == (f"metadata.name={SECRET_NAME}", "0")
    assert told.lines.written == []


async def test_what_is_not_there_yet_can_be_followed(configuration, follow, double):
    double.store.delete(MUTATING)
    told = follow(configuration.object)
    await until(lambda: double.watching == 1)
    assert told.calls == 0
    double.store.put(MUTATING, webhooks=[])
    await until(lambda: told.calls == 1)


async def test_bookmarks_are_no_changes(secret, follow, double):
    bookmark = line("BOOKMARK", {"metadata": {"resourceVersion": "7"}})
    double.watch_faults.append(pieces(bookmark, bookmark))
    told = follow(secret.object)
    await until(lambda: double.watching == 1 and told.calls)

    assert told.calls == 1


@pytest.mark.parametrize(
    "fault",
    [
        status(403, "cannot watch"),
        status(500),
        body(b"not JSON\n"),
        body(expired()),
        body(b""),
        cut(b'{"type"'),
    ],
    ids=["403", "500", "no-json", "expired", "nothing", "cut-off"],
)
async def test_a_watch_that_fails_is_tried_again_and_told_once(secret, follow, double, time, fault):
    double.watch_faults.extend([fault] * 3)
    told = follow(secret.object)
    await until(lambda: double.watching == 1 and told.calls)

    assert time.slept[:3] == [0.2, 0.4, 0.8]
    assert [message for _, message, _ in told.lines.written] == [
        "a watch failed and is tried again",
        "a watch works again",
    ]


async def test_a_bug_does_not_end_a_follower(secret, double, time):
    calls, lines = [], Lines()

    def changed():
        calls.append(None)
        if len(calls) == 1:
            raise RuntimeError("a bug")

    task = asyncio.create_task(Follower(secret.object, changed, Bounds(), time.pace, lines).run())
    await until(lambda: len(calls) == 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert lines.messages("error") == ["a watch failed inside"]
