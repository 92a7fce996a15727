"""Configuration and certificate, taken over while serving; a bad one leaves the last good one in force."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from hardener.errors import HardenerError
from hardener.policy.config import Config
from hardener.server.state import State
from hardener.server.watching import WatchedFiles, changes


async def follow_config(state: State, read: Callable[[], Config], files: WatchedFiles) -> None:
    """Read the configuration again whenever its file changes; ends only by being cancelled.

    `read` is what read it at the start; it runs in a thread, and may raise ConfigError.
    """
    async for _ in changes(files, state.limits.poll_seconds):
        try:
            state.config = await asyncio.to_thread(read)
        except HardenerError as error:
            state.log.failure("the new configuration is bad: the last good one stays in force", reason=str(error))
        # A bug in reading must not end the watch either.
        except Exception as error:
            state.log.failure("the new configuration cannot be read: the last good one stays in force", error)
        else:
            state.metrics.config_read(good=True, now=time.time())
            state.log.info("the configuration was read again", file=state.config.file)
            continue
        state.metrics.config_read(good=False, now=time.time())


async def follow_client_authorities(state: State, authorities: Path, files: WatchedFiles) -> None:
    """Trust clients of further authorities whenever their file changes; ends only by being cancelled."""
    async for _ in changes(files, state.limits.poll_seconds):
        try:
            state.certificate.trust_clients_of(authorities)
        except HardenerError as error:
            state.log.failure("the new client authorities are bad: the last good ones stay", reason=str(error))
        else:
            state.log.info("the client authorities were read again", file=str(authorities))


async def follow_certificate(state: State, certificate: Path, key: Path, files: WatchedFiles) -> None:
    """Load the certificate again whenever a file of the pair changes; ends only by being cancelled."""
    async for _ in changes(files, state.limits.poll_seconds):
        try:
            # Not in a thread: OpenSSL does not let a context be changed while another thread shakes hands with it.
            state.certificate.use_files(certificate, key)
        except HardenerError as error:
            state.metrics.certificate_read(None)
            state.log.failure("the new certificate is bad: the last good one stays in use", reason=str(error))
        else:
            expires = state.certificate.expires
            state.metrics.certificate_read(expires.timestamp())
            state.log.info("the certificate was read again", file=str(certificate), expires=expires.isoformat())
