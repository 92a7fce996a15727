"""Replicas that keep their own certificate, in this process, behind one address."""

import asyncio
import base64
import contextlib
import io
import json
import time
from datetime import timedelta

from hardener.cluster import Bounds, Pace, credentials
from hardener.cluster.api_server import ApiServer
from hardener.server.log import Log
from hardener.server.running import Options, Server
from hardener.server.self_managed import Installation, Rhythm, SelfManaged
from hardener.tls.authority import Terms, service_names
from tests.e2e.balancer import LOOPBACK
from tests.e2e.hardening import is_hardened
from tests.e2e.registration import REGISTRATION
from tests.server.serving import until

NAMESPACE = "hardener-system"
SECRETS = f"/api/v1/namespaces/{NAMESPACE}/secrets"
LABEL = "e2e.hardener.dev/self-managed"
MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"
POD = {"metadata": {"generateName": "web-"}, "spec": {"containers": [{"name": "app", "image": "web:1"}]}}
KINDS = ("mutating", "validating")

HURRIED = Rhythm(
    Terms(authority=timedelta(seconds=18), serving=timedelta(seconds=6)),
    look_seconds=0.4,
    shortest_seconds=0.1,
    settle_seconds=1.5,
)
"""A year in eighteen seconds."""

BRISK = Rhythm(look_seconds=0.4, settle_seconds=1.0)
"""As in earnest, but that hardly anybody has to wait for trust."""

CALM = Rhythm()
"""As in earnest, so that only a watch can be the reason for what happens quickly."""


class Replica:
    """A server with its task, in this process."""

    def __init__(self, kubeconfig, installation, rhythm):
        self.log = io.BytesIO()
        self.server = Server(Options(), Log(self.log))
        self._api = ApiServer(credentials(kubeconfig), Bounds(), Pace(), self.server.log)
        self._installation, self._rhythm = installation, rhythm

    async def start(self):
        await self._api.open()
        await self.server.start()
        state = self.server.state
        # Every answer then ends its connection, so that every review begins with a handshake.
        state.draining = True
        self.managed = SelfManaged(
            self._api, self._installation, state.certificate, state.metrics, state.log, rhythm=self._rhythm
        )
        self._task = asyncio.create_task(self.managed.run())

    async def stop(self):
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self.server.stop()
        await self._api.close()

    def lines(self):
        self.server.log.flush()
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


class Installed:
    """The Secret, both configurations, a balancer in place of the Service, and replicas behind it."""

    def __init__(self, control_plane, balancer, namespace, number):
        self.control_plane = control_plane
        self.balancer = balancer
        self.namespace = namespace
        self.name = f"zz-own-{number}"
        self.path = f"{SECRETS}/{self.name}"
        names = (*service_names("hardener", NAMESPACE), LOOPBACK)
        self.installation = Installation(NAMESPACE, self.name, self.name, names)
        self.replicas = []

    async def request(self, *arguments, **options):
        return await asyncio.to_thread(self.control_plane.request, *arguments, **options)

    async def start(self, rhythm, kubeconfig=None):
        replica = Replica(kubeconfig or self.control_plane.kubeconfig, self.installation, rhythm)
        await replica.start()
        self.replicas.append(replica)
        return replica

    async def stop(self, replica):
        """As a Service takes a pod out before it ends."""
        self.replicas.remove(replica)
        self.route()
        await replica.stop()

    def route(self):
        self.balancer.backends = [replica.server.port for replica in self.replicas]

    async def start_all(self, rhythm, count=3):
        await asyncio.gather(*(self.start(rhythm) for _ in range(count)))
        self.route()
        await self.until_it_serves()

    def all_serve(self, certificate):
        return {replica.server.certificate_pem for replica in self.replicas} == {certificate}

    async def until_all_serve(self):
        await until(lambda: all(each.managed.status().is_serving for each in self.replicas), 20)

    async def until_it_serves(self):
        """Wait until a pod can be made."""
        await self.until_all_serve()
        deadline = time.monotonic() + 20
        while (reply := await self.create()).status != 201:
            assert time.monotonic() < deadline, reply.message
            await asyncio.sleep(0.02)

    async def create(self):
        """Make a real pod, which is refused where the webhook cannot be trusted."""
        return await self.request("POST", f"/api/v1/namespaces/{self.namespace}/pods", POD)

    async def secret(self):
        data = (await self.request("GET", self.path)).body.get("data") or {}
        return {key: base64.b64decode(value) for key, value in data.items()}

    def configuration(self, kind):
        return f"{REGISTRATION}/{kind}webhookconfigurations/{self.name}"

    async def bundle(self, kind):
        (webhook,) = (await self.request("GET", self.configuration(kind))).body["webhooks"]
        return base64.b64decode(webhook["clientConfig"].get("caBundle") or "")

    async def set_bundle(self, kind, value):
        change = [{"op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": value}]
        reply = await self.request("PATCH", self.configuration(kind), change, content_type=JSON_PATCH)
        assert reply.ok, reply.body

    @contextlib.asynccontextmanager
    async def pods_all_the_time(self, count=3):
        """Make pods without a pause; every one must be made, and hardened, by the time that this ends."""
        made, ended = [], asyncio.Event()

        async def make():
            while not ended.is_set():
                made.append(await self.create())

        makers = [asyncio.create_task(make()) for _ in range(count)]
        try:
            yield made
        finally:
            ended.set()
            await asyncio.gather(*makers)
        assert [reply.message for reply in made if reply.status != 201] == []
        assert all(is_hardened(reply.body) for reply in made)
