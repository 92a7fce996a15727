"""SelfManaged: keeps the Secret with authority and serving certificate, publishes the authority, serves the certificate.

Every replica does all of it, and none leads. Each round reads the objects as they are, works out what they should hold,
and writes what differs under the condition that nobody else has written meanwhile; whoever was slower takes over what
the faster one wrote. Rounds come whenever an object changes, and once in a while. Nothing that fails ends them.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hardener.cluster import Bounds, Log, Pace
from hardener.cluster.api_server import ApiError, ApiServer
from hardener.cluster.bounds import Backoff
from hardener.cluster.objects_by_name import Follower, ObjectByName
from hardener.cluster.tls_objects import KINDS, Stored, TlsSecret, WebhookConfiguration
from hardener.errors import CertificateError
from hardener.server.counting import Metrics
from hardener.server.publication import Publication
from hardener.server.trouble import Trouble
from hardener.tls import ServingCertificate
from hardener.tls.authority import Terms
from hardener.tls.clocks import Now
from hardener.tls.rotation import Holding, Renewal, Serving, may_use, renewed


@dataclass(frozen=True, slots=True)
class Installation:
    """What is kept: a Secret, both webhook configurations of one name, and a certificate for these names.

    `names` are DNS names and IP addresses by which API servers reach this server; see `tls.authority.service_names`.
    """

    namespace: str
    secret: str
    configuration: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often and how long, in seconds, and what certificates are valid for."""

    terms: Terms = field(default_factory=Terms)
    look_seconds: float = 60.0
    """Between two rounds where nothing changes; cut by up to a half, so that replicas part."""
    shortest_seconds: float = 0.5
    """Between two rounds whatever happens, or somebody who undoes what we write would keep us busy."""
    settle_seconds: float = 3600.0
    """How long an authority stands in the configurations before it signs: API servers that are slow to hear of it have
    then heard of it, and certificates have a month to go."""


@dataclass(frozen=True, slots=True)
class SelfManagedStatus:
    """How it stands: whether a certificate is in use, writes of the Secret and of configurations, and what fails."""

    is_serving: bool
    renewals: int
    repairs: int
    reasons: tuple[str, ...]


class SelfManaged:
    """The task; `run` it beside the server. The caller opens and closes `api`.

    `certificate` is what handshakes are answered with; `clock` tells the time, an aware one.
    """

    def __init__(
        self,
        api: ApiServer,
        installation: Installation,
        certificate: ServingCertificate,
        metrics: Metrics,
        log: Log,
        *,
        rhythm: Rhythm | None = None,
        bounds: Bounds | None = None,
        pace: Pace | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._api = api
        self._names = installation.names
        self._certificate = certificate
        self._metrics = metrics
        self._log = log
        self._rhythm = rhythm or Rhythm()
        self._bounds, self._pace, self._clock = bounds or Bounds(), pace or Pace(), clock
        self._secret = TlsSecret(api, installation.namespace, installation.secret)
        configurations = [WebhookConfiguration(api, kind, installation.configuration) for kind in KINDS]
        self._publication = Publication(configurations, self._rhythm.settle_seconds, self._pace.clock, log)
        self._objects: list[ObjectByName[Any]] = [self._secret.object, *(each.object for each in configurations)]
        where = {"namespace": installation.namespace, "name": installation.secret}
        self._secret_trouble = Trouble(log, "keeping the Secret of the certificates", **where)
        self._use_trouble = Trouble(log, "taking the serving certificate over")
        self._changed = asyncio.Event()
        self._in_use: Serving | None = None
        self._authorities = b""
        self._renewals = 0
        self._is_doubtful = False

    async def run(self) -> None:
        """Go round for good. Ends only by being cancelled."""
        followers = [
            asyncio.create_task(Follower(each, self._changed.set, self._bounds, self._pace, self._log).run())
            for each in self._objects
        ]
        backoff = Backoff(self._bounds, self._pace)
        try:
            while True:
                self._changed.clear()
                if await self._guarded_round():
                    backoff.reset()
                    pause = self._rhythm.look_seconds * (1 - self._pace.random() / 2)
                else:
                    pause = backoff.next()
                await self._pace.sleep(self._rhythm.shortest_seconds)
                await self._changed_within(pause)
        finally:
            for follower in followers:
                follower.cancel()
            await asyncio.gather(*followers, return_exceptions=True)

    async def round(self) -> bool:
        """Read everything, write what differs, and serve with what is there; False where something is left to do."""
        await self._publication.look()
        try:
            stored = await self._secret.read()
        except ApiError as error:
            self._secret_trouble.begins(str(error))
            await self._publication.publish(self._authorities, self._now())
            return False
        now = self._now()
        held = Holding.of(stored.data)
        settled = self._publication.settled(held.authorities, now)
        renewal = renewed(held, self._in_use, self._names, now, self._rhythm.terms, settled)
        is_kept = await self._keep(stored, held, renewal)
        offered = renewal.serving if is_kept else renewal.found
        own = b"" if self._in_use is None else self._in_use.authority
        self._authorities = renewal.holding.authorities if is_kept else held.authorities + own
        # In this order: what is not trusted yet is not served.
        is_published = await self._publication.publish(self._authorities, now)
        return self._serve(offered, now, settled) and is_kept and is_published

    def status(self) -> SelfManagedStatus:
        own = (trouble.reason for trouble in (self._secret_trouble, self._use_trouble) if trouble.reason)
        return SelfManagedStatus(
            self._in_use is not None, self._renewals, self._publication.repairs, (*own, *self._publication.reasons)
        )

    async def _guarded_round(self) -> bool:
        try:
            return await self.round()
        # A bug of ours or of a library must not end the rounds.
        except Exception as error:
            self._log.failure("a round of keeping certificates failed inside", error)
            return False

    def _now(self) -> Now:
        here = self._clock()
        now = Now(here, self._api.time or here)
        if now.is_doubtful and not self._is_doubtful:
            self._log.warning(
                "our clock and the API server's differ: no certificate is renewed before it is due by both",
                ours=now.here,
                theirs=now.there,
            )
        self._is_doubtful = now.is_doubtful
        return now

    async def _keep(self, stored: Stored, held: Holding, renewal: Renewal) -> bool:
        """Have the Secret hold what it should; False where it does not."""
        is_written = True
        if renewal.holding != held:
            try:
                is_written = await self._secret.write(stored, renewal.holding.data())
            except ApiError as error:
                self._secret_trouble.begins(str(error))
                return False
            if is_written:
                self._renewals += 1
                self._log.info("the Secret of the certificates was written", reasons=renewal.reasons)
        self._secret_trouble.ends()
        return is_written

    def _serve(self, offered: Serving | None, now: Now, settled: frozenset[bytes]) -> bool:
        """Go over to the pair that is offered, if it is another one and its time has come; False if that fails."""
        if offered is None:
            return self._in_use is not None
        if offered == self._in_use or not may_use(offered, self._in_use, self._names, now, settled):
            return True
        try:
            self._certificate.use(offered.pair)
        except CertificateError as error:
            self._use_trouble.begins(str(error))
            return False
        self._use_trouble.ends()
        self._in_use = offered
        expires = self._certificate.expires
        self._metrics.certificate_read(expires.timestamp())
        self._log.info("the serving certificate was taken over", expires=expires.isoformat())
        return True

    async def _changed_within(self, seconds: float) -> None:
        """Wait until an object changes, but not longer than so many seconds."""
        waits = [asyncio.ensure_future(self._changed.wait()), asyncio.ensure_future(self._pace.sleep(seconds))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
