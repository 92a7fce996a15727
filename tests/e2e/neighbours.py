"""Other webhooks beside ours: injectors as meshes, agents and secret stores have them."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Self

import yaml

from tests.e2e.cluster import Json
from tests.e2e.control_plane import ControlPlane
from tests.e2e.double import Answer, Double, allow
from tests.e2e.registration import LABEL, calls, register, unregister, webhook_configuration

INJECTED = "e2e.hardener.dev/injected-by"
OURS = "pods.hardener.dev"
SERVER_SETS = ("namespace", "uid", "resourceVersion", "creationTimestamp", "managedFields", "generation")

POD = yaml.safe_load("""
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  initContainers:
  - {name: migrate, image: "web:1"}
  containers:
  - {name: app, image: "web:1"}
""")

SIDECAR = yaml.safe_load("""
name: proxy
image: proxy:1
securityContext: {runAsUser: 1337, readOnlyRootFilesystem: true}
volumeMounts: [{name: proxy-config, mountPath: /etc/proxy}]
""")
ROOT_INIT = yaml.safe_load("""
name: proxy-init
image: proxy:1
securityContext:
  runAsUser: 0
  privileged: false
  capabilities: {add: [NET_ADMIN, NET_RAW]}
""")
PRIVILEGED_INIT = {"name": "proxy-init", "image": "proxy:1", "securityContext": {"privileged": True}}
VOLUME = {"name": "proxy-config", "emptyDir": {"medium": "Memory"}}


def names(pod: Json, field: str = "containers") -> list[str]:
    return [each["name"] for each in pod["spec"][field]]


def is_read_only(pod: Json) -> bool:
    """Whether hardening has already been seen: such an injector acts in the second round only."""
    return "readOnlyRootFilesystem" in pod["spec"]["containers"][0].get("securityContext", {})


def injection(at: str, init: Json = ROOT_INIT) -> Answer:
    """An injector: one sidecar, one init container and one volume, at one end of their lists, once."""

    def answer(review: Json) -> Json:
        pod = review["request"]["object"]
        if any(container["name"] == "proxy" for container in pod["spec"]["containers"]):
            return allow(review)
        where = "-" if at == "the end" else "0"
        added = (("containers", SIDECAR), ("initContainers", init), ("volumes", VOLUME))
        missing = [
            {"op": "add", "path": f"/spec/{field}", "value": []} for field, _ in added if field not in pod["spec"]
        ]
        additions = [{"op": "add", "path": f"/spec/{field}/{where}", "value": value} for field, value in added]
        return allow(review, missing + additions)

    return answer


def once(name: str, condition: Callable[[Json], bool] | None = None, image: str = "agent:1") -> Answer:
    """An answer that adds one silent container, if a condition holds and it is not there yet."""

    def answer(review: Json) -> Json:
        pod = review["request"]["object"]
        if name in names(pod) or (condition and not condition(pod)):
            return allow(review)
        return allow(review, [{"op": "add", "path": "/spec/containers/-", "value": {"name": name, "image": image}}])

    return answer


class Neighbours:
    """Other webhooks beside ours, each a path of one double; a context manager."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self.control_plane = control_plane
        self.double = Double()
        self.stack = ExitStack()
        self.calls_of_ours = 0
        """How often ours was called for the last pod."""

    def __enter__(self) -> Self:
        self.stack.enter_context(self.double)
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    def add(self, name: str, answer: Answer, label: str | None = None, **options: Any) -> None:
        """Register a webhook for the namespaces with its label, the one of its name unless another is given."""
        path = f"/{name}"
        self.double.answers[path] = answer
        configuration = webhook_configuration(
            name,
            self.double.url,
            self.double.ca_bundle,
            path=path,
            namespace_selector={"matchLabels": {INJECTED: label or name}},
            **options,
        )
        register(self.control_plane, configuration)
        self.stack.callback(unregister, self.control_plane, configuration)

    def namespace(self, label: str, with_ours: bool = True) -> str:
        """A fresh namespace for the others of a label, and for ours or not."""
        return self.control_plane.make_namespace(labels={INJECTED: label, **({LABEL: "true"} if with_ours else {})})

    def create(self, namespace: str, pod: Json = POD) -> Json:
        """What becomes of a pod, without what differs from time to time; calls of ours are counted."""
        metadata = {**pod["metadata"], "namespace": namespace}
        before = calls(self.control_plane, OURS)
        path = f"/api/v1/namespaces/{namespace}/pods"
        reply = self.control_plane.request(
            "POST", path, {**pod, "metadata": metadata}, query={"dryRun": "All"}, user="dev"
        )
        self.calls_of_ours = calls(self.control_plane, OURS) - before
        assert reply.status == 201, reply.message
        made = reply.body
        return {
            **{key: made[key] for key in ("apiVersion", "kind", "spec")},
            "metadata": {key: value for key, value in made["metadata"].items() if key not in SERVER_SETS},
        }
