"""A certificate in files, replaced under load as cert-manager and the kubelet do it, and no pod is refused."""

import base64
import itertools
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from hardener.tls import KeyPair
from hardener.tls.authority import make_authority, sign
from hardener.tls.clocks import Now
from tests.e2e.cluster import Cluster, Reply
from tests.e2e.hardening import is_hardened
from tests.e2e.registration import LABEL, REGISTRATION, register, unregister, webhook_configuration
from tests.e2e.waiting import eventually
from tests.e2e.webhook import LOOPBACK, Hardener

POD = {"metadata": {"generateName": "web-"}, "spec": {"containers": [{"name": "app", "image": "web:1"}]}}
NAME = "zz-files"
LIFE = timedelta(days=2)
MAKERS = 3
ROTATIONS = 4
HANDSHAKES_SECONDS = 0.25
"""Between two changes that have the API server shake hands anew; its former connections stay open for a while."""


class Mount:
    """A Secret as the kubelet mounts it: the files are links through `..data`, and that link is replaced as a whole."""

    def __init__(self, folder: Path) -> None:
        self.certificate, self.key = folder / "tls.crt", folder / "tls.key"
        self._folder = folder
        self._versions = itertools.count()
        folder.mkdir()
        for file in (self.certificate, self.key):
            file.symlink_to(Path("..data", file.name))

    def write(self, pair: KeyPair) -> None:
        version = self._folder / f"..version_{next(self._versions)}"
        version.mkdir()
        (version / self.certificate.name).write_bytes(pair.certificate)
        (version / self.key.name).write_bytes(pair.key)
        link = self._folder / "..data_tmp"
        link.symlink_to(version.name)
        link.replace(self._folder / "..data")


class Mounted:
    """Hardener with a mounted certificate, called for the pods of one namespace."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        now = Now.at(datetime.now(UTC))
        self._authority = make_authority(now, LIFE)
        self.trusted = self._authority.certificate.public_bytes(Encoding.PEM)
        self._mount = Mount(folder / "mount")
        self._cluster = cluster
        self.first = self.renew()
        self.hardener = Hardener()
        self.hardener.certificate_file, self.hardener.key_file = self._mount.certificate, self._mount.key
        self.namespace = cluster.make_namespace(labels={LABEL: NAME})

    def renew(self) -> bytes:
        """Put another certificate of the same authority in place, and return it."""
        pair = sign(self._authority, [LOOPBACK], Now.at(datetime.now(UTC)), LIFE)
        self._mount.write(pair)
        return pair.certificate

    def configuration(self) -> dict:
        selector = {"matchLabels": {LABEL: NAME}}
        bundle = base64.b64encode(self.trusted).decode()
        return webhook_configuration(NAME, self.hardener.url, bundle, namespace_selector=selector)

    def shows(self, certificate: bytes) -> bool:
        port = int(self.hardener.url.rpartition(":")[2])
        return ssl.get_server_certificate((LOOPBACK, port), timeout=10).strip() == certificate.decode().strip()

    def trust(self, pem: bytes) -> None:
        """What the API server is to trust. Each change makes it shake hands anew."""
        path = f"{REGISTRATION}/mutatingwebhookconfigurations/{NAME}"
        value = base64.b64encode(pem).decode()
        change = [{"op": "replace", "path": "/webhooks/0/clientConfig/caBundle", "value": value}]
        reply = self._cluster.request("PATCH", path, change, content_type="application/json-patch+json")
        assert reply.ok, reply.message

    def readings(self) -> int:
        """How often the log says that another certificate was read, so far."""
        return sum(line["message"] == "the certificate was read again" for line in self.hardener.log())

    def try_pod(self) -> Reply:
        """As if one were made: admission does not know the difference."""
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        return self._cluster.request("POST", path, POD, query={"dryRun": "All"})

    @contextmanager
    def load(self) -> Iterator[list[Reply]]:
        """Pods all the time, and handshakes too: the API server would else go on with the connections that it has."""
        replies: list[Reply] = []
        ended = threading.Event()

        def make() -> None:
            while not ended.is_set():
                replies.append(self.try_pod())

        def shake_hands() -> None:
            for blank_lines in itertools.count(1):
                if ended.wait(HANDSHAKES_SECONDS):
                    return
                self.trust(self.trusted + b"\n" * blank_lines)

        with ThreadPoolExecutor(MAKERS + 1) as pool:
            running = [pool.submit(shake_hands), *(pool.submit(make) for _ in range(MAKERS))]
            try:
                yield replies
            finally:
                ended.set()
            for each in running:
                each.result()


@pytest.fixture
def mounted(control_plane, tmp_path):
    made = Mounted(control_plane, tmp_path)
    with made.hardener:
        register(control_plane, made.configuration())
        yield made
        unregister(control_plane, made.configuration())


def test_no_pod_is_refused_while_the_certificate_is_replaced_and_the_api_server_comes_to_see_the_last_one(mounted):
    with mounted.load() as replies:
        for _ in range(ROTATIONS):
            seen = len(replies)
            last = mounted.renew()
            eventually(lambda last=last: mounted.shows(last), what="the new certificate is in use")
            eventually(lambda seen=seen: len(replies) > seen + 10, what="pods are made meanwhile")

    assert [reply.message for reply in replies if reply.status != 201] == []
    assert all(is_hardened(reply.body) for reply in replies)
    eventually(lambda: mounted.readings() >= ROTATIONS, what="the log tells of each certificate")
    # Only whoever is shown the last certificate can be content with it.
    mounted.trust(mounted.first)
    eventually(lambda: "x509" in mounted.try_pod().message, what="the first certificate is trusted, and not shown")
    mounted.trust(last)
    eventually(lambda: mounted.try_pod().status == 201, what="the last certificate is shown")
