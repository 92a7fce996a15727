"""Collecting: equal pods of one workload become one finding while they stream by. Pure.

Nothing of a pod is kept but what the report tells of it, and pods that are made of one template are judged once.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from hashlib import blake2b
from typing import Any, TypeVar

import orjson

from hardener.admission.workload import Object, controller, mapping_at, metadata_text
from hardener.errors import MisfitError
from hardener.model import Facts, Path
from hardener.model.pod import MIRROR
from hardener.model.workloads import POD
from hardener.policy.config import Config
from hardener.report.assessment import Owner, assess_pod, assess_template
from hardener.report.report import Finding, Namespace
from hardener.report.signs import signs
from hardener.wording import doubts, one_line

EXAMPLES = 3
"""Pods of a finding that are named."""

PROBLEMS = 20
"""Objects that cannot be judged and are told of one by one."""

FINISHED = frozenset({"Succeeded", "Failed"})
"""Phases of a pod that runs no more, and never will again."""

_OF_ONE_POD = frozenset({"nodeName", "hostname"})
"""Fields of a spec in which pods of one template differ, and which no decision reads."""

_TOKEN_VOLUME = rb"kube-api-access-[a-z0-9]{5}"
_OWN_NODE = rb'"matchFields":\[\{"key":"metadata.name","operator":"In","values":\["[^"]*"\]\}\]'
_NAMES_OF_ONE_POD = re.compile(rb"%s|%s" % (_TOKEN_VOLUME, _OWN_NODE))
"""The injected volume, and the node that the controller of a DaemonSet has chosen for each pod."""

_NETWORKS = ("projectcalico.org", "cni.cncf.io", "ovn.org", "amazonaws.com", "cilium.io")
"""Domains of annotations by which networks tell each pod's addresses. What else differs costs time, and is seen to."""

Part = TypeVar("Part")
Place = tuple[str, Owner]
"""A namespace, and a workload in it."""


@dataclass(slots=True)
class _Group:
    """Equal pods."""

    finding: Finding
    pods: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, pods: int, examples: list[str]) -> None:
        self.pods += pods
        self.examples += examples[: EXAMPLES - len(self.examples)]


class Collecting:
    """What was found so far; `facts` are those of a namespace. Pods that have ended, and mirror pods, are only counted."""

    def __init__(self, config: Config, facts: Callable[[str], Facts], today: date) -> None:
        self._config = config
        self._facts = facts
        self._today = today
        self._seen: dict[bytes, _Group] = {}
        self._groups: dict[Place, list[_Group]] = {}
        self._finished: Counter[str] = Counter()
        self._mirrors: Counter[str] = Counter()
        self._misfits: list[str] = []
        self._shared: dict[Any, Any] = {}

    @property
    def finished(self) -> int:
        return self._finished.total()

    @property
    def mirrors(self) -> int:
        return self._mirrors.total()

    def pod(self, pod: Object) -> None:
        """Take one pod as the API server has it."""
        namespace, name = metadata_text(pod, "namespace"), metadata_text(pod, "name")
        if MIRROR in mapping_at(pod, ("metadata", "annotations")):
            self._mirrors[namespace] += 1
            return
        if mapping_at(pod, ("status",)).get("phase") in FINISHED:
            self._finished[namespace] += 1
            return
        owner = _owner(pod, name)
        digest = _digest(namespace, owner, pod)
        group = self._seen.get(digest)
        if group is None:
            facts = self._facts(namespace)
            finding = self._judged(
                f"{POD} {namespace}/{name}",
                lambda: assess_pod(pod, owner, namespace, self._config, facts, self._today),
            )
            if finding is None:
                return
            group = self._seen[digest] = self._group((namespace, owner), finding)
        group.add(1, [name])

    def template(self, workload: Object, owner: Owner, path: Path) -> None:
        """Take a template of a workload, unless it has pods."""
        namespace = metadata_text(workload, "namespace")
        groups = self._groups.get((namespace, owner), ())
        if any(group.pods for group in groups):
            return
        facts = self._facts(namespace)
        finding = self._judged(
            f"{owner.kind} {namespace}/{owner.name}",
            lambda: assess_template(workload, owner, path, namespace, self._config, facts, self._today),
        )
        if finding is not None:
            self._group((namespace, owner), finding)

    def forget(self, namespace: str = "") -> None:
        """Begin anew, with one namespace or with all, where its list of pods has to be read again."""
        self._seen.clear()
        for counter in (self._finished, self._mirrors):
            for name in [namespace] if namespace else [*counter]:
                counter.pop(name, None)
        self._groups = {place: groups for place, groups in self._groups.items() if namespace and place[0] != namespace}

    def owners(self, *kinds: str) -> frozenset[Place]:
        """The workloads of these kinds that pods were found of."""
        return frozenset(place for place in self._groups if place[1].kind in kinds)

    def adopt(self, above: Mapping[Place, Owner]) -> None:
        """Count the pods of one workload under the one that owns it."""
        for place, owner in above.items():
            for group in self._groups.pop(place, ()):
                finding = replace(group.finding, kind=owner.kind, name=owner.name)
                self._group((place[0], owner), finding).add(group.pods, group.examples)
        self._seen.clear()

    def namespaces(self, known: frozenset[str]) -> tuple[Namespace, ...]:
        """All namespaces that are known, or in which something was found, in the order of their names."""
        found: dict[str, list[Finding]] = {name: [] for name in sorted(known | {name for name, _ in self._groups})}
        for (namespace, _), groups in self._groups.items():
            found[namespace] += (
                replace(group.finding, pods=group.pods, examples=tuple(group.examples)) for group in groups
            )
        return tuple(self._namespace(name, findings) for name, findings in found.items())

    def problems(self) -> Iterator[str]:
        """What could not be judged."""
        yield from self._misfits[:PROBLEMS]
        if len(self._misfits) > PROBLEMS:
            yield f"and {len(self._misfits) - PROBLEMS} more objects cannot be judged"

    def _namespace(self, name: str, findings: list[Finding]) -> Namespace:
        facts = self._facts(name)
        selection = self._config.select(name, facts.labels, known=facts.known)
        findings.sort(key=lambda finding: (finding.state.rank, finding.kind, finding.name))
        notes = tuple(one_line(text) for _, text in doubts(selection))
        return Namespace(name, selection.policy.label, selection.policy.mode, tuple(findings), notes)

    def _group(self, place: Place, finding: Finding) -> _Group:
        groups = self._groups.setdefault(place, [])
        group = next((each for each in groups if each.finding == finding), None)
        if group is None:
            group = _Group(self._sharing(finding))
            groups.append(group)
        return group

    def _sharing(self, finding: Finding) -> Finding:
        """The same finding, made of what others hold already: the workloads of a cluster lack much the same."""
        return replace(
            finding,
            violations=self._same(finding.violations),
            remaining=self._same(finding.remaining),
            changes=self._same(finding.changes),
            held=self._same(finding.held),
            opt_outs=self._same(finding.opt_outs),
            risks=self._same(finding.risks),
        )

    def _same(self, part: Part) -> Part:
        same: Part = self._shared.setdefault(part, part)
        return same

    def _judged(self, what: str, assess: Callable[[], Finding]) -> Finding | None:
        try:
            return assess()
        except MisfitError as misfit:
            self._misfits.append(one_line(f"{what} cannot be judged: {misfit}"))
            return None


def _owner(pod: Object, name: str) -> Owner:
    above = controller(pod)
    return Owner(POD, name) if above is None else Owner(str(above.get("kind", "")), str(above.get("name", "")))


def _digest(namespace: str, owner: Owner, pod: Object) -> bytes:
    """What is the same for all pods for which the same is found; the other way round it need not be."""
    spec = {key: value for key, value in mapping_at(pod, ("spec",)).items() if key not in _OF_ONE_POD}
    annotations = {
        key: value
        for key, value in mapping_at(pod, ("metadata", "annotations")).items()
        if not key.partition("/")[0].endswith(_NETWORKS)
    }
    told = orjson.dumps([namespace, *owner, spec, annotations, signs(pod.get("status"))])
    return blake2b(_NAMES_OF_ONE_POD.sub(b"", told), digest_size=16).digest()
