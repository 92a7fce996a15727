"""Verdict: what became of a pod on the node, by its status and its log."""

import re
from dataclasses import dataclass

from tests.e2e.cluster import Json
from tests.e2e.node import Node
from tests.e2e.waiting import eventually

SECONDS = 120

STARTED = re.compile(r"^started (.*)$", re.MULTILINE)

REFUSED = {"CreateContainerConfigError", "CreateContainerError", "InvalidImageName", "ErrImageNeverPull"}
"""The kubelet tries again for ever, and says the same each time."""

RESTARTS = 2
"""So many of one container are a crash loop: one may be an accident."""

_VARIABLE = re.compile(r' \(pod: "[^"]*", container: [^)]*\)')


@dataclass(frozen=True)
class Verdict:
    """`happens` is what `kubectl get pod` and `describe` call it, `message` what the kubelet or the program says.

    `reports` holds what each container that runs says about itself.
    """

    runs: bool
    happens: str
    message: str
    reports: dict[str, dict[str, str]]


def verdict_on(node: Node, namespace: str, name: str) -> Verdict:
    """Wait until a pod has started for good, or never will."""
    return eventually(lambda: _look(node, namespace, name), SECONDS, f"{namespace}/{name} runs or fails")


def _look(node: Node, namespace: str, name: str) -> Verdict | None:
    status = node.request("GET", f"/api/v1/namespaces/{namespace}/pods/{name}").body["status"]
    containers = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    for container in containers:
        if failure := _failure(container):
            return failure
    running = [each["name"] for each in containers if "running" in each["state"]]
    programs = [each["name"] for each in status.get("containerStatuses", [])]
    if not programs or not set(programs) <= set(running):
        return None
    reports = {container: _report(node, namespace, name, container) for container in running}
    if not all(reports.values()):
        return None
    return Verdict(True, "Running", "", {container: report for container, report in reports.items() if report})


def _failure(container: Json) -> Verdict | None:
    waiting = container["state"].get("waiting", {})
    if waiting.get("reason") in REFUSED:
        return Verdict(False, waiting["reason"], _VARIABLE.sub("", waiting["message"]), {})
    ended = container["state"].get("terminated") or container.get("lastState", {}).get("terminated")
    if container["restartCount"] < RESTARTS or not ended or ended["exitCode"] == 0:
        return None
    reason = "" if ended["reason"] == "Error" else f"{ended['reason']}, "
    happens = f"CrashLoopBackOff ({reason}exit code {ended['exitCode']})"
    return Verdict(False, happens, ended.get("message", "").strip(), {})


def _report(node: Node, namespace: str, name: str, container: str) -> dict[str, str] | None:
    path = f"/api/v1/namespaces/{namespace}/pods/{name}/log"
    found = STARTED.search(node.request("GET", path, query={"container": container}).text)
    return dict(word.split("=") for word in found[1].split()) if found else None
