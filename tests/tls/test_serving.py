import ssl
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from hardener.errors import CertificateError
from hardener.tls import KeyPair, ServingCertificate, self_signed


def client_pair(name):
    """A certificate that is its own authority, for a client; valid by the clock of the machine."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return KeyPair(certificate.public_bytes(serialization.Encoding.PEM), private)


NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FIRST = self_signed(["localhost"], NOW, days=30)
SECOND = self_signed(["localhost"], NOW, days=60)
API_SERVER, STRANGER = (client_pair(name) for name in ("api-server", "stranger"))


def write(folder, pair):
    certificate, key = folder / "tls.crt", folder / "tls.key"
    certificate.write_bytes(pair.certificate)
    key.write_bytes(pair.key)
    return certificate, key


def with_passphrase(key):
    private = serialization.load_pem_private_key(key, None)
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )


def handshake(serving, shown=None, folder=None):
    """Both sides of a handshake in memory; the client shows a pair, or nothing.

    Raises ssl.SSLError where the server turns it away.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust.check_hostname = False
    trust.verify_mode = ssl.CERT_NONE
    if shown is not None:
        trust.load_cert_chain(*write(folder, shown))
    client = trust.wrap_bio(to_client, to_server)
    server = serving.context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return client, server


def shown_to_a_client(serving):
    """The server's certificate, as PEM."""
    client, _ = handshake(serving)
    return ssl.DER_cert_to_PEM_cert(client.getpeercert(binary_form=True)).encode()


def shown_by_a_client(serving, shown=None, folder=None):
    """The client's certificate, as DER."""
    _, server = handshake(serving, shown, folder)
    return server.getpeercert(binary_form=True)


def test_without_a_certificate_it_is_never_valid():
    assert ServingCertificate().valid_at(NOW) is False


def test_a_pair_in_memory_is_served():
    serving = ServingCertificate()
    serving.use(FIRST)

    assert shown_to_a_client(serving) == FIRST.certificate
    assert serving.pem == FIRST.certificate
    assert serving.expires == NOW + timedelta(days=30)
    assert serving.valid_at(NOW)
    assert not serving.valid_at(NOW + timedelta(days=31))


def test_a_new_pair_of_files_replaces_the_old(tmp_path):
    serving = ServingCertificate()
    serving.use_files(*write(tmp_path, FIRST))
    serving.use_files(*write(tmp_path, SECOND))

    assert shown_to_a_client(serving) == SECOND.certificate


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (KeyPair(SECOND.certificate, FIRST.key), "the key is not the certificate's"),
        (KeyPair(b"nothing", FIRST.key), "one of them holds no PEM"),
        (KeyPair(SECOND.certificate, b"nothing"), "one of them holds no PEM"),
        (KeyPair(b"", b""), "one of them holds no PEM"),
        (KeyPair(SECOND.certificate, with_passphrase(SECOND.key)), "passphrase"),
    ],
)
def test_a_bad_pair_is_named_and_the_last_good_one_stays(tmp_path, pair, message):
    serving = ServingCertificate()
    serving.use(FIRST)
    files = write(tmp_path, pair)

    with pytest.raises(CertificateError, match=message) as caught:
        serving.use_files(*files)

    assert str(files[0]) in str(caught.value)
    assert shown_to_a_client(serving) == FIRST.certificate


@pytest.mark.parametrize("missing", ["tls.crt", "tls.key"])
def test_a_missing_file_is_named(tmp_path, missing):
    files = write(tmp_path, FIRST)
    (tmp_path / missing).unlink()

    with pytest.raises(CertificateError, match=rf"{missing}: the .* cannot be read \(No such file or directory\)"):
        ServingCertificate().use_files(*files)


def test_nothing_older_than_tls_1_2_is_spoken():
    context = ServingCertificate().context

    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert all("ECDHE" in cipher["name"] or cipher["protocol"] == "TLSv1.3" for cipher in context.get_ciphers())


def authorities(folder, *pairs):
    file = folder / "clients.crt"
    file.write_bytes(b"".join(pair.certificate for pair in pairs))
    return file


def test_only_clients_of_the_named_authorities_are_answered(tmp_path):
    serving = ServingCertificate()
    serving.use(FIRST)
    serving.trust_clients_of(authorities(tmp_path, API_SERVER))

    assert shown_by_a_client(serving, API_SERVER, tmp_path) == ssl.PEM_cert_to_DER_cert(API_SERVER.certificate.decode())
    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN_A_CERTIFICATE"):
        handshake(serving)
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        handshake(serving, STRANGER, tmp_path)


def test_authorities_that_come_later_are_added(tmp_path):
    serving = ServingCertificate()
    serving.use(FIRST)
    serving.trust_clients_of(authorities(tmp_path, STRANGER))
    serving.trust_clients_of(authorities(tmp_path, API_SERVER))

    assert shown_by_a_client(serving, API_SERVER, tmp_path)


@pytest.mark.parametrize(("content", "told"), [(None, "cannot be read"), (b"no PEM", "holds no certificate in PEM")])
def test_authorities_that_cannot_be_used_are_named_and_nobody_new_is_trusted(tmp_path, content, told):
    file = tmp_path / "clients.crt"
    if content is not None:
        file.write_bytes(content)
    serving = ServingCertificate()
    serving.use(FIRST)

    with pytest.raises(CertificateError, match=f"clients.crt: .*{told}"):
        serving.trust_clients_of(file)
    assert shown_by_a_client(serving) is None


@pytest.fixture
def without_a_temporary_folder(monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")


@pytest.fixture
def without_files_in_memory(monkeypatch):
    """As in a sandbox that forbids the system call, or on another system."""

    def refuse(name):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.memfd_create", refuse, raising=False)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has files in memory")
@pytest.mark.usefixtures("without_a_temporary_folder")
def test_no_folder_has_to_be_writable_and_no_file_stays_open():
    serving = ServingCertificate()
    before = sorted(Path("/proc/self/fd").iterdir())
    serving.use(FIRST)

    assert shown_to_a_client(serving) == FIRST.certificate
    assert sorted(Path("/proc/self/fd").iterdir()) == before


@pytest.mark.usefixtures("without_files_in_memory")
def test_without_files_in_memory_a_temporary_folder_will_do_which_is_gone_afterwards(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    serving = ServingCertificate()
    serving.use(FIRST)

    assert shown_to_a_client(serving) == FIRST.certificate
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("without_files_in_memory")
def test_without_either_it_says_what_is_needed_and_the_last_good_pair_stays(monkeypatch):
    serving = ServingCertificate()
    serving.use(FIRST)
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")

    with pytest.raises(CertificateError, match=r"No such file or directory.*let /tmp be writable"):
        serving.use(SECOND)

    assert shown_to_a_client(serving) == FIRST.certificate
