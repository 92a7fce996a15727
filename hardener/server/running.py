"""Server: the two ports, from start to drain. The command line, the demo and the tests run the same one."""

import asyncio
import os
import ssl
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from hardener.errors import HardenerError, StartError
from hardener.policy.config import Config
from hardener.policy.reading import embedded_config, load_config
from hardener.server.application import EXPLAIN, MUTATE, PROBES, WEBHOOK, Port
from hardener.server.counting import Metrics
from hardener.server.entrance import Entrance
from hardener.server.facts import certificate_samples, cluster_samples, follow_sync
from hardener.server.limits import Limits
from hardener.server.log import Log
from hardener.server.reload import follow_certificate, follow_client_authorities, follow_config
from hardener.server.state import State
from hardener.server.watching import WatchedFiles
from hardener.tls import self_signed

if TYPE_CHECKING:
    from hardener.cluster import Bounds, Credentials
    from hardener.cluster.api_server import ApiServer
    from hardener.server.self_managed import Installation

LOOPBACK = "127.0.0.1"
DEV_NAMES = ("localhost", LOOPBACK, "::1")
DEV_DAYS = 365

BACKLOG = 1024
"""Connections that the kernel keeps until they are accepted; a burst of pods opens many at once."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to serve. Port 0 picks a free one. Without certificate and key files, a self-signed pair is made.

    Without a `config` file the embedded configuration is in force. `dry_run` caps either of them: no control is enforced,
    whatever the file says, then and whenever it changes. `namespace_metrics` counts reviews by namespace too. Without
    credentials of a `cluster` the server stands alone; `bounds` are those of its watches, where a test asks for others.
    """

    address: str = LOOPBACK
    port: int = 0
    metrics_port: int = 0
    config: Path | None = None
    dry_run: bool = False
    namespace_metrics: bool = False
    cluster: "Credentials | None" = None
    bounds: "Bounds | None" = None
    certificate: Path | None = None
    key: Path | None = None
    self_managed: "Installation | None" = None
    client_authorities: Path | None = None
    limits: Limits = field(default_factory=Limits)


class Server:
    """One server. `async with Server(Options()) as server:` starts it, and stops it without a delay.

    `port` and `metrics_port` are the real ones, and `certificate_pem` is what a client has to trust, where the
    certificate is self-signed.
    """

    def __init__(self, options: Options, log: Log | None = None) -> None:
        self.options = options
        self.log = log or Log(sys.stderr.buffer)
        self.port = options.port
        self.metrics_port = options.metrics_port
        self._state: State | None = None
        self._listeners: list[asyncio.Server] = []
        self._entrances: list[Entrance] = []
        self._watchers: list[asyncio.Task[None]] = []
        self._api: ApiServer | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def state(self) -> State:
        """What the handlers share; raises StartError before `start`."""
        if self._state is None:
            raise StartError("the server has not been started; call start() first")
        return self._state

    @property
    def certificate_pem(self) -> bytes:
        return self.state.certificate.pem

    @property
    def mutate_url(self) -> str:
        return f"https://{self._host}:{self.port}{MUTATE}"

    @property
    def explain_url(self) -> str:
        return f"https://{self._host}:{self.port}{EXPLAIN}"

    @property
    def metrics_url(self) -> str:
        return f"http://{self._host}:{self.metrics_port}"

    async def start(self) -> None:
        """Read configuration and certificate and open both ports.

        Raises ConfigError, CertificateError, or StartError where a port cannot be opened or a cluster not be found.
        """
        options = self.options
        try:
            state = self._make_state()
            await self._follow_cluster(state)
            if options.self_managed is None:
                self._take_certificate(state)
            else:
                await self._keep_certificate(state)
            self._take_client_authorities(state)
            self.metrics_port = await self._listen(PROBES, options.metrics_port, None)
            self.port = await self._listen(WEBHOOK, options.port, state.certificate.context)
        except HardenerError:
            await self._close()
            raise
        addresses = {"mutate": self.mutate_url, "explain": self.explain_url, "metrics": self.metrics_url}
        self.log.info("serving", **addresses, dryRun=options.dry_run)

    async def stop(self, delay: float = 0.0) -> None:
        """Drain and close.

        For `delay` seconds readiness is off and every request is still answered, with `Connection: close`, while the
        cluster learns that no more should be sent. Then no connection is accepted, what is being handled is finished,
        and idle connections are closed.
        """
        self.state.draining = True
        self.log.info("draining", seconds=delay)
        await asyncio.sleep(delay)
        await self._close()
        self.log.info("stopped")
        self.log.flush()

    @property
    def _host(self) -> str:
        address = self.options.address
        return f"[{address}]" if ":" in address else address

    def _make_state(self) -> State:
        path = self.options.config
        # What is seen before it is read cannot hide a change that comes in between.
        files = None if path is None else WatchedFiles([path])
        metrics = Metrics(by_namespace=self.options.namespace_metrics)
        state = self._state = State(self._read_config(), self.log, self.options.limits, metrics)
        state.metrics.config_read(good=True, now=time.time())
        if files is not None:
            self._watchers.append(asyncio.create_task(follow_config(state, self._read_config, files)))
        return state

    def _read_config(self) -> Config:
        """The one way to a configuration that is put in force, so that nothing gets round the cap."""
        path = self.options.config
        config = embedded_config() if path is None else load_config(path)
        return config.capped() if self.options.dry_run else config

    async def _follow_cluster(self, state: State) -> None:
        if self.options.cluster is None:
            return
        # The library that it stands on takes a third of the memory of a server that stands alone.
        from hardener.cluster import Cluster  # noqa: PLC0415  see above

        cluster = state.cluster = Cluster(self.options.cluster, log=self.log, bounds=self.options.bounds)
        state.metrics.sample(lambda: cluster_samples(cluster.status()))
        state.syncing = True
        await cluster.start()
        self._watchers.append(asyncio.create_task(follow_sync(state, cluster)))

    async def _keep_certificate(self, state: State) -> None:
        """Keep authority and certificate in the cluster; readiness waits for the first pair, and nothing else does."""
        options = self.options
        if options.self_managed is None or options.cluster is None:
            raise StartError("a certificate that is kept in the cluster needs credentials of it; give a kubeconfig")
        # What it stands on takes memory that a server with files does not need.
        from hardener.cluster import Bounds, Pace  # noqa: PLC0415  see above
        from hardener.cluster.api_server import ApiServer  # noqa: PLC0415  see above
        from hardener.server.self_managed import SelfManaged  # noqa: PLC0415  see above

        api = self._api = ApiServer(options.cluster, options.bounds or Bounds(), Pace(), self.log)
        await api.open()
        keeper = SelfManaged(api, options.self_managed, state.certificate, state.metrics, self.log)
        state.metrics.sample(lambda: certificate_samples(keeper.status()))
        self._watchers.append(asyncio.create_task(keeper.run()))

    def _take_certificate(self, state: State) -> None:
        certificate, key = self.options.certificate, self.options.key
        if certificate is None or key is None:
            state.certificate.use(self_signed(DEV_NAMES, datetime.now(UTC), DEV_DAYS))
        else:
            files = WatchedFiles([certificate, key])
            state.certificate.use_files(certificate, key)
            self._watchers.append(asyncio.create_task(follow_certificate(state, certificate, key, files)))
        state.metrics.certificate_read(state.certificate.expires.timestamp())

    def _take_client_authorities(self, state: State) -> None:
        authorities = self.options.client_authorities
        if authorities is not None:
            files = WatchedFiles([authorities])
            state.certificate.trust_clients_of(authorities)
            self._watchers.append(asyncio.create_task(follow_client_authorities(state, authorities, files)))

    async def _listen(self, port: Port, number: int, context: ssl.SSLContext | None) -> int:
        """Open a port, and return its real number."""
        address, limits = self.options.address, self.options.limits
        entrance = Entrance(self.state, port)
        try:
            listener = await asyncio.get_running_loop().create_server(
                entrance,
                address,
                number,
                ssl=context,
                backlog=BACKLOG,
                ssl_handshake_timeout=None if context is None else limits.handshake_seconds,
                ssl_shutdown_timeout=None if context is None else limits.linger_seconds,
            )
        except OSError as error:
            # asyncio's own text repeats the address; a name that cannot be resolved has a negative number.
            reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)
            raise StartError(f"{address} port {number} cannot be opened ({reason}); choose another") from error
        self._listeners.append(listener)
        self._entrances.append(entrance)
        opened: int = listener.sockets[0].getsockname()[1]
        return opened

    async def _close(self) -> None:
        for listener in self._listeners:
            listener.close()
        await self._finish_requests()
        for watcher in self._watchers:
            watcher.cancel()
        await asyncio.gather(*self._watchers, return_exceptions=True)
        if self._api is not None:
            await self._api.close()
        if self._state is not None and self._state.cluster is not None:
            await self._state.cluster.close()
        await asyncio.gather(*(entrance.close() for entrance in self._entrances))

    async def _finish_requests(self) -> None:
        """Wait for what is being handled."""
        if self._state is None:
            return
        try:
            async with asyncio.timeout(self.options.limits.finish_seconds):
                await self._state.in_flight.idle()
        except TimeoutError:
            self.log.warning("requests were cut off", count=self._state.in_flight.requests)
