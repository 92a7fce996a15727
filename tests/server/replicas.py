"""Replicas that share one store, in memory: no network, and no time but that of the store."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.x509 import verification

from hardener.cluster import Pace
from hardener.cluster.api_server import ApiError
from hardener.server.counting import Metrics
from hardener.server.self_managed import Installation, Rhythm, SelfManaged
from hardener.tls import ServingCertificate
from tests.cluster.faults import line
from tests.cluster.parts import Lines
from tests.cluster.store import CONFIGURATION_NAME, NAMESPACE, SECRET_NAME, Store

NAMES = ("hardener.hardener-system.svc", "hardener.hardener-system")
INSTALLATION = Installation(NAMESPACE, SECRET_NAME, CONFIGURATION_NAME, NAMES)


class Connection:
    """In place of an ApiServer: `is_cut` has nothing answered, and `refused` holds methods and paths that get a 403.

    With dice, requests of several replicas overlap in any order. `offset` is how far the API server's clock is ahead.
    """

    def __init__(self, store: Store, dice: random.Random | None = None) -> None:
        self.is_cut = False
        self.refused: set[tuple[str, str]] = set()
        self.offset = timedelta()
        self.asked: list[tuple[str, str]] = []
        self._store = store
        self._dice = dice

    @property
    def time(self) -> datetime:
        return self._store.now + self.offset

    async def send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        for _ in range(self._dice.randrange(4) if self._dice else 1):
            await asyncio.sleep(0)
        self.asked.append((method, path))
        if self.is_cut:
            raise ApiError(f"{path}: no whole answer came")
        if (method, path) in self.refused:
            raise ApiError(f"{path}: 403 forbidden", 403)
        status, answer = self._store.answer(method, path, body)
        if status >= 400:
            raise ApiError(f"{path}: {status} {answer['message']}", status)
        return json.dumps(answer).encode()

    @asynccontextmanager
    async def watch(
        self, path: str, _position: int, _seconds: int, *, name: str = ""
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        events: asyncio.Queue[bytes] = asyncio.Queue()

        def listen(kind: str, changed: str, item: Any) -> None:
            if changed == f"{path}/{name}":
                events.put_nowait(line(kind, item))

        async def lines() -> AsyncIterator[bytes]:
            while True:
                yield await events.get()

        self._store.listeners.append(listen)
        try:
            yield lines()
        finally:
            self._store.listeners.remove(listen)


class Replica:
    """One replica: what it serves, its log, and the clock of its machine, `ahead` of the store's."""

    def __init__(
        self,
        store: Store,
        rhythm: Rhythm | None = None,
        *,
        dice: random.Random | None = None,
        pace: Pace | None = None,
        installation: Installation = INSTALLATION,
    ) -> None:
        self.connection = Connection(store, dice)
        self.certificate = ServingCertificate()
        self.metrics = Metrics()
        self.lines = Lines()
        self.ahead = timedelta()
        began = store.now

        def steady():
            return (store.now - began).total_seconds()

        self.managed = SelfManaged(
            self.connection,
            installation,
            self.certificate,
            self.metrics,
            self.lines,
            rhythm=rhythm,
            pace=pace or Pace(clock=steady),
            clock=lambda: store.now + self.ahead,
        )

    async def round(self) -> bool:
        return await self.managed.round()


@lru_cache(maxsize=256)
def verified(certificate: bytes, bundle: bytes, name: str) -> tuple[datetime, datetime] | None:
    """From when to when an API server with this caBundle takes a certificate; None where it never does."""
    try:
        leaf = x509.load_pem_x509_certificate(certificate)
        store = verification.Store(x509.load_pem_x509_certificates(bundle))
        policy = verification.PolicyBuilder().store(store).time(leaf.not_valid_after_utc)
        policy.build_server_verifier(x509.DNSName(name)).verify(leaf, [])
    except (ValueError, verification.VerificationError):
        return None
    return leaf.not_valid_before_utc, leaf.not_valid_after_utc


def is_trusted(certificate: bytes, bundle: bytes, now: datetime) -> bool:
    """Whether an API server with this caBundle takes the certificate now."""
    span = verified(certificate, bundle, NAMES[0])
    return span is not None and span[0] <= now <= span[1]


def is_in_order(store: Store, *replicas: Replica) -> bool:
    """Whether all serve what is trusted, and the Secret and the bundles hold the same authorities."""
    assert set(store.live_bundles()) == {store.data()["ca.crt"]}
    assert all(
        is_trusted(each.certificate.pem, each_bundle, store.now)
        for each in replicas
        for each_bundle in store.live_bundles()
    )
    return True
