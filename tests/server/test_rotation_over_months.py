"""Months of three replicas in a few seconds: whatever happens, what any of them serves is trusted by every API server.

What happens: API servers hear of changes up to an hour late; the Secret is deleted, emptied and damaged; replicas are
started anew and forget everything; replicas are cut off for a day; clocks jump by ten years.
"""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest

from hardener.server.self_managed import Rhythm
from hardener.tls.authority import Terms
from hardener.tls.clocks import Now
from hardener.tls.trust import named
from tests.cluster.store import SECRET, Store
from tests.server.replicas import Replica, is_trusted

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RHYTHM = Rhythm(Terms(authority=timedelta(days=60), serving=timedelta(days=15)), settle_seconds=3600.0)
LATEST = timedelta(minutes=59)
STEPS = [timedelta(minutes=minutes) for minutes in (5, 30, 60, 240, 1440)]
DAMAGE = (b"", b"junk")
KEYS = ("tls.crt", "tls.key", "ca.crt", "ca.key")


class Months:
    """One course of events, which the dice decide."""

    def __init__(self, dice):
        self.dice = dice
        self.store = Store(START)
        self.store.install()
        self.replicas = [Replica(self.store, RHYTHM, dice=dice) for _ in range(3)]
        self.serves_since = {}
        self.troubled_until = {}
        self.authorities = set()

    async def run(self, days):
        while self.store.now < START + timedelta(days=days):
            self.store.now += self.dice.choice(STEPS)
            self.befall()
            await asyncio.gather(*(replica.round() for replica in self.replicas))
            self.authorities |= named(self.store.data().get("ca.crt", b""), Now.at(self.store.now))
            self.check()

    def befall(self):
        """Now and then, one thing or several at once."""
        dice, chosen = self.dice, self.dice.choice(self.replicas)
        if dice.random() < 0.015:
            self.store.delete(SECRET)
        if dice.random() < 0.015:
            self.store.set_data({})
        if dice.random() < 0.015:
            self.store.set_data({**self.store.data(), dice.choice(KEYS): dice.choice(DAMAGE)})
        for replica in self.replicas:
            if not self.is_troubled(replica):
                replica.connection.is_cut = False
                replica.ahead = replica.connection.offset = timedelta()
        # That both clocks jump alike cannot be noticed.
        if chosen in self.serves_since and not self.is_troubled(chosen) and dice.random() < 0.06:
            self.trouble(chosen)
        if dice.random() < 0.03:
            self.replicas[self.replicas.index(chosen)] = Replica(self.store, RHYTHM, dice=dice)

    def trouble(self, replica):
        """For a day, cut it off or have one of the clocks wrong."""
        self.troubled_until[replica] = self.store.now + timedelta(days=1)
        jump = self.dice.choice([1, -1]) * timedelta(days=3650)
        match self.dice.randrange(3):
            case 0:
                replica.connection.is_cut = True
            case 1:
                replica.ahead = jump
            case 2:
                replica.connection.offset = jump

    def is_troubled(self, replica):
        return self.store.now <= self.troubled_until.get(replica, START)

    def check(self):
        now = self.store.now
        for replica in self.replicas:
            if not replica.certificate.pem:
                continue
            since = self.serves_since.setdefault(replica, now)
            # The first certificate of all is trusted as soon as everybody has heard of it.
            views = [now] if now - since < LATEST else [now, now - LATEST]
            for view in views:
                for bundle in self.store.bundles_at(view):
                    told = f"{now - START} {view}: {replica.lines.written}"
                    assert is_trusted(replica.certificate.pem, bundle, now), told


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_what_is_served_is_trusted(seed):
    months = Months(random.Random(seed))
    await months.run(days=100)

    assert len(months.serves_since) > 3
    assert len(months.authorities) > 3
    assert all(replica.certificate.pem for replica in months.replicas)
