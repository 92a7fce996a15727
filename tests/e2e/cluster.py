"""Cluster: what tests do with any API server, as users with a token."""

import http.client
import json
import os
import re
import ssl
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.e2e.waiting import eventually

Json = dict[str, Any]

TOKENS = {"admin": "admin-token", "dev": "dev-token", "controllers": "controllers-token"}
"""The users: `admin` may do all, `dev` what somebody does who runs software and the nodes that it is on.

`controllers` is kube-controller-manager, whose controllers have accounts of their own, as in clusters that people use.
"""

GROUP = "developers"
"""Of `dev`, and of whomever the admin speaks for."""

TOKEN_FILE = f"""\
{TOKENS["admin"]},admin,admin,"system:masters"
{TOKENS["dev"]},dev,dev,"{GROUP}"
{TOKENS["controllers"]},system:kube-controller-manager,controllers
"""
"""For `--token-auth-file`."""

AUDIT_POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
# Thousands of pods pass through these, and nobody reads them.
- {level: Metadata, namespaces: [corpus-plain, corpus-hardened, corpus-restricted, corpus-hardened-restricted, levels-baseline, levels-restricted], resources: [{group: "", resources: [pods]}]}
- {level: RequestResponse, verbs: [create, update, patch, delete], resources: [{group: "", resources: [pods, "pods/*"]}]}
"""

DEVELOPER: Json = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "developer"},
    "rules": [{"apiGroups": ["", "apps", "batch", "policy"], "resources": ["*"], "verbs": ["*"]}],
}
DEVELOPERS: Json = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "developers"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "developer"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": GROUP}],
}

_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
_CREATED, _CONFLICT = 201, 409
_SECONDS = 60


@dataclass(frozen=True)
class Reply:
    """One answer of the API server; `text` is the body as it came, `body` what it holds if that is JSON."""

    status: int
    body: Json
    warnings: list[str] = field(default_factory=list)
    audit_id: str = ""
    text: str = ""

    @property
    def message(self) -> str:
        """What a Status says; empty for anything else."""
        return str(self.body.get("message", ""))

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


class Cluster:
    """An API server at `url`, whose certificate is the PEM `authority`. Every thread may use it."""

    def __init__(self, url: str, authority: bytes, folder: Path, binaries: Path) -> None:
        self.url = url
        self.authority = authority
        self.folder = folder
        self.binaries = binaries
        self._trust = ssl.create_default_context(cadata=authority.decode())
        self._connections: list[http.client.HTTPSConnection] = []
        self._of_thread = threading.local()
        self._audit_lock = threading.Lock()
        self._audit_events: list[Json] = []
        self._audit_offset = 0

    @property
    def kubeconfig(self) -> Path:
        """The admin's; `folder / "dev.kubeconfig"` is the other user's."""
        return self.folder / "admin.kubeconfig"

    @property
    def audit_log(self) -> Path:
        return self.folder / "audit.log"

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        user: str = "admin",
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
        impersonate: str | None = None,
    ) -> Reply:
        """Send one request; `body` is sent as JSON, or as it is where it is bytes. A status is never an error.

        `impersonate` names whom the admin speaks for, with the rights of `dev`.
        """
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {TOKENS[user]}", "Accept": "application/json"}
        if impersonate is not None:
            headers |= {"Impersonate-User": impersonate, "Impersonate-Group": GROUP}
        if data is not None:
            headers["Content-Type"] = content_type
        return self._send(method, f"{path}?{urlencode(query)}" if query else path, data, headers)

    def kubectl(
        self,
        *arguments: str | Path,
        input: str | None = None,  # noqa: A002  named as in subprocess.run
        user: str = "admin",
        check: bool = True,
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl; with `check`, AssertionError with its output where it fails."""
        environment = {**os.environ, "KUBECONFIG": str(self.folder / f"{user}.kubeconfig"), "HOME": str(self.folder)}
        command = [str(self.binaries / "kubectl"), *map(str, arguments)]
        done = subprocess.run(
            command, input=input, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"kubectl {' '.join(command[1:])} ended with {done.returncode}: {done.stderr}")
        return done

    def audit(self) -> list[Json]:
        """The audit events about pods so far, in order. An event may come a moment after the reply that it is about."""
        with self._audit_lock:
            if self.audit_log.exists():
                with self.audit_log.open("rb") as log:
                    log.seek(self._audit_offset)
                    new, end, _ = log.read().rpartition(b"\n")
                self._audit_offset += len(new) + len(end)
                self._audit_events += [json.loads(line) for line in new.splitlines()]
            return list(self._audit_events)

    def audited(self, **fields: str) -> Json:
        """The first audit event of the creation of a pod with these fields, its own or of its `objectRef` or `user`.

        It is waited for.
        """

        def found() -> Json | None:
            events = (event for event in self.audit() if event["verb"] == "create")
            whole = ({**event["user"], **event["objectRef"], **event} for event in events)
            return next((event for event in whole if fields.items() <= event.items()), None)

        return eventually(found, what=f"a creation with {fields} is audited")

    def metrics(self) -> str:
        return self.request("GET", "/metrics").text

    def make_namespace(
        self, name: str | None = None, labels: Mapping[str, str] | None = None, *, prefix: str = "test-"
    ) -> str:
        """Make a namespace in which pods can be made at once: it has its default ServiceAccount already."""
        metadata: Json = {"name": name} if name else {"generateName": prefix}
        made = self.request("POST", "/api/v1/namespaces", {"metadata": {**metadata, "labels": dict(labels or {})}})
        assert made.status == _CREATED, made.body
        name = str(made.body["metadata"]["name"])
        self.make_service_account(name, "default")
        probe = {"metadata": {"name": "probe"}, "spec": {"containers": [{"name": "probe", "image": "probe:1"}]}}
        path, query = f"/api/v1/namespaces/{name}/pods", {"dryRun": "All"}
        eventually(
            lambda: "serviceaccount" not in self.request("POST", path, probe, query=query).message,
            what=f"pods can be made in {name}",
        )
        return name

    def make_service_account(self, namespace: str, name: str) -> None:
        """Make a ServiceAccount, unless there is one of that name."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        made = self.request("POST", path, {"metadata": {"name": name}})
        assert made.status in (_CREATED, _CONFLICT), made.body

    def write_kubeconfigs(self) -> None:
        """Write `<user>.kubeconfig` into the folder for each user."""
        (self.folder / "ca.crt").write_bytes(self.authority)
        for user, token in TOKENS.items():
            config = {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [
                    {
                        "name": "e2e",
                        "cluster": {"server": self.url, "certificate-authority": str(self.folder / "ca.crt")},
                    }
                ],
                "users": [{"name": user, "user": {"token": token}}],
                "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": user}}],
                "current-context": "e2e",
            }
            (self.folder / f"{user}.kubeconfig").write_text(json.dumps(config), encoding="utf-8")

    def make_users(self) -> None:
        """Let `dev` do what it is there for; `admin` may do all by its group."""
        for plural, obj in (("clusterroles", DEVELOPER), ("clusterrolebindings", DEVELOPERS)):
            made = self.request("POST", f"/apis/rbac.authorization.k8s.io/v1/{plural}", obj)
            assert made.status in (_CREATED, _CONFLICT), made.body

    def close_connections(self) -> None:
        for connection in self._connections:
            connection.close()

    def _send(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Reply:
        connection = self._connection()
        fresh = connection.sock is None
        try:
            connection.request(method, path, data, headers)
            response = connection.getresponse()
        except (ConnectionError, ssl.SSLError, http.client.HTTPException):
            connection.close()
            if fresh:
                raise
            # The server has closed a connection that was idle.
            connection.request(method, path, data, headers)
            response = connection.getresponse()
        text = response.read().decode()
        is_json = response.headers.get_content_type() == "application/json"
        warnings = [
            re.sub(r"\\(.)", r"\1", found)
            for value in response.headers.get_all("Warning", [])
            # Go writes UTF-8, and http.client reads headers as Latin-1.
            for found in _WARNING.findall(value.encode("latin-1").decode())
        ]
        return Reply(
            response.status, json.loads(text) if is_json else {}, warnings, response.headers.get("Audit-Id", ""), text
        )

    def _connection(self) -> http.client.HTTPSConnection:
        """One of each thread: http.client's may not be shared."""
        if not hasattr(self._of_thread, "connection"):
            netloc = urlsplit(self.url).netloc
            connection = http.client.HTTPSConnection(netloc, context=self._trust, timeout=_SECONDS)
            self._of_thread.connection = connection
            self._connections.append(connection)
        return self._of_thread.connection
