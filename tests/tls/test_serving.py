import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization

from hardener.errors import CertificateError
from hardener.tls import KeyPair, ServingCertificate, self_signed

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
FIRST = self_signed(["localhost"], NOW, days=30)
SECOND = self_signed(["localhost"], NOW, days=60)


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


def shown_to_a_client(serving):
    """The certificate of a handshake in memory, as PEM."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trust.check_hostname = False
    trust.verify_mode = ssl.CERT_NONE
    client = trust.wrap_bio(to_client, to_server)
    server = serving.context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return ssl.DER_cert_to_PEM_cert(client.getpeercert(binary_form=True)).encode()


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
