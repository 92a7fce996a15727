"""Where the API server is, and what happens when it no longer knows us, or has another certificate."""

import asyncio
import json
import ssl
import stat
import sys
from datetime import UTC, datetime
from itertools import pairwise

import pytest
import yaml

from hardener.cluster import Cluster, credentials
from hardener.errors import StartError
from hardener.tls import self_signed
from tests.cluster.api_double import RESOURCES, ApiDouble
from tests.cluster.parts import credentials_for, fill, watching
from tests.server.serving import until

IN_CLUSTER = "kubernetes.aio.config.incluster_config"


def kubeconfig(folder, url, **user):
    """A kubeconfig with one context, and this as its user."""
    path = folder / "kubeconfig"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "it", "cluster": {"server": url}}],
        "users": [{"name": "me", "user": user}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "me"}}],
        "current-context": "it",
    }
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def tokens(api):
    return [asked.token for asked in api.asked]


class Authority:
    """A self-signed certificate on disk, and servers that have it."""

    def __init__(self, folder):
        self.path = folder / "ca.crt"

    def renew(self):
        """Make another certificate; return what a server needs to use it."""
        pair = self_signed(("127.0.0.1",), datetime.now(UTC), days=2)
        self.path.write_bytes(pair.certificate)
        key = self.path.with_suffix(".key")
        key.write_bytes(pair.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path, key)
        return context


@pytest.fixture
async def pod(tmp_path, monkeypatch):
    """An API server over TLS, and this process as a pod of its cluster."""
    authority = Authority(tmp_path)
    token = tmp_path / "token"
    token.write_text("first", encoding="utf-8")
    async with ApiDouble(context=authority.renew(), token="first") as api:
        monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
        monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(api.port))
        monkeypatch.setattr(f"{IN_CLUSTER}.SERVICE_TOKEN_FILENAME", str(token))
        monkeypatch.setattr(f"{IN_CLUSTER}.SERVICE_CERT_FILENAME", str(authority.path))
        api.authority, api.token_file = authority, token
        yield api


async def test_a_pod_finds_its_own_credentials(pod, start):
    await fill(pod)
    cluster = await start(credentials=credentials())
    assert cluster.facts("shop").known
    assert set(tokens(pod)) == {"bearer first"}


async def test_another_authority_of_the_api_server_is_noticed(pod, start):
    await fill(pod)
    cluster = await start(credentials=credentials())
    await until(lambda: watching(pod))
    await pod.stop()
    pod.context = pod.authority.renew()
    await pod.start()
    await pod.namespace("later")
    await until(lambda: cluster.facts("later").labels == {})


async def test_outside_of_a_cluster_the_error_names_the_ways_out(monkeypatch):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(StartError, match=r"Service host/port is not set.*--kubeconfig.*--standalone"):
        await Cluster(credentials()).start()


async def test_a_pod_without_a_token_is_told_so(pod):
    pod.token_file.unlink()
    with pytest.raises(StartError, match="Service token file does not exist"):
        await Cluster(credentials()).start()


async def test_a_bundle_that_holds_no_certificate_is_told(pod):
    pod.authority.path.write_text("no PEM", encoding="utf-8")
    with pytest.raises(StartError, match="certificates of the API server cannot be used"):
        await Cluster(credentials()).start()


async def test_a_kubeconfig_s_token_is_used(api, start, tmp_path):
    await fill(api)
    api.token = "secret"
    cluster = await start(credentials=credentials(kubeconfig(tmp_path, api.url, token="secret")))
    assert cluster.facts("shop").known
    assert set(tokens(api)) == {"Bearer secret"}


async def test_a_kubeconfig_s_authority_is_checked(tmp_path, start, lines):
    authority = Authority(tmp_path)
    async with ApiDouble(context=authority.renew()) as api:
        path = kubeconfig(tmp_path, api.url)
        cluster = await start(wait=False, credentials=credentials(path))
        await until(lambda: "CERTIFICATE_VERIFY_FAILED" in cluster.status().watches[0].reason)
        assert api.asked == []


async def test_a_plugin_s_token_is_used_and_asked_for_anew_when_it_is_refused(api, start, time, tmp_path):
    await fill(api)
    token = tmp_path / "token"
    token.write_text("first", encoding="utf-8")
    plugin = tmp_path / "plugin"
    version = "client.authentication.k8s.io/v1"
    credential = {"apiVersion": version, "kind": "ExecCredential", "status": {"token": "%s"}}
    plugin.write_text(
        f"#!{sys.executable}\nprint({json.dumps(credential)!r} % open({str(token)!r}).read())\n", encoding="utf-8"
    )
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    api.token = "first"
    path = kubeconfig(tmp_path, api.url, exec={"apiVersion": version, "command": str(plugin)})
    cluster = await start(credentials=credentials(path))
    await until(lambda: watching(api))
    api.token = "second"
    token.write_text("second", encoding="utf-8")
    time.now += 60
    await api.namespace("later", team="b")
    for resource in RESOURCES:
        api.drop(resource)
    await until(lambda: cluster.facts("later").labels == {"team": "b"})
    await until(lambda: tokens(api)[-4:] == ["Bearer second"] * 4)
    assert [watch.failures for watch in cluster.status().watches] == [1, 1, 1, 1]


async def test_refused_credentials_are_read_again_once_for_all_who_were_refused(api, start, time):
    api.token = "right"
    read = []

    async def changing():
        read.append(None)
        return await credentials_for(api.url, "wrong" if len(read) == 1 else "right")()

    await fill(api)
    cluster = await start(credentials=changing)
    assert cluster.facts("shop").known
    assert len(read) == 2


async def test_refused_credentials_are_not_read_again_at_once(api, start, time):
    api.token = "right"
    read = []

    async def wrong():
        read.append(time.now)
        return await credentials_for(api.url, "wrong")()

    cluster = await start(wait=False, credentials=wrong)
    await until(lambda: len(read) > 3)
    # The first time is the start, and the first refusal has them read again at once.
    assert all(later - earlier >= 10 for earlier, later in pairwise(read[1:]))
    assert "401 Unauthorized" in cluster.status().watches[0].reason


async def test_credentials_that_can_no_longer_be_read_are_told_and_tried_again(api, start, lines, tmp_path):
    await fill(api)
    api.token = "second"
    path = kubeconfig(tmp_path, api.url, token="first")
    once = credentials(path)
    cluster = await start(wait=False, credentials=once)
    path.write_text("no: kubeconfig", encoding="utf-8")
    await until(lambda: "the credentials were refused, and cannot be read again" in lines.messages("warning"))
    kubeconfig(tmp_path, api.url, token="second")
    assert await cluster.wait_until_synced(10)


async def test_credentials_that_take_too_long_are_given_up(start):
    async def slow():
        await asyncio.Event().wait()

    with pytest.raises(StartError, match=r"could not be read within 0\.05 s"):
        await start(credentials=slow, credentials_seconds=0.05)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: [",
        "[]",
        "null",
        "current-context: it",
        "apiVersion: v1\nkind: Config\nclusters: []\ncontexts: []\nusers: []\ncurrent-context: it",
        "clusters: 7\ncontexts: 7\nusers: 7\ncurrent-context: 7",
        '{"current-context": "it", "clusters": [{"name": "it"}], "users": [], "contexts": [{"name": "it", "context": {"cluster": "it"}}]}',
    ],
)
async def test_a_kubeconfig_that_cannot_be_used_is_an_error_that_names_it(tmp_path, text):
    path = tmp_path / "kubeconfig"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StartError) as raised:
        await credentials(path)()
    assert str(raised.value).startswith(f"{path}: is not a kubeconfig that can be used")


async def test_a_kubeconfig_that_is_not_there_is_an_error_that_names_it(tmp_path):
    with pytest.raises(StartError, match="there is no such kubeconfig"):
        await credentials(tmp_path / "none")()


async def test_a_kubeconfig_is_never_written_to(api, start, tmp_path):
    path = kubeconfig(tmp_path, api.url, token="secret")
    path.chmod(0o400)
    before = path.read_bytes()
    await start(credentials=credentials(path))
    assert path.read_bytes() == before


async def test_requests_name_the_product(api, start):
    seen = []
    original = api._note
    api._note = lambda request: (seen.append(request.headers["User-Agent"]), original(request))[1]
    await start()
    assert {agent.split("/")[0] for agent in seen} == {"hardener"}
