"""A roll-out under the policy Fail: each replica is replaced, the certificate and its authority are, and no pod notices.

All is as the chart makes it: the objects, the program's options, its account. Only the Service leads to a balancer here.
"""

import asyncio
import base64
import itertools
import json
import signal
import ssl
import sys
import time
import urllib.error
import urllib.request
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from hardener.tls.authority import SERVING_LIFE, Authority, service_names, sign
from hardener.tls.clocks import Now
from tests.deploy.chart import NAMESPACE, RELEASE, objects, template, the
from tests.e2e.balancer import LOOPBACK, Balancer
from tests.e2e.conftest import kubernetes_version
from tests.e2e.control_plane import ControlPlane
from tests.e2e.hardening import is_hardened
from tests.e2e.processes import Process
from tests.e2e.webhook import ROOT
from tests.server.serving import until

# Helm is built once, in minutes.
pytestmark = pytest.mark.timeout(1200)

VALUES = {"namespace": {"create": True}, "defaultPolicy": "standard", "webhook": {"failurePolicy": "Fail"}}
REPLICAS = 3
MAKERS = 3
SECONDS = 60
"""How long pods are made, at least."""
CONNECT_SECONDS = 0.25
PODS_MEANWHILE = 30
"""So many are made before the Service has heard that a replica ends."""

SECRET = f"/api/v1/namespaces/{NAMESPACE}/secrets/hardener-tls"
CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
AGAIN = "zz-zz-again"
"""Calls hardener a second time for each pod, from new connections again and again."""
POD = {"metadata": {"generateName": "web-"}, "spec": {"containers": [{"name": "app", "image": "web:1"}]}}
DUE_AGE = SERVING_LIFE * 0.8
MERGE = "application/merge-patch+json"


class Replica:
    """`hardener serve` with the options of the chart's pod, but for what differs on this machine."""

    def __init__(self, roll_out, number):
        self._log = roll_out.folder / f"{number}.log"
        here = {
            "config": roll_out.config,
            "kubeconfig": roll_out.kubeconfig,
            "address": LOOPBACK,
            "port": 0,
            "metrics-port": 0,
        }
        options = [f"--{name}={value}" for name, value in here.items()]
        self._process = Process(
            [sys.executable, "-m", "hardener", *roll_out.arguments, *options],
            self._log,
            {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        )

    @property
    def port(self):
        (serving,) = self.logged("serving")
        return int(serving["mutate"].rpartition(":")[2].partition("/")[0])

    def lines(self):
        return [json.loads(line) for line in self._log.read_bytes().splitlines() if line.startswith(b"{")]

    def logged(self, message):
        return [line for line in self.lines() if line["message"] == message]

    def wait_until_ready(self):
        self._process.wait_until(lambda: self.logged("serving"))
        url = self.logged("serving")[0]["metrics"]

        def is_ready():
            try:
                with urllib.request.urlopen(f"{url}/readyz", timeout=10) as reply:
                    return reply.status == 200
            except urllib.error.HTTPError as error:
                error.close()
                return False

        self._process.wait_until(is_ready)

    def certificate(self):
        """What a handshake shows, in PEM."""
        return ssl.get_server_certificate((LOOPBACK, self.port), timeout=10).strip()

    def end(self):
        """As the kubelet does, which lets it take its time."""
        self._process.end(signal.SIGTERM, seconds=40)

    def kill(self):
        self._process.end(signal.SIGKILL)


class RollOut:
    """The chart, installed; replicas, and the balancer that the Service leads to."""

    def __init__(self, cluster, balancer, folder):
        self.cluster, self.balancer, self.folder = cluster, balancer, folder
        self.replicas = []
        self.made = []
        self._started = 0
        made = self.manifests = objects(template(VALUES))
        self.config = folder / "config.yaml"
        self.config.write_text(the("ConfigMap", made, RELEASE)["data"]["config.yaml"], encoding="utf-8")
        self.arguments = the("Deployment", made)["spec"]["template"]["spec"]["containers"][0]["args"]
        # Before a pod cannot be made without an answer.
        self.namespace = cluster.make_namespace()
        self._install(made)
        self.kubeconfig = self._kubeconfig()

    def _install(self, made):
        the("Service", made)["spec"] = {"type": "ExternalName", "externalName": LOOPBACK}
        for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
            for webhook in the(kind, made)["webhooks"]:
                webhook["clientConfig"]["service"]["port"] = self.balancer.port
        self.cluster.kubectl("apply", "--filename=-", input=yaml.safe_dump_all(made))

    def _kubeconfig(self):
        """That of the chart's account."""
        path = f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/{RELEASE}/token"
        token = self.cluster.request("POST", path, {"spec": {}})
        assert token.status == 201, token.message
        config = json.loads(self.cluster.kubeconfig.read_text(encoding="utf-8"))
        config["users"][0]["user"] = {"token": token.body["status"]["token"]}
        written = self.folder / "account.kubeconfig"
        written.write_text(json.dumps(config), encoding="utf-8")
        return written

    async def request(self, *arguments, **options):
        return await asyncio.to_thread(self.cluster.request, *arguments, **options)

    async def start(self):
        self._started += 1
        replica = Replica(self, self._started)
        try:
            await asyncio.to_thread(replica.wait_until_ready)
        except BaseException:
            replica.kill()
            raise
        self.replicas.append(replica)
        self.route()

    def route(self):
        self.balancer.backends = [replica.port for replica in self.replicas]

    async def replace(self, replica):
        """As a Deployment and its Service do: a new one first, and the old one is sent pods for a while after SIGTERM."""
        await self.start()
        ending = asyncio.create_task(asyncio.to_thread(replica.end))
        await until(lambda: replica.logged("draining"), 20)
        pods = len(self.made)
        await until(lambda: len(self.made) > pods + PODS_MEANWHILE, 20)
        self.replicas.remove(replica)
        self.route()
        await ending
        assert replica.lines()[-1]["message"] == "stopped"
        assert [line for line in replica.lines() if line["level"] in ("warning", "error")] == []

    async def all_serve_another(self, *former):
        """Whether all serve what the Secret holds, and that is none of these; it is returned."""
        certificate = (await self.secret()).get("tls.crt", "").strip()
        shown = {await asyncio.to_thread(replica.certificate) for replica in self.replicas}
        return certificate if shown == {certificate} - set(former) else ""

    async def secret(self):
        data = (await self.request("GET", SECRET)).body.get("data") or {}
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    async def bundle(self):
        """What the API server is told to trust, in base64."""
        (webhook,) = (await self.request("GET", f"{CONFIGURATIONS}/zz-hardener")).body["webhooks"]
        return webhook["clientConfig"]["caBundle"]

    async def trusts(self, count):
        """Whether the API server is told to trust so many authorities."""
        return base64.b64decode(await self.bundle()).count(b"BEGIN CERTIFICATE") == count

    async def write_certificate(self, age):
        """Have the Secret hold a certificate of the newest authority that was made so long ago; return its PEM."""
        data = await self.secret()
        key = load_pem_private_key(data["ca.key"].encode(), None)
        known = x509.load_pem_x509_certificates(data["ca.crt"].encode())
        authority = Authority(next(each for each in known if each.public_key() == key.public_key()), key)
        pair = sign(authority, service_names(RELEASE, NAMESPACE), Now.at(datetime.now(UTC) - age), SERVING_LIFE)
        changed = {"tls.crt": pair.certificate, "tls.key": pair.key}
        encoded = {key: base64.b64encode(value).decode() for key, value in changed.items()}
        assert (await self.request("PATCH", SECRET, {"data": encoded}, content_type=MERGE)).ok
        return pair.certificate.decode().strip()

    async def make_pod(self):
        return await self.request("POST", f"/api/v1/namespaces/{self.namespace}/pods", POD)

    @asynccontextmanager
    async def pods_all_the_time(self):
        ended = asyncio.Event()

        async def make():
            while not ended.is_set():
                self.made.append(await self.make_pod())

        async def connect_anew():
            """A webhook of another name has a client of its own in the API server, as one that has just started has."""
            for number in itertools.count():
                changes = {"name": f"again-{number}.hardener.dev", "clientConfig/caBundle": await self.bundle()}
                patch = [{"op": "add", "path": f"/webhooks/0/{key}", "value": value} for key, value in changes.items()]
                path = f"{CONFIGURATIONS}/{AGAIN}"
                assert (await self.request("PATCH", path, patch, content_type="application/json-patch+json")).ok
                if ended.is_set():
                    return
                await asyncio.sleep(CONNECT_SECONDS)

        again = the("MutatingWebhookConfiguration", self.manifests)
        again["metadata"]["name"] = AGAIN
        again["webhooks"][0]["clientConfig"]["caBundle"] = await self.bundle()
        assert (await self.request("POST", CONFIGURATIONS, again)).ok
        makers = [asyncio.create_task(make()) for _ in range(MAKERS)]
        makers.append(asyncio.create_task(connect_anew()))
        enough = asyncio.create_task(asyncio.sleep(SECONDS))
        try:
            yield
            await enough
        finally:
            enough.cancel()
            ended.set()
            await asyncio.gather(*makers)


async def eventually(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not (found := await condition()):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    return found


@pytest.fixture
async def roll_out(request, tmp_path):
    with ControlPlane(controllers=False, version=kubernetes_version(request.config)) as cluster:
        async with Balancer() as balancer:
            made = RollOut(cluster, balancer, tmp_path)
            try:
                await asyncio.gather(*(made.start() for _ in range(REPLICAS)))
                yield made
            finally:
                for replica in made.replicas:
                    replica.kill()


async def test_no_pod_is_refused_or_left_as_it_was_while_every_replica_is_replaced(roll_out):
    await eventually(lambda: succeeds(roll_out.make_pod))
    first, second, third = roll_out.replicas
    async with roll_out.pods_all_the_time():
        at_first = await eventually(roll_out.all_serve_another)
        await roll_out.replace(first)
        due = await roll_out.write_certificate(DUE_AGE)
        renewed = await eventually(lambda: roll_out.all_serve_another(at_first, due))
        await roll_out.replace(second)
        assert (await roll_out.request("DELETE", SECRET)).ok
        await eventually(lambda: roll_out.trusts(2))
        # The others do not go over to the new authority yet; the next one has nothing else.
        other = await roll_out.write_certificate(timedelta())
        await roll_out.replace(third)
        assert [replica.certificate() for replica in roll_out.replicas] == [renewed, renewed, other]

    made = roll_out.made
    assert [reply.message for reply in made if reply.status != 201] == []
    assert [pod for pod in (reply.body for reply in made) if not is_marked(pod)] == []
    assert all(is_hardened(reply.body) for reply in made)
    assert len(made) > 100


def is_marked(pod):
    annotations = pod["metadata"].get("annotations", {})
    return "hardener.dev/applied" in annotations and "hardener.dev/applied-policy" in annotations


async def succeeds(make):
    return (await make()).status == 201
