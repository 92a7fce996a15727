"""Release: the chart as somebody has installed it, by Helm or by kubectl, and hardener's own hand in it."""

import base64
import json
import os
import re
import subprocess

from tests.deploy.chart import CHART, Json, template
from tests.deploy.tools import HELM, helm
from tests.e2e.cluster import Cluster

CONFIGURATIONS = ("mutatingwebhookconfiguration", "validatingwebhookconfiguration")
WAYS = (*(f"helm {major}" for major in HELM), "kubectl apply", "kubectl apply --server-side")
"""The ways to install it."""

KEYS = {"tls.crt": "certificate", "tls.key": "key"}
"""What stands for the keys that hardener makes."""

CA_BUNDLE = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n").decode()
_SECONDS = 100


class Release:
    """What is installed in a namespace of its own, in one of the WAYS."""

    def __init__(self, cluster: Cluster, way: str, name: str = "hardener") -> None:
        self.cluster = cluster
        self.namespace = re.sub("[^a-z0-9]+", "-", f"{name}-{way}")
        self.name = self.namespace if "hardener" in name else f"hardener-{self.namespace}"
        self.secret = f"{self.name}-tls"
        self._way = way

    def install(self, values: Json | None = None) -> str:
        """Install it, and return what the program has said."""
        if self._is_helm:
            return self._helm("install", CHART, "--create-namespace", values=values)
        self.cluster.make_namespace(self.namespace)
        return self._apply(values)

    def upgrade(self, values: Json) -> str:
        return self._helm("upgrade", CHART, values=values) if self._is_helm else self._apply(values)

    def uninstall(self) -> str:
        """With Helm."""
        return self._helm("uninstall")

    def remove_webhooks(self) -> None:
        """So that no test after this has its pods sent to nobody."""
        for kind in CONFIGURATIONS:
            self.cluster.kubectl("delete", kind, f"zz-{self.name}", "--ignore-not-found")

    def write_as_hardener(self) -> None:
        """The keys into the Secret, and the authority into both configurations, as far as its account may."""
        keys = json.dumps({"stringData": KEYS})
        self._as_hardener("patch", "secret", self.secret, "--namespace", self.namespace, f"--patch={keys}")
        patch = [{"op": "add", "path": "/webhooks/0/clientConfig/caBundle", "value": CA_BUNDLE}]
        for kind in CONFIGURATIONS:
            self._as_hardener("patch", kind, f"zz-{self.name}", "--type=json", f"--patch={json.dumps(patch)}")

    def make_secret_as_hardener(self) -> None:
        """The Secret with its keys, where there is none."""
        metadata = {"name": self.secret, "namespace": self.namespace}
        secret = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": metadata, "stringData": KEYS}
        self._as_hardener("create", "--filename=-", input=json.dumps(secret))

    def get(self, kind: str, name: str) -> Json:
        found: Json = json.loads(
            self.cluster.kubectl("get", kind, name, "--namespace", self.namespace, "--output=json").stdout
        )
        return found

    def keys(self) -> dict[str, str]:
        """What is in the Secret."""
        data = self.get("secret", self.secret).get("data", {})
        return {name: base64.b64decode(value).decode() for name, value in data.items()}

    def webhooks(self) -> list[Json]:
        """The webhook of each configuration."""
        return [self.get(kind, f"zz-{self.name}")["webhooks"][0] for kind in CONFIGURATIONS]

    @property
    def _is_helm(self) -> bool:
        return self._way.startswith("helm")

    def _as_hardener(self, *arguments: str, input: str | None = None) -> None:  # noqa: A002  named as in kubectl()
        account = f"--as=system:serviceaccount:{self.namespace}:{self.name}"
        self.cluster.kubectl(*arguments, account, input=input)

    def _apply(self, values: Json | None) -> str:
        flags = self._way.split()[2:]
        manifests = template(values, namespace=self.namespace, release=self.name)
        return self.cluster.kubectl("apply", *flags, "--filename=-", input=manifests).stdout

    def _helm(self, verb: str, *arguments: object, values: Json | None = None) -> str:
        command = [helm(self._way.split()[1]), verb, self.name, f"--namespace={self.namespace}", *arguments]
        done = subprocess.run(
            [str(part) for part in (*command, *(() if verb == "uninstall" else ("--values=-",)))],
            input=json.dumps(values or {}),
            env={**os.environ, "KUBECONFIG": str(self.cluster.kubeconfig), "HOME": str(self.cluster.folder)},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
