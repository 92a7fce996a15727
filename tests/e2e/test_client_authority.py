"""Only the API server may call: it shows the certificate that the kubeconfig of the documentation gives it."""

import base64
import http.client
import re
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from hardener.tls import self_signed
from hardener.tls.authority import make_authority, private_pem, service_names
from hardener.tls.clocks import Now
from tests.e2e.cluster import Cluster
from tests.e2e.conftest import kubernetes_version
from tests.e2e.control_plane import ControlPlane
from tests.e2e.hardening import is_hardened
from tests.e2e.registration import LABEL, reached_by_service, register, webhook_configuration
from tests.e2e.waiting import eventually
from tests.e2e.webhook import LOOPBACK, ROOT, Hardener

PAGE = ROOT / "docs" / "operations.md"
HEADING = "## Only the API server may call"
DOCUMENTED_FOLDER = "/etc/kubernetes"
SERVICE, NAMESPACE = "hardener", "hardener-system"
POD = {"metadata": {"generateName": "web-"}, "spec": {"containers": [{"name": "app", "image": "web:1"}]}}
LIFE = timedelta(days=2)


class Callers:
    """An authority, whose certificate the folder holds as `<name>.crt`, and certificates for clients."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self._authority = make_authority(Now.at(datetime.now(UTC)), LIFE)
        self.file = folder / f"{name}.crt"
        self.file.write_bytes(self._authority.certificate.public_bytes(Encoding.PEM))

    def certify(self, name: str) -> None:
        """Write `<name>.crt` and `<name>.key`."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self._authority.certificate
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(issuer.subject, subject, key.public_key(), x509.random_serial_number())
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        certificate = (
            builder.not_valid_before(now - LIFE)
            .not_valid_after(issuer.not_valid_after_utc)
            .add_extension(usage, critical=False)
            .sign(self._authority.key, hashes.SHA256())
        )
        (self.folder / f"{name}.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
        (self.folder / f"{name}.key").write_bytes(private_pem(key))


def documented() -> list[str]:
    """The two files of the page: what the API server is told, and the kubeconfig."""
    section = PAGE.read_text(encoding="utf-8").partition(f"{HEADING}\n")[2].partition("\n## ")[0]
    return re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """With all certificates of callers."""
    made = tmp_path_factory.mktemp("callers")
    Callers(made, "callers").certify("webhooks")
    Callers(made, "others").certify("other")
    return made


@pytest.fixture(scope="module")
def guarded(folder):
    """Hardener, with a certificate for its Service and for its address."""
    made = Hardener(arguments=[f"--client-ca-file={folder / 'callers.crt'}"])
    pair = self_signed((*service_names(SERVICE, NAMESPACE), LOOPBACK), datetime.now(UTC), days=2)
    made.certificate_file.write_bytes(pair.certificate)
    made.key_file.write_bytes(pair.key)
    made.ca_bundle = base64.b64encode(pair.certificate).decode()
    with made:
        yield made


@pytest.fixture(scope="module")
def port(guarded):
    return int(guarded.url.rpartition(":")[2])


@pytest.fixture(scope="module")
def cluster(request, folder, port):
    """An API server that has been told as the page says; only paths and port are others."""
    admission, kubeconfig = (text.replace(DOCUMENTED_FOLDER, str(folder)) for text in documented())
    host = f"{SERVICE}.{NAMESPACE}.svc"
    assert kubeconfig.count(f"name: {host}\n") == 1
    kubeconfig = kubeconfig.replace(f"name: {host}\n", f"name: {host}:{port}\n")
    (path,) = {plugin["configuration"]["kubeConfigFile"] for plugin in yaml.safe_load(admission)["plugins"]}
    Path(path).write_text(kubeconfig, encoding="utf-8")
    (folder / "admission.yaml").write_text(admission, encoding="utf-8")
    flags = [f"--admission-control-config-file={folder / 'admission.yaml'}"]
    with ControlPlane(controllers=False, api_flags=flags, version=kubernetes_version(request.config)) as started:
        started.make_namespace(NAMESPACE)
        leads_here = {"type": "ExternalName", "externalName": LOOPBACK}
        service = {"metadata": {"name": SERVICE}, "spec": leads_here}
        made = started.request("POST", f"/api/v1/namespaces/{NAMESPACE}/services", service)
        assert made.status == 201, made.message
        yield started


def create(cluster: Cluster, namespace: str):
    return cluster.request("POST", f"/api/v1/namespaces/{namespace}/pods", POD)


def test_the_api_server_shows_its_certificate_where_it_was_told_to_and_pods_are_hardened(cluster, guarded, port):
    labels = {LABEL: "told"}
    by_url = webhook_configuration(
        "zz-told", guarded.url, guarded.ca_bundle, failure_policy="Fail", namespace_selector={"matchLabels": labels}
    )
    configuration = reached_by_service(by_url, NAMESPACE, SERVICE)
    configuration["webhooks"][0]["clientConfig"]["service"]["port"] = port
    register(cluster, configuration)

    made = create(cluster, cluster.make_namespace(labels=labels))
    assert made.status == 201, made.message
    assert is_hardened(made.body)


def test_elsewhere_it_shows_none_and_pods_are_refused_with_a_message_that_says_little(cluster, guarded):
    """The same server by another host, for which the kubeconfig has no user."""
    labels = {LABEL: "not-told"}
    namespace = cluster.make_namespace(labels=labels)
    configuration = webhook_configuration(
        "zz-not-told", guarded.url, guarded.ca_bundle, failure_policy="Fail", namespace_selector={"matchLabels": labels}
    )
    register(cluster, configuration)

    refused = eventually(lambda: (reply := create(cluster, namespace)).status != 201 and reply, what="a pod is refused")
    assert refused.status == 500
    assert "failed calling webhook" in refused.message
    # The page promises the first; on a busy machine the end may come a moment earlier, or before anything was sent.
    ends = ("EOF", "connection reset by peer", "broken pipe", "server closed idle connection")
    assert refused.message.endswith(ends)


@pytest.mark.parametrize(("shown", "is_heard"), [(None, False), ("other", False), ("webhooks", True)])
def test_who_has_no_certificate_of_that_authority_is_turned_away(guarded, folder, port, shown, is_heard):
    context = ssl.create_default_context(cafile=guarded.certificate_file)
    if shown:
        context.load_cert_chain(folder / f"{shown}.crt", folder / f"{shown}.key")
    connection = http.client.HTTPSConnection(LOOPBACK, port, context=context, timeout=10)
    try:
        if is_heard:
            assert status(connection) == 405
        else:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                status(connection)
    finally:
        connection.close()


def status(connection: http.client.HTTPSConnection) -> int:
    connection.request("GET", "/mutate")
    return connection.getresponse().status
