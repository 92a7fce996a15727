"""Trials: the pods that say which image bears which control, run a few at a time, each gone once it is judged."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self

from hardener.controls import CATALOGUE
from tests.e2e.cluster import Json
from tests.e2e.node import Node
from tests.e2e.on_node.behaviours import BEHAVIOURS, Behaviour, pod_of
from tests.e2e.on_node.verdict import Verdict, verdict_on
from tests.e2e.registration import LABEL

AT_ONCE = 8
ACCOUNT = "reader"

INSECURE = """
containers:
- name: app
  securityContext:
    allowPrivilegeEscalation: true
    readOnlyRootFilesystem: false
    runAsNonRoot: false
    seccompProfile: {type: Unconfined}
"""
"""What a policy with `explicit: override` replaces."""


def opt_out(behaviour: Behaviour) -> dict[str, str]:
    """The annotation that brings an image back."""
    key = f"opt-out.hardener.dev/{behaviour.container}" if behaviour.container else "hardener.dev/opt-out"
    return {key: ", ".join(behaviour.breaks)}


def only(control: str) -> dict[str, str]:
    """The annotation that leaves this control alone in force."""
    return {"hardener.dev/opt-out": ", ".join(name for name in CATALOGUE if name != control)}


class Trials:
    """A context manager. Each trial is known by the behaviour's name and what is tried.

    That is `plain` (without the webhook), `hardened`, a control's name (that control alone), `opted-out`, `better`, or, for
    what can live with all controls, `overridden` (insecure by intention, under a policy that overrides).
    """

    def __init__(self, node: Node, behaviours: Sequence[Behaviour] = BEHAVIOURS):
        self._node = node
        self._executor = ThreadPoolExecutor(AT_ONCE)
        self._verdicts: dict[tuple[str, str], Future[Verdict]] = {}
        self._plain = self._namespace("images-plain", {})
        self._hardened = self._namespace("images-hardened", {LABEL: "true"})
        self._overridden = self._namespace("images-overridden", {LABEL: "true"})
        for behaviour in behaviours:
            self._submit(behaviour)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(cancel_futures=True)

    def verdict(self, behaviour: Behaviour, trial: str) -> Verdict:
        return self._verdicts[behaviour.name, trial].result()

    def _namespace(self, name: str, labels: Mapping[str, str]) -> str:
        self._node.make_namespace(name, labels)
        self._node.make_service_account(name, ACCOUNT)
        return name

    def _submit(self, behaviour: Behaviour) -> None:
        def run(trial: str, namespace: str, annotations: dict[str, str], *more: str) -> None:
            pod = pod_of(behaviour, f"{behaviour.name}-{trial}".lower(), *more)
            pod["metadata"]["annotations"] = annotations
            self._verdicts[behaviour.name, trial] = self._executor.submit(self._try, namespace, pod)

        run("plain", self._plain, {})
        run("hardened", self._hardened, {})
        if not behaviour.breaks:
            run("overridden", self._overridden, {}, INSECURE)
        if behaviour.breaks:
            run("opted-out", self._hardened, opt_out(behaviour))
        for control in behaviour.breaks:
            run(control, self._hardened, only(control))
        if behaviour.better:
            run("better", self._hardened, {}, behaviour.better)

    def _try(self, namespace: str, pod: Json) -> Verdict:
        path = f"/api/v1/namespaces/{namespace}/pods"
        made = self._node.request("POST", path, pod)
        assert made.ok, made.body
        name = str(made.body["metadata"]["name"])
        verdict = verdict_on(self._node, namespace, name)
        self._node.request("DELETE", f"{path}/{name}", query={"gracePeriodSeconds": "1"})
        return verdict
