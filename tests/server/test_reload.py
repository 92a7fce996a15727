"""Certificate and configuration, replaced while the server runs."""

from datetime import UTC, datetime, timedelta

import pytest

from hardener.errors import CertificateError, ConfigError, StartError
from hardener.server.running import Options, Server
from hardener.tls import self_signed
from tests.server.serving import body, post, until

NOW = datetime.now(UTC)
NAMES = ["localhost", "127.0.0.1"]
FIRST = self_signed(NAMES, NOW, days=10)
SECOND = self_signed(NAMES, NOW, days=20)
EXPIRED = self_signed(NAMES, NOW - timedelta(days=10), days=5)

ENFORCED = "apiVersion: hardener.dev/v1\nkind: HardenerConfig\ndefault: standard\n"
NONE = "apiVersion: hardener.dev/v1\nkind: HardenerConfig\ndefault: none\n"


class Mounted:
    """A folder as the kubelet mounts a Secret or ConfigMap: files behind a symbolic link that is swapped."""

    def __init__(self, folder):
        self._folder = folder
        self._version = 0

    def write(self, **files):
        self._version += 1
        version = self._folder / f"..{self._version}"
        version.mkdir()
        for name, content in files.items():
            (version / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        link = self._folder / "..new"
        link.symlink_to(version.name)
        link.rename(self._folder / "..data")
        for name in files:
            path = self._folder / name
            if not path.is_symlink():
                path.symlink_to(f"..data/{name}")

    def remove(self):
        (self._folder / "..data").unlink()

    def path(self, name):
        return self._folder / name


@pytest.fixture
def mounted(tmp_path):
    return Mounted(tmp_path)


@pytest.fixture
async def with_files(serve, mounted):
    mounted.write(crt=FIRST.certificate, key=FIRST.key)
    return await serve(certificate=mounted.path("crt"), key=mounted.path("key"))


@pytest.fixture
async def with_config(serve, mounted):
    mounted.write(config=ENFORCED)
    return await serve(config=mounted.path("config"))


async def is_patched(webhook):
    return "patch" in (await webhook.ask())["response"]


async def test_new_handshakes_show_the_new_certificate_and_open_connections_stay(with_files, mounted):
    old = await with_files.connect()
    old.send(post(body(uid="before")))
    assert (await old.answer())[0] == 200
    mounted.write(crt=SECOND.certificate, key=SECOND.key)
    await until(lambda: with_files.logged("the certificate was read again"))
    new = await with_files.connect(certificate=SECOND.certificate)

    assert new.certificate() == SECOND.certificate
    assert old.certificate() == FIRST.certificate
    for connection in (old, new):
        connection.send(post(body(uid="after")))
        assert (await connection.answer())[0] == 200
    # Files that are replaced between the looks at one and at the other are read once more.
    assert with_files.count("hardener_certificate_reloads_total", result="good") >= 2
    assert with_files.count("hardener_certificate_expiry_timestamp_seconds") == pytest.approx(
        (NOW + timedelta(days=20)).timestamp(), abs=1
    )


@pytest.mark.parametrize(
    "files",
    [
        {"crt": SECOND.certificate, "key": FIRST.key},
        {"crt": b"", "key": b""},
        {"crt": b"nonsense", "key": SECOND.key},
        {"crt": SECOND.certificate, "key": SECOND.key[:100]},
    ],
    ids=["another's key", "empty files", "no certificate", "half a key"],
)
async def test_a_bad_new_certificate_leaves_the_old_one_in_use_until_a_good_one_comes(with_files, mounted, files):
    mounted.write(**files)
    await until(lambda: with_files.logged("the new certificate is bad"))

    assert (await with_files.connect()).certificate() == FIRST.certificate
    assert str(mounted.path("crt")) in with_files.logged("the new certificate is bad")[0]["reason"]
    assert await with_files.get("/readyz") == (200, "ok\n")
    assert with_files.count("hardener_certificate_reloads_total", result="bad") == 1

    mounted.write(crt=SECOND.certificate, key=SECOND.key)
    await until(lambda: with_files.logged("the certificate was read again"))

    assert (await with_files.connect(certificate=SECOND.certificate)).certificate() == SECOND.certificate


async def test_files_that_vanish_leave_the_certificate_in_use(with_files, mounted):
    mounted.remove()
    await until(lambda: with_files.logged("the new certificate is bad"))

    assert (await with_files.connect()).certificate() == FIRST.certificate


async def test_an_expired_certificate_is_served_but_readiness_says_so(serve, mounted):
    mounted.write(crt=EXPIRED.certificate, key=EXPIRED.key)
    webhook = await serve(certificate=mounted.path("crt"), key=mounted.path("key"))
    status, text = await webhook.get("/readyz")

    assert status == 503
    assert text.startswith("the serving certificate is not valid now; it ends at 20")
    assert text.count("\n") == 1


async def test_a_new_configuration_is_in_force_without_a_restart(with_config, mounted):
    connection = await with_config.connect()
    assert await is_patched(with_config)
    mounted.write(config=NONE)
    await until(lambda: with_config.logged("the configuration was read again"))

    assert not await is_patched(with_config)
    connection.send(post(body()))
    assert (await connection.answer())[0] == 200
    assert with_config.count("hardener_config_reloads_total", result="good") == 2


async def test_a_bad_new_configuration_leaves_the_last_good_one_in_force(with_config, mounted):
    last_good = with_config.count("hardener_config_last_good_timestamp_seconds")
    mounted.write(config=ENFORCED.replace("standard", "standart"))
    await until(lambda: with_config.logged("the new configuration is bad"))

    assert await is_patched(with_config)
    assert await with_config.get("/readyz") == (200, "ok\n")
    assert with_config.count("hardener_config_reloads_total", result="bad") == 1
    assert with_config.count("hardener_config_last_good_timestamp_seconds") == last_good
    (line,) = with_config.logged("the new configuration is bad")
    assert f"{mounted.path('config')}:3" in line["reason"]
    assert "standard" in line["reason"]

    mounted.write(config=NONE)
    await until(lambda: with_config.logged("the configuration was read again"))
    assert not await is_patched(with_config)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a: [", b"", b"[" * 5000])
async def test_whatever_is_in_the_file_the_watch_goes_on(with_config, mounted, content):
    mounted.write(config=content)
    await until(lambda: with_config.count("hardener_config_reloads_total", result="bad"))
    mounted.write(config=NONE)
    await until(lambda: with_config.logged("the configuration was read again"))

    assert not await is_patched(with_config)


async def test_a_vanished_configuration_is_a_bad_one(with_config, mounted):
    mounted.remove()
    await until(lambda: with_config.logged("the new configuration is bad"))

    assert await is_patched(with_config)


async def test_files_that_do_not_change_are_not_read_again(with_config, mounted):
    mounted.write(config=ENFORCED)
    mounted.write(config=NONE)
    await until(lambda: with_config.logged("the configuration was read again"))

    assert len(with_config.logged("the configuration was read again")) == 1


async def test_the_server_does_not_start_with_a_bad_configuration(mounted):
    mounted.write(config="kind: Nonsense\n")

    with pytest.raises(ConfigError, match="config:1"):
        await Server(Options(config=mounted.path("config"))).start()


async def test_the_server_does_not_start_with_a_bad_certificate(mounted):
    mounted.write(crt=FIRST.certificate, key=SECOND.key)

    with pytest.raises(CertificateError, match="the key is not the certificate's"):
        await Server(Options(certificate=mounted.path("crt"), key=mounted.path("key"))).start()


async def test_a_port_in_use_is_named(webhook):
    with pytest.raises(StartError, match=rf"127.0.0.1 port {webhook.server.port} cannot be opened"):
        await Server(Options(port=webhook.server.port)).start()


def test_what_a_server_shares_is_not_there_before_it_starts():
    with pytest.raises(StartError, match="call start"):
        _ = Server(Options()).state
