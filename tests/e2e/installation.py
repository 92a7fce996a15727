"""Installation: hardener with a configuration of its own, beside the one of the fixtures, for namespaces of its own."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from tests.e2e.cluster import Cluster, Json, Reply
from tests.e2e.registration import LABEL, explain_configuration, register, unregister, webhook_configuration
from tests.e2e.waiting import eventually
from tests.e2e.webhook import Hardener


class Installation:
    """A context manager. Namespaces whose label says `name` get the webhook `zz-<name>`, which `options` describe further.

    `config` is the text of a configuration; rules can choose by the prefixes that namespaces are made with. With
    `explains`, it is registered for workloads too; with a `kubeconfig`, it knows the cluster.
    """

    def __init__(
        self,
        cluster: Cluster,
        name: str,
        folder: Path,
        config: str = "",
        *,
        kubeconfig: Path | None = None,
        arguments: tuple[str, ...] = (),
        explains: bool = False,
        **options: Any,
    ) -> None:
        self.cluster, self.name = cluster, name
        self.webhook_name = f"{name}.pods.hardener.dev"
        self.explain_name = f"{name}.workloads.hardener.dev"
        self._explains, self._options = explains, options
        path = None
        if config:
            path = folder / "config.yaml"
            path.write_text(config, encoding="utf-8")
        self.config = path
        self.hardener = Hardener(path, kubeconfig=kubeconfig, arguments=arguments)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.hardener)
            for configuration in self._configurations():
                register(self.cluster, configuration)
                stack.callback(unregister, self.cluster, configuration)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def namespace(self, prefix: str = "test-", **labels: str) -> str:
        """Make a namespace with the webhook, and with these labels."""
        return self.cluster.make_namespace(labels={LABEL: self.name, **labels}, prefix=prefix)

    def create(
        self, namespace: str, pod: Json, *, user: str = "dev", impersonate: str | None = None, dry_run: bool = False
    ) -> Reply:
        """Create a pod, as `dev` unless somebody else is named."""
        path, query = f"/api/v1/namespaces/{namespace}/pods", {"dryRun": "All"} if dry_run else None
        user = user if impersonate is None else "admin"
        return self.cluster.request("POST", path, pod, query=query, user=user, impersonate=impersonate)

    def audited(self, **fields: str) -> dict[str, str]:
        """What the audit log keeps of the creation of a pod from this webhook; `Cluster.audited` has the fields."""
        prefix = f"{self.webhook_name}/"
        annotations = self.cluster.audited(**fields)["annotations"]
        return {key.removeprefix(prefix): text for key, text in annotations.items() if key.startswith(prefix)}

    def reviewed(self, namespace: str, calls: int = 1, **fields: str) -> list[Json]:
        """The lines of the webhook's log about a pod, `name=web` or what else is known of it, once there are so many.

        They are on disk a moment after the answer, since the log is written in batches.
        """
        subject = {"message": "reviewed", "namespace": namespace} | (fields or {"name": "web"})

        def lines() -> list[Json] | None:
            found = [line for line in self.hardener.log() if subject.items() <= line.items()]
            return found if len(found) >= calls else None

        return eventually(lines, what=f"{calls} lines of the log have {subject}")

    def _configurations(self) -> list[Json]:
        selector = {"matchLabels": {LABEL: self.name}}
        url, authority = self.hardener.url, self.hardener.ca_bundle
        pods = webhook_configuration(
            f"zz-{self.name}",
            url,
            authority,
            namespace_selector=selector,
            webhook_name=self.webhook_name,
            **self._options,
        )
        workloads = explain_configuration(
            f"{self.name}-explain", url, authority, namespace_selector=selector, webhook_name=self.explain_name
        )
        return [pods, workloads] if self._explains else [pods]
