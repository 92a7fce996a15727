"""The task that goes round: when it does, and what does not end it."""

import asyncio
from datetime import UTC, datetime

import pytest

from hardener.cluster import Pace
from tests.cluster.store import CONFIGURATIONS, MUTATING, SECRET, Store
from tests.server.replicas import Replica, is_in_order
from tests.server.serving import until


@pytest.fixture
def store():
    made = Store(datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
    made.install()
    return made


class HandTime:
    """A clock that only a test moves on, and sleep that lasts until then."""

    def __init__(self):
        self.now = 0.0
        self.sleeping = []

    async def sleep(self, seconds):
        sleep = (self.now + seconds, seconds, asyncio.Event())
        self.sleeping.append(sleep)
        try:
            await sleep[2].wait()
        finally:
            self.sleeping.remove(sleep)

    def pass_by(self, seconds):
        self.now += seconds
        for due_at, _, woken in self.sleeping:
            if due_at <= self.now:
                woken.set()

    @property
    def pauses(self):
        """The lengths of the sleeps that are being slept."""
        return sorted(seconds for _, seconds, woken in self.sleeping if not woken.is_set())

    @property
    def pace(self):
        return Pace(clock=lambda: self.now, sleep=self.sleep, random=lambda: 0.0)


@pytest.fixture
def hand():
    return HandTime()


@pytest.fixture
async def running(store, hand):
    """A replica whose task runs."""
    replica = Replica(store, pace=hand.pace)
    task = asyncio.create_task(replica.managed.run())
    yield replica
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert store.listeners == []


def looks(replica):
    return replica.connection.asked.count(("GET", SECRET))


async def rest(hand, running):
    """Let what its own writes have begun come to its end."""
    await until(lambda: running.certificate.pem and hand.pauses == [0.5])
    hand.pass_by(0.5)
    await until(lambda: hand.pauses in ([0.5], [60.0]))
    while hand.pauses == [0.5]:
        hand.pass_by(0.5)
        await until(lambda: hand.pauses in ([0.5], [60.0]))


async def test_a_change_is_seen_to_without_a_pause(store, hand, running):
    await rest(hand, running)
    store.set_bundle(MUTATING, b"")

    await until(lambda: all(store.live_bundles()))
    assert hand.now <= 2.0


async def test_where_nothing_changes_it_looks_once_a_minute(hand, running):
    await rest(hand, running)
    before = looks(running)
    hand.pass_by(59.9)
    await asyncio.sleep(0.02)
    assert looks(running) == before
    hand.pass_by(0.2)

    await until(lambda: looks(running) == before + 1)


async def test_whoever_undoes_all_that_is_written_does_not_keep_it_busy(store, hand, running):
    """Half a second lies between two rounds."""
    await rest(hand, running)
    before = looks(running)

    def undo(kind, path, item):
        if path == MUTATING and item["webhooks"][0]["clientConfig"].get("caBundle"):
            store.set_bundle(MUTATING, b"")

    store.listeners.append(undo)
    store.set_bundle(MUTATING, b"")
    for _ in range(5):
        await until(lambda: hand.pauses == [0.5])
        hand.pass_by(0.5)
    await until(lambda: hand.pauses == [0.5])
    store.listeners.remove(undo)

    assert looks(running) - before == 6


async def test_a_round_that_fails_is_tried_again_with_longer_and_longer_pauses(store, hand):
    replica = Replica(store, pace=hand.pace)
    replica.connection.refused.add(("GET", SECRET))
    store.delete(SECRET)
    for path in CONFIGURATIONS:
        store.delete(path)
    task = asyncio.create_task(replica.managed.run())
    pauses = []
    while len(pauses) < 10:
        await until(lambda: hand.pauses == [0.5])
        hand.pass_by(0.5)
        await until(lambda: hand.pauses and hand.pauses != [0.5])
        pauses += hand.pauses
        hand.pass_by(hand.pauses[0])
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]
    assert store.listeners == []


async def test_a_bug_does_not_end_the_rounds(store, hand, monkeypatch):
    replica = Replica(store, pace=hand.pace)
    with monkeypatch.context() as patched:
        patched.setattr("hardener.server.self_managed.renewed", lambda *_: 1 / 0)
        task = asyncio.create_task(replica.managed.run())
        await until(lambda: replica.lines.messages("error"))
    while not replica.certificate.pem:
        hand.pass_by(0.5)
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert replica.lines.messages("error") == ["a round of keeping certificates failed inside"]
    assert is_in_order(store, replica)
