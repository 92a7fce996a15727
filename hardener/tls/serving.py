"""The certificate in use: a live SSLContext whose certificate may be replaced at any time.

A pair is tried in a context of its own first, and only then loaded into the live one. Handshakes from then on use it,
and open connections go on with the one that they began with.
"""

import errno
import os
import ssl
import sys
import tempfile
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path

from hardener.errors import CertificateError
from hardener.tls.certificate import KeyPair, expires_at, valid_at

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""What TLS 1.2 may use, forward secret and authenticated only; those of TLS 1.3 are sound as they are."""


class ServingCertificate:
    """The certificate that handshakes are answered with, once one is in place."""

    def __init__(self) -> None:
        self.context = _context()
        self.pem = b""
        """The certificate in use, public parts only; empty until there is one."""

    def valid_at(self, now: datetime) -> bool:
        """Whether handshakes succeed at that time, as far as dates go."""
        return bool(self.pem) and valid_at(self.pem, now)

    @property
    def expires(self) -> datetime:
        """Raises CertificateError where no certificate is in place."""
        return expires_at(self.pem)

    def use(self, pair: KeyPair) -> None:
        """Serve with a pair that is held in memory; raises CertificateError."""
        # OpenSSL reads from files only, and these are gone again at once.
        with ExitStack() as stack:
            self.use_files(*_files(pair, stack))

    def use_files(self, certificate: Path, key: Path) -> None:
        """Serve with a pair of PEM files; raises CertificateError and goes on with the last good pair."""
        pem = _read(certificate, "certificate")
        _read(key, "key")
        _load(_context(), certificate, key)
        try:
            expires_at(pem)
        except CertificateError as error:
            raise CertificateError(f"{certificate}: {error}") from error
        _load(self.context, certificate, key)
        self.pem = pem

    def trust_clients_of(self, authorities: Path) -> None:
        """From now on, answer only clients with a certificate that one of these authorities, PEM, has signed.

        Called again, it adds what the file has gained: OpenSSL forgets no authority before the process ends. Raises
        CertificateError and trusts nobody new.
        """
        _read(authorities, "file of client authorities")
        for context in (_context(), self.context):
            try:
                context.load_verify_locations(authorities)
            except ssl.SSLError as error:
                raise CertificateError(
                    f"{authorities}: holds no certificate in PEM; put the authority's there"
                ) from error
            context.verify_mode = ssl.CERT_REQUIRED


def _files(pair: KeyPair, stack: ExitStack) -> tuple[Path, Path]:
    """Certificate and key, each in a file; raises CertificateError where there can be none."""
    try:
        return _file_in_memory(pair.certificate, stack), _file_in_memory(pair.key, stack)
    # There is no /proc, or a sandbox forbids the system call.
    except OSError:
        return _files_in_a_folder(pair, stack)


def _file_in_memory(data: bytes, stack: ExitStack) -> Path:
    """A file without a name, which needs no folder that can be written to, and no disk ever holds; raises OSError."""
    if sys.platform != "linux":
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    file = stack.enter_context(os.fdopen(os.memfd_create("hardener"), "wb"))
    file.write(data)
    file.flush()
    path = Path(f"/proc/self/fd/{file.fileno()}")
    path.stat()
    return path


def _files_in_a_folder(pair: KeyPair, stack: ExitStack) -> tuple[Path, Path]:
    try:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="hardener-"))
        certificate, key = Path(folder, "tls.crt"), Path(folder, "tls.key")
        certificate.write_bytes(pair.certificate)
        key.touch(0o600)
        key.write_bytes(pair.key)
    except OSError as error:
        raise CertificateError(
            f"the pair cannot be put into a temporary file ({error.strerror}), which OpenSSL needs; "
            "let /tmp be writable, or the folder that TMPDIR names"
        ) from error
    return certificate, key


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    return context


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateError(
            f"{path}: the {what} cannot be read ({error.strerror}); name a PEM file that this user may read"
        ) from error


def _load(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        # Without a password function OpenSSL would ask at the terminal.
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except ssl.SSLError as error:
        raise CertificateError(f"{certificate} and {key}: {_reason(error)}") from error
    except OSError as error:
        raise CertificateError(f"{certificate} and {key}: they cannot be read ({error.strerror})") from error


def _reason(error: ssl.SSLError) -> str:
    match error.reason:
        case "KEY_VALUES_MISMATCH" | "KEY_TYPE_MISMATCH":
            return "the key is not the certificate's; name a certificate and the key that it was made for"
        case "NO_START_LINE" | None:
            return "one of them holds no PEM, or the key has a passphrase; name plain PEM files"
        case "BAD_DECRYPT" | "BAD_PASSWORD_READ" | "INTERRUPTED_OR_CANCELLED" | "PROBLEMS_GETTING_PASSWORD":
            return "the key has a passphrase, which nobody could type here; store it without one"
        case reason:
            return f"OpenSSL refuses them ({reason.lower().replace('_', ' ')}); name a PEM certificate and its key"
