"""What tests need to speak about pods: documents, views, policies, and one whole pass of a pod through hardener."""

import json
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import jsonpatch
import msgspec
import yaml

from hardener.controls import CATALOGUE
from hardener.engine import harden
from hardener.model import STANDALONE, Container, Facts, Mode, Outcome, Pod, PodManifest, Verdict
from hardener.patch import Operation, render
from hardener.policy.builtin import BUILTIN
from hardener.policy.opt_out import OPT_OUT
from hardener.policy.policy import Enabled, OptOutRules, Policy, Warnings
from tests.pod_schema import check_pod

TODAY = date(2026, 11, 22)

STANDARD = BUILTIN["standard"]
_STANDARD_SETTINGS = {each.control.name: each.settings for each in STANDARD.controls}


def document(text: str) -> dict[str, Any]:
    """Read a pod from YAML and add what every pod has: apiVersion, kind and a name."""
    return complete(yaml.safe_load(text))


def complete(obj: dict[str, Any]) -> dict[str, Any]:
    """Add apiVersion, kind and a name to a pod that is told by its spec alone."""
    metadata = {"name": "web", "namespace": "shop", **(obj.get("metadata") or {})}
    return {"apiVersion": "v1", "kind": "Pod", **obj, "metadata": metadata}


def view(obj: dict[str, Any]) -> Pod:
    """Read a document as the webhook does, through its bytes."""
    return Pod(msgspec.json.decode(json.dumps(obj), type=PodManifest))


def pod(text: str) -> Pod:
    """Read a pod from YAML."""
    return view(document(text))


def enabled(name: str, mode: Mode = Mode.ENFORCE, **settings: Any) -> Enabled:
    """One control as the standard policy has it, but for the settings given."""
    control = CATALOGUE[name]
    return Enabled(control, replace(_STANDARD_SETTINGS.get(name) or control.settings(), **settings), mode)


def policy_of(*controls: Enabled, opt_out: OptOutRules | None = None) -> Policy:
    """A policy that runs just these controls; pods may opt out of all unless rules are given."""
    rules = opt_out or OptOutRules(frozenset(CATALOGUE))
    return Policy("test", Mode.ENFORCE, Warnings.PROBLEMS, rules, controls)


def standard(**settings: dict[str, Any]) -> Policy:
    """The standard policy with other settings for the controls that are named, which it runs in any case."""
    names = sorted({*_STANDARD_SETTINGS, *settings})
    return replace(STANDARD, controls=tuple(enabled(name, **settings.get(name, {})) for name in names))


def overriding(policy: Policy) -> frozenset[str]:
    """The controls that may replace what the author said explicitly."""
    return frozenset(
        each.control.name for each in policy.controls if getattr(each.settings, "explicit", "") == "override"
    )


@dataclass(frozen=True)
class Hardened:
    """One pass of a pod: what was decided, the operations, and the pod that comes of them."""

    outcome: Outcome
    operations: list[Operation]
    before: dict[str, Any]
    after: dict[str, Any]

    def verdict(self, control: str) -> Verdict:
        return next(verdict for verdict in self.outcome.verdicts if verdict.control == control)

    def skips(self, control: str) -> dict[str, str]:
        """Container name, or `pod`, to the reason of the hold."""
        return {where(skip.at): skip.reason for skip in self.verdict(control).skips}

    def all_skips(self) -> dict[str, dict[str, str]]:
        """The holds of every control that has any."""
        found = {verdict.control: self.skips(verdict.control) for verdict in self.outcome.verdicts}
        return {control: skips for control, skips in found.items() if skips}

    def container(self, name: str) -> dict[str, Any]:
        """A container of the resulting pod, init containers included."""
        spec = self.after["spec"]
        return next(each for each in [*spec["containers"], *spec.get("initContainers", [])] if each["name"] == name)

    def security(self, name: str) -> dict[str, Any]:
        """The resulting security context of a container."""
        return self.container(name).get("securityContext", {})

    def mounts(self, name: str) -> list[tuple[str, str]]:
        """The resulting mounts of a container: volume name and path."""
        return [(mount["name"], mount["mountPath"]) for mount in self.container(name).get("volumeMounts", [])]

    def volumes(self) -> list[dict[str, Any]]:
        return self.after["spec"].get("volumes", [])


def where(at: Pod | Container) -> str:
    """Name the place of a finding as people do: the container, or `pod`."""
    return at.name if isinstance(at, Container) else "pod"


def run(obj: dict[str, Any], policy: Policy = STANDARD, facts: Facts = STANDALONE, today: date = TODAY) -> Hardened:
    """Harden a document as the webhook does, but for the annotations that tell of it, and hold what holds for every pod.

    View and document are not written to, no control fails, a repeated request gets the same patch, the patch applies, the
    result is a well-formed Pod, and a second pass over it changes nothing and holds back the same.
    """
    source = json.dumps(obj)
    pod_view = view(obj)
    read = msgspec.to_builtins(pod_view.manifest)
    outcome = harden(pod_view, policy, facts, today)
    operations = render(outcome.writes(Mode.ENFORCE))
    after = jsonpatch.apply_patch(json.loads(source), json.loads(json.dumps(operations)))

    assert [verdict.error for verdict in outcome.errors] == []
    assert msgspec.to_builtins(pod_view.manifest) == read
    assert json.dumps(obj) == source
    assert render(harden(view(obj), policy, facts, today).writes(Mode.ENFORCE)) == operations
    check_pod(after)
    first = Hardened(outcome, operations, obj, after)
    again = harden(view(after), policy, facts, today)
    second = Hardened(again, render(again.writes(Mode.ENFORCE)), after, after)
    assert second.operations == []
    assert second.all_skips() == first.all_skips()
    return first


def run_yaml(text: str, policy: Policy = STANDARD, facts: Facts = STANDALONE) -> Hardened:
    """Harden a pod written as YAML."""
    return run(document(text), policy, facts)


def opted_out(obj: dict[str, Any], words: str) -> dict[str, Any]:
    """The same document, opted out of the controls that the words name."""
    annotations = {**(obj["metadata"].get("annotations") or {}), OPT_OUT: words}
    return {**obj, "metadata": {**obj["metadata"], "annotations": annotations}}
