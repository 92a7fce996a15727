"""ControlPlane: etcd, kube-apiserver and kube-controller-manager on the loopback address, in seconds and without root."""

import os
import shutil
import signal
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Self

from hardener.tls import self_signed
from tests.e2e.binaries import CONTROL_PLANE, VERSION, binaries
from tests.e2e.cluster import AUDIT_POLICY, TOKEN_FILE, Cluster
from tests.e2e.processes import Port, Process

NAMES = ("127.0.0.1", "localhost", "10.0.0.1", "kubernetes.default.svc")


class ControlPlane(Cluster):
    """A context manager; `controllers=False` leaves kube-controller-manager out. Raises MissingError."""

    programs: ClassVar[tuple[str, ...]] = CONTROL_PLANE
    """What has to be among the binaries."""

    def __init__(self, *, controllers: bool = True, api_flags: Sequence[str] = (), version: str = VERSION) -> None:
        folder = binaries(version, self.programs)
        self.version = version
        self._controllers = controllers
        self._api_flags = api_flags
        self._ports = [Port(), Port(), Port()]
        self._pair = self_signed(NAMES, datetime.now(UTC), days=2)
        self._processes: list[Process] = []
        url = f"https://127.0.0.1:{self._ports[0].number}"
        super().__init__(url, self._pair.certificate, Path(tempfile.mkdtemp(prefix="hardener-e2e-")), folder)

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close_connections()
        # Nothing of it is kept, and an orderly end takes seconds.
        for process in reversed(self._processes):
            process.end(signal.SIGKILL)
        for port in self._ports:
            port.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def etcd_url(self) -> str:
        """Where etcd answers, in plain HTTP."""
        return f"http://127.0.0.1:{self._ports[1].number}"

    def output(self, program: str) -> str:
        """What a program has written so far, as `kube-apiserver`."""
        return (self.folder / f"{program}.log").read_text(errors="replace")

    def _start(self) -> None:
        self._write_files()
        self._run("etcd", *self._etcd_flags())
        api_server = self._run("kube-apiserver", *self._api_server_flags())
        api_server.wait_until(self._is_ready)
        # Assets may be of another version than was asked for.
        self.version = str(self.request("GET", "/version").body["gitVersion"]).removeprefix("v")
        self.make_users()
        if self._controllers:
            self._run("kube-controller-manager", *self._controller_manager_flags())

    def _run(self, program: str, *flags: str) -> Process:
        environment = {"PATH": os.environ.get("PATH", ""), "HOME": str(self.folder)}
        process = Process([self.binaries / program, *flags], self.folder / f"{program}.log", environment)
        self._processes.append(process)
        return process

    def _is_ready(self) -> bool:
        try:
            return self.request("GET", "/readyz").text == "ok"
        except OSError:
            return False

    def _write_files(self) -> None:
        self.write_kubeconfigs()
        files = {
            "server.crt": self._pair.certificate,
            "server.key": self._pair.key,
            "tokens.csv": TOKEN_FILE.encode(),
            "audit.yaml": AUDIT_POLICY.encode(),
        }
        for name, data in files.items():
            (self.folder / name).write_bytes(data)

    def _etcd_flags(self) -> list[str]:
        client, peer = (f"http://127.0.0.1:{port.number}" for port in self._ports[1:])
        return [
            f"--data-dir={self.folder}/etcd",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--socket-reuse-port",
            "--unsafe-no-fsync",
            "--log-level=error",
        ]

    def _api_server_flags(self) -> list[str]:
        folder = self.folder
        return [
            f"--etcd-servers={self.etcd_url}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self._ports[0].number}",
            "--permit-port-sharing",
            f"--cert-dir={folder}/certs",
            f"--tls-cert-file={folder}/server.crt",
            f"--tls-private-key-file={folder}/server.key",
            f"--token-auth-file={folder}/tokens.csv",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={folder}/server.crt",
            f"--service-account-signing-key-file={folder}/server.key",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--allow-privileged",
            f"--audit-policy-file={folder}/audit.yaml",
            f"--audit-log-path={self.audit_log}",
            *self._api_flags,
        ]

    def _controller_manager_flags(self) -> list[str]:
        folder = self.folder
        return [
            f"--kubeconfig={folder}/controllers.kubeconfig",
            "--use-service-account-credentials",
            "--leader-elect=false",
            "--secure-port=0",
            f"--service-account-private-key-file={folder}/server.key",
            f"--root-ca-file={folder}/server.crt",
        ]
