"""The end of a server: everything is still answered, nothing is cut off, and the exit code is 0."""

import asyncio
import json
import signal
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import replace

import aiohttp
import pytest

from tests.server.processes import FREE, files, process, standalone
from tests.server.serving import JSON, QUICK, body, post, trust, until


async def test_during_the_delay_requests_are_answered_on_closing_connections_and_readiness_is_off(webhook):
    idle = await webhook.connect()
    draining = asyncio.create_task(webhook.server.stop(delay=60))
    await until(lambda: webhook.server.state.draining)
    new = await webhook.connect()

    for connection in (idle, new):
        connection.send(post(body()))
        status, headers, _ = await connection.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert await connection.closed() == b""
    assert await webhook.get("/readyz") == (503, "the server is shutting down\n")
    assert await webhook.get("/healthz") == (200, "ok\n")

    draining.cancel()
    with suppress(asyncio.CancelledError):
        await draining


async def test_a_request_whose_body_is_still_coming_is_finished(webhook):
    content = body(uid="late")
    slow = await webhook.connect()
    slow.send(post(content[:100], length=len(content)))
    await until(lambda: webhook.server.state.in_flight.requests)
    stopping = asyncio.create_task(webhook.server.stop())
    await until(lambda: webhook.server.state.draining)
    slow.send(content[100:])
    status, headers, text = await slow.answer()
    await stopping

    assert (status, headers["connection"]) == (200, "close")
    assert json.loads(text)["response"]["uid"] == "late"


async def test_who_does_not_answer_the_farewell_of_tls_is_cut_off_before_the_end(webhook):
    """Otherwise the connection would outlive the server, and the event loop complain of it."""

    def shake_hands():
        bare = socket.create_connection(("localhost", webhook.server.port), timeout=5)
        return trust(webhook.server.certificate_pem).wrap_socket(bare, server_hostname="localhost")

    silent = await asyncio.to_thread(shake_hands)
    await webhook.server.stop()
    # Below TLS, which would answer.
    with socket.socket(fileno=silent.detach()) as bare:
        bare.settimeout(0)
        with suppress(ConnectionResetError):
            while bare.recv(4096):
                continue


async def test_a_request_that_never_ends_is_cut_off_in_the_end(serve):
    webhook = await serve(limits=replace(QUICK, finish_seconds=0.2))
    stuck = await webhook.connect()
    stuck.send(post(b"{", length=100))
    await until(lambda: webhook.server.state.in_flight.requests)
    async with asyncio.timeout(5):
        await webhook.server.stop()

    await stuck.closed()
    assert webhook.logged("requests were cut off")[0]["count"] == 1


async def test_idle_connections_are_closed_at_the_end(webhook):
    idle, silent = await webhook.connect(), await webhook.connect()
    idle.send(post(body()))
    await idle.answer()
    await webhook.server.stop()

    assert await idle.closed() == b""
    assert await silent.closed() == b""
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", webhook.server.port)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_drains_the_process_and_it_exits_with_0(certificate, number):
    async with process(*standalone(certificate, "--shutdown-delay", "1")) as running:
        await until(lambda: running.logged("serving"), 20)
        urls = running.logged("serving")[0]
        connector = aiohttp.TCPConnector(ssl=trust(certificate.read_bytes()))
        async with aiohttp.ClientSession(connector=connector, headers=JSON) as client:
            async with client.post(urls["mutate"], data=body()) as response:
                assert response.status == 200
                assert response.headers.get("Connection") != "close"
            running.process.send_signal(number)
            await until(lambda: running.logged("draining"))
            async with client.get(f"{urls['metrics']}/readyz") as response:
                assert response.status == 503
            async with client.post(urls["mutate"], data=body(uid="during")) as response:
                assert response.headers["Connection"] == "close"
                assert (await response.json())["response"]["uid"] == "during"

        assert await running.exit_code() == 0
        assert running.lines[-1]["message"] == "stopped"
        assert [line for line in running.lines if line.get("level") != "info"] == []


async def test_dev_needs_no_files_and_serves_on_the_loopback_address():
    async with process("--dev", *FREE, "--shutdown-delay", "0") as running:
        await until(lambda: running.logged("serving"), 20)
        urls = running.logged("serving")[0]
        assert urls["mutate"].startswith("https://127.0.0.1:")
        async with aiohttp.ClientSession() as client, client.get(f"{urls['metrics']}/readyz") as response:
            assert response.status == 200
        port = int(urls["mutate"].rpartition(":")[2].removesuffix("/mutate"))
        shown = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port))
        assert shown.startswith("-----BEGIN CERTIFICATE-----")
        running.process.terminate()

        assert await running.exit_code() == 0


async def test_a_second_signal_ends_the_process_at_once():
    async with process("--dev", *FREE, "--shutdown-delay", "60") as running:
        await until(lambda: running.logged("serving"), 20)
        started = time.monotonic()
        running.process.terminate()
        await until(lambda: running.logged("draining"))
        running.process.terminate()

        assert await running.exit_code() == 128 + signal.SIGTERM
        assert running.logged("ended by a second signal")
        assert time.monotonic() - started < 10


async def test_options_are_environment_variables_too():
    async with process(
        HARDENER_SERVE_DEV="1",
        HARDENER_SERVE_PORT="0",
        HARDENER_SERVE_METRICS_PORT="0",
        HARDENER_SERVE_SHUTDOWN_DELAY="0",
        HARDENER_PORT="tcp://10.0.0.1:443",
    ) as running:
        await until(lambda: running.logged("serving"), 20)
        running.process.terminate()

        assert await running.exit_code() == 0


MISTAKES = {
    "nothing": ([], "or --dev for a throw-away one"),
    "neither cluster nor standalone": (files("a.crt"), "name a kubeconfig with --kubeconfig, or use --standalone"),
    "a missing kubeconfig": ([*files("a.crt"), "--kubeconfig", "missing.yaml"], "missing.yaml: there is no such"),
    "a kubeconfig that is none": ([*files("a.crt"), "--kubeconfig", "pyproject.toml"], "is not a kubeconfig"),
    "a cluster for standalone": (
        ["--standalone", "--kubeconfig", "a.yaml"],
        "leave out --kubeconfig and --tls-secret, or them",
    ),
    "a cluster for dev": (["--dev", "--kubeconfig", "a.yaml"], "leave out --kubeconfig and --tls-secret, or them"),
    "no certificate": (["--standalone"], "--tls-cert-file and --tls-private-key-file, --tls-secret"),
    "half a certificate": (["--standalone", "--tls-cert-file", "a.crt"], "--tls-private-key-file"),
    "a certificate for dev": (["--dev", "--tls-cert-file", "a.crt"], "leave out --tls-cert-file"),
    "a missing certificate": (
        ["--standalone", "--tls-cert-file", "missing.crt", "--tls-private-key-file", "missing.key"],
        "missing.crt: the certificate cannot be read (No such file or directory)",
    ),
    "a missing configuration": (["--dev", "--config", "missing.yaml"], "missing.yaml"),
    "an address of someone else": (["--dev", "--address", "192.0.2.1"], "192.0.2.1 port"),
}


@pytest.mark.parametrize(("arguments", "message"), MISTAKES.values(), ids=MISTAKES)
async def test_a_mistake_at_the_start_is_one_line_and_exit_code_2(arguments, message):
    # A pod that runs the tests has an account itself.
    async with process(*arguments, *FREE, KUBERNETES_SERVICE_HOST="") as running:
        assert await running.exit_code() == 2
        assert len(running.lines) == 1
        assert message in running.lines[0]["message"]


async def test_a_port_in_use_is_one_line_and_exit_code_2(webhook):
    port = webhook.server.port
    async with process("--dev", "--port", str(port), "--metrics-port", "0") as running:
        assert await running.exit_code() == 2
        assert len(running.lines) == 1
        assert f"127.0.0.1 port {port} cannot be opened" in running.lines[0]["message"]
