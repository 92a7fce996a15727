"""`hardener serve`: the webhook."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hardener.errors import StartError

if TYPE_CHECKING:
    from hardener.cluster import Credentials
    from hardener.server.self_managed import Installation

ALL_ADDRESSES = "0.0.0.0"  # noqa: S104  the API server reaches a pod at its pod address, which is not known here

PORT = click.IntRange(0, 65535)
LOG_FORMATS = ("json", "console")
DEBUG = "debug"
LOG_LEVELS = ("info", DEBUG)
FILE = click.Path(path_type=Path)


@click.command()
@click.option("--config", type=FILE, help="Configuration file; read again when it changes. Default: the embedded one.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Enforce nothing, whatever the configuration says, also after it is read again: every pod passes unchanged, and "
    "warnings, log, metrics and the audit log tell what would have been done. For a first day in a cluster.",
)
@click.option("--standalone", is_flag=True, help="Decide without facts of a cluster: no labels, LimitRanges, quotas.")
@click.option("--kubeconfig", type=FILE, help="How to reach the cluster; without it, as the pod's service account.")
@click.option("--address", help="Address to listen on.  [default: 0.0.0.0, and 127.0.0.1 with --dev]")
@click.option(
    "--port", type=PORT, default=8443, show_default=True, help="Port of /mutate and /explain, TLS; 0 picks a free one."
)
@click.option(
    "--metrics-port",
    type=PORT,
    default=8080,
    show_default=True,
    help="Port of /healthz, /readyz and /metrics, plain HTTP; 0 picks a free one.",
)
@click.option(
    "--namespace-metrics", is_flag=True, help="Count reviews by namespace too: one more label of many values."
)
@click.option("--tls-cert-file", type=FILE, help="Certificate and chain, PEM; read again when it changes.")
@click.option("--tls-private-key-file", type=FILE, help="Its private key, PEM, without a passphrase.")
@click.option(
    "--tls-secret",
    metavar="NAMESPACE/NAME",
    help="Keep an authority and a certificate in this Secret, renew them, and publish the authority.",
)
@click.option(
    "--tls-service",
    default="hardener",
    show_default=True,
    help="With --tls-secret: the Service, in the Secret's namespace, by which the API server calls.",
)
@click.option(
    "--webhook-configuration",
    default="zz-hardener",
    show_default=True,
    help="With --tls-secret: name of the mutating and of the validating webhook configuration that trust the authority.",
)
@click.option(
    "--client-ca-file",
    type=FILE,
    help="Authorities, PEM: only clients whose certificate one of them has signed may call; read again when it changes.",
)
@click.option("--dev", is_flag=True, help="For trying out: loopback, standalone, a self-signed certificate.")
@click.option(
    "--shutdown-delay",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="Seconds to go on answering after SIGTERM, while the cluster learns of it.",
)
@click.option(
    "--log-format",
    type=click.Choice(LOG_FORMATS),
    default="json",
    show_default=True,
    help="Lines on standard error: JSON objects for programs, or a form for people at a terminal.",
)
@click.option(
    "--log-level",
    type=click.Choice(LOG_LEVELS),
    default="info",
    show_default=True,
    help="info: reviews in which something was changed, announced, or went wrong; debug: every review.",
)
def serve(
    config: Path | None,
    dry_run: bool,
    standalone: bool,
    kubeconfig: Path | None,
    address: str | None,
    port: int,
    metrics_port: int,
    namespace_metrics: bool,
    tls_cert_file: Path | None,
    tls_private_key_file: Path | None,
    tls_secret: str | None,
    tls_service: str,
    webhook_configuration: str,
    client_ca_file: Path | None,
    dev: bool,
    shutdown_delay: float,
    log_format: str,
    log_level: str,
) -> None:
    """Answer the API server's reviews until SIGTERM.

    https://ADDRESS:PORT/mutate hardens pods when they are made, and /explain tells who applies a workload what its pods
    will receive, without ever changing or refusing it.

    Exit code 0: ended as it was told to; 2: it cannot start, as with a bad configuration; 3: an internal error.
    """
    if (dev or standalone) and (kubeconfig or tls_secret):
        raise StartError("--dev and --standalone know no cluster; leave out --kubeconfig and --tls-secret, or them")
    _check_certificate_choice(dev, tls_cert_file, tls_private_key_file, tls_secret)
    # aiohttp and what belongs to it cost more than the other commands take as a whole.
    from hardener.server.log import FORMATS, Log  # noqa: PLC0415  see above
    from hardener.server.process import run  # noqa: PLC0415  see above
    from hardener.server.running import LOOPBACK, Options  # noqa: PLC0415  see above

    options = Options(
        address=address or (LOOPBACK if dev else ALL_ADDRESSES),
        port=port,
        metrics_port=metrics_port,
        config=config,
        dry_run=dry_run,
        namespace_metrics=namespace_metrics,
        cluster=None if dev or standalone else _credentials(kubeconfig),
        certificate=tls_cert_file,
        key=tls_private_key_file,
        self_managed=_installation(tls_secret, tls_service, webhook_configuration) if tls_secret else None,
        client_authorities=client_ca_file,
    )
    run(options, shutdown_delay, Log(sys.stderr.buffer, FORMATS[log_format], debugs=log_level == DEBUG))


def _credentials(kubeconfig: Path | None) -> "Credentials":
    # The library behind it takes a third of the memory of a server that stands alone.
    from hardener.cluster import credentials  # noqa: PLC0415  see above

    return credentials(kubeconfig)


def _installation(secret: str, service: str, configuration: str) -> "Installation":
    namespace, slash, name = secret.partition("/")
    if not (namespace and slash and name) or "/" in name:
        raise StartError(f"--tls-secret {secret!r} names no Secret; write NAMESPACE/NAME")
    # It stands on the cluster's library, as above.
    from hardener.server.self_managed import Installation  # noqa: PLC0415  see above
    from hardener.tls.authority import service_names  # noqa: PLC0415  see above

    return Installation(namespace, name, configuration, service_names(service, namespace))


def _check_certificate_choice(dev: bool, certificate: Path | None, key: Path | None, secret: str | None) -> None:
    if dev and (certificate or key):
        raise StartError("--dev makes its own certificate; leave out --tls-cert-file and --tls-private-key-file")
    if secret and (certificate or key):
        raise StartError("--tls-secret and certificate files exclude one another; leave out one of them")
    if not dev and not secret and not (certificate and key):
        raise StartError(
            "no certificate: give --tls-cert-file and --tls-private-key-file, --tls-secret to have it kept in the "
            "cluster, or --dev for a throw-away one"
        )
