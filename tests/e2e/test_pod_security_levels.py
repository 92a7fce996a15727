"""`hardener.pss` against kube-apiserver's own PodSecurity admission: the same levels, and the same checks by name.

For every pod of the corpus and every case of `tests/pss`, sent to a namespace that enforces baseline and to one that enforces
restricted. The API server validates before it judges, so that a pod which it refuses for another reason is left out.
"""

import re
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from hardener.errors import MisfitError
from hardener.pss import Level, Standing, stand
from tests.admission_chain import pod_of
from tests.corpus.manifests import FOLDER, files, holds_pod, objects, title
from tests.e2e.cluster import Cluster, Json, Reply
from tests.pss.cases import read_cases

NAMESPACES = {Level.BASELINE: "levels-baseline", Level.RESTRICTED: "levels-restricted"}

AT_ONCE = 4
"""Requests in flight; the API server has two cores."""

ASKED_FOR = ("serviceAccountName", "serviceAccount", "priorityClassName", "runtimeClassName")
"""What a pod names and the cluster would have to have; no check reads it."""

REASONS = {
    "allowPrivilegeEscalation != false": "allowPrivilegeEscalation",
    "forbidden AppArmor profile": "appArmorProfile",
    "forbidden AppArmor profiles": "appArmorProfile",
    "forbidden sysctls": "sysctls",
    "host namespaces": "hostNamespaces",
    "hostPath volumes": "hostPathVolumes",
    "hostPort": "hostPorts",
    "hostProcess": "windowsHostProcess",
    "non-default capabilities": "capabilities_baseline",
    "privileged": "privileged",
    "probe or lifecycle host": "hostProbesAndHostLifecycle",
    "restricted volume types": "restrictedVolumes",
    "runAsNonRoot != true": "runAsNonRoot",
    "runAsUser=0": "runAsUser",
    "seLinuxOptions": "seLinuxOptions",
    "unrestricted capabilities": "capabilities_restricted",
}
"""How the API server calls checks when it refuses a pod."""

REASONS_BY_LEVEL = {
    "procMount": {Level.BASELINE: "procMount", Level.RESTRICTED: "procMount_restricted"},
    "seccompProfile": {Level.BASELINE: "seccompProfile_baseline", Level.RESTRICTED: "seccompProfile_restricted"},
}

OVERRIDDEN = {"capabilities_baseline", "hostPathVolumes", "procMount", "seccompProfile_baseline"}
"""Checks of baseline in whose place a stricter one runs where restricted is enforced."""

_REASON = re.compile(
    rf"(?:^|, )({'|'.join(map(re.escape, sorted({*REASONS, *REASONS_BY_LEVEL}, key=len, reverse=True)))}) \("
)
_VIOLATES = 'violates PodSecurity "{level}:latest": '

TARGET: Json = {
    "metadata": {"name": "target"},
    "spec": {
        "containers": [
            {
                "name": "app",
                "image": "web:1",
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                    "runAsNonRoot": True,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
            }
        ]
    },
}
"""A pod that meets restricted, with nothing for a later container to inherit."""


@dataclass(frozen=True)
class Judged:
    """A pod, and what both sides say about it; `standing` is None where hardener finds it misshapen."""

    title: str
    pod: Json
    standing: Standing | None
    replies: dict[Level, Reply]

    @property
    def was_judged(self) -> bool:
        """Whether the API server has refused it for no other reason than its level."""
        return all(reply.ok or _VIOLATES.format(level=level) in reply.message for level, reply in self.replies.items())

    def theirs(self, level: Level) -> set[str]:
        """The checks that the API server names where the level is enforced; empty where it lets the pod in."""
        found = _REASON.findall(self.replies[level].message.partition(_VIOLATES.format(level=level))[2])
        return {REASONS_BY_LEVEL[reason][level] if reason in REASONS_BY_LEVEL else REASONS[reason] for reason in found}

    def ours(self, level: Level) -> set[str]:
        """The same by hardener."""
        assert self.standing is not None, self.title
        found = {
            violation.check
            for violation in self.standing.violations
            if violation.level.weaker(level) is violation.level
        }
        return found - OVERRIDDEN if level is Level.RESTRICTED else found

    def let_in(self, level: Level) -> bool:
        """Whether hardener would expect the API server to let it in."""
        assert self.standing is not None, self.title
        return self.standing.level.weaker(level) is level


def judged(title: str, pod: Json, replies: dict[Level, Reply]) -> Judged:
    try:
        return Judged(title, pod, stand(pod), replies)
    except MisfitError:
        return Judged(title, pod, None, replies)


def disagreements(pods: Iterable[Judged]) -> dict[str, str]:
    """All that was judged and about which the two sides differ."""
    return {
        f"{each.title}, {level}": f"ours {sorted(each.ours(level))}, theirs {each.replies[level].message or 'let in'}"
        for each in pods
        for level in NAMESPACES
        if each.was_judged and (each.let_in(level) != each.replies[level].ok or each.ours(level) != each.theirs(level))
    }


def later_rule(pod: Json, minor: int) -> str:
    """The rule that hardener has, that says something about the pod, and that an older Kubernetes does not have."""
    spec = pod["spec"]
    if minor < 34 and any(each.check == "hostProbesAndHostLifecycle" for each in stand(pod).violations):
        return "hosts of probes and hooks count since 1.34"
    if minor < 35 and spec.get("hostUsers") is False:
        return "a user namespace counts since 1.35"
    if minor < 35 and any(volume.get("image") for volume in spec.get("volumes") or ()):
        return "the volume type image is on since 1.35"
    return ""


@pytest.fixture(scope="module")
def minor(control_plane):
    return int(control_plane.version.split(".")[1])


@pytest.fixture(scope="module")
def enforcing(control_plane):
    """The API server, with a namespace for each level."""
    for level, name in NAMESPACES.items():
        control_plane.make_namespace(name, {"pod-security.kubernetes.io/enforce": level})
    return control_plane


@pytest.fixture(scope="module")
def corpus(enforcing, minor):
    pods = [(title(file, obj), on_its_own(pod_of(obj))) for file in files() for obj in objects(file) if holds_pod(obj)]
    assert pods, f"no manifest below {FOLDER}: set HARDENER_CORPUS to the folder that holds corpus and texts"
    return sent(enforcing, pods)


@pytest.fixture(scope="module")
def cases():
    return [case for case in read_cases() if not case.debuggers]


@pytest.fixture(scope="module")
def crafted(enforcing, cases):
    return sent(enforcing, [(case.title, case.pod) for case in cases])


def on_its_own(pod: Json) -> Json:
    """The pod without what it asks the cluster for, and with a name that is one."""
    annotations = pod["metadata"].get("annotations") or {}
    spec = {key: value for key, value in pod["spec"].items() if key not in ASKED_FOR}
    return {"metadata": {"name": "web", "annotations": annotations}, "spec": spec}


def sent(cluster: Cluster, pods: list[tuple[str, Json]]) -> list[Judged]:
    """Ask for each pod where each level is enforced."""

    def ask(named: tuple[str, Json]) -> Judged:
        name, pod = named
        paths = {level: f"/api/v1/namespaces/{namespace}/pods" for level, namespace in NAMESPACES.items()}
        asked = {level: cluster.request("POST", path, pod, query={"dryRun": "All"}) for level, path in paths.items()}
        return judged(name, pod, asked)

    with ThreadPoolExecutor(AT_ONCE) as executor:
        return list(executor.map(ask, pods))


def without_later_rules(pods: list[Judged], minor: int) -> list[Judged]:
    return [each for each in pods if each.standing is None or not later_rule(each.pod, minor)]


def test_nearly_every_pod_of_the_corpus_is_judged(corpus, minor, record_property):
    """Without this, the next test might speak of nothing."""
    left_out = {each.title: each.replies[Level.BASELINE].message for each in corpus if not each.was_judged}
    later = Counter(filter(None, (later_rule(each.pod, minor) for each in corpus if each.was_judged)))
    levels = Counter(str(each.standing.level) for each in corpus if each.standing is not None and each.was_judged)
    counts = {**levels, "left out": len(left_out), **later}
    record_property("summary", ", ".join(f"{count} {name}" for name, count in counts.items()))

    assert len(corpus) - len(left_out) > 1000, left_out
    assert set(levels) == set(Level)


def test_the_level_of_every_pod_of_the_corpus_is_that_of_the_api_server(corpus, minor):
    assert disagreements(without_later_rules(corpus, minor)) == {}


def test_a_pod_that_is_misshapen_for_hardener_is_so_for_the_api_server(corpus):
    assert {each.title: each.replies for each in corpus if each.standing is None and each.was_judged} == {}


def test_every_case_of_the_checks_is_judged_alike(crafted, minor):
    assert disagreements(without_later_rules(crafted, minor)) == {}


def test_just_the_cases_that_say_so_are_no_valid_pods(crafted, cases, minor):
    shown = [(case, each) for case, each in zip(cases, crafted, strict=True) if not later_rule(each.pod, minor)]

    assert {each.title for _, each in shown if not each.was_judged} == {case.title for case, _ in shown if case.invalid}
    for case, each in shown:
        if case.invalid:
            assert {case.invalid in reply.message for reply in each.replies.values()} == {True}, each.replies


def test_every_check_but_one_is_seen_to_be_broken_on_both_sides(corpus, crafted, minor):
    """The API server lets nobody ask for /proc without masks in the host's users, so that one check never speaks."""
    every = {*REASONS.values(), *(name for names in REASONS_BY_LEVEL.values() for name in names.values())}
    later = {"hostProbesAndHostLifecycle": 34, "procMount_restricted": 35}
    shown = [each for each in without_later_rules([*corpus, *crafted], minor) if each.was_judged]
    seen = {check for each in shown for level in NAMESPACES for check in each.theirs(level)}

    assert seen == every - {"procMount"} - {check for check, since in later.items() if minor < since}


def test_a_container_for_debugging_is_judged_alike(enforcing):
    for namespace in NAMESPACES.values():
        made = enforcing.request("POST", f"/api/v1/namespaces/{namespace}/pods", TARGET)
        assert made.ok, made.message
    found = []
    for case in (case for case in read_cases() if case.debuggers):
        patch = {"spec": {"ephemeralContainers": case.debuggers}}
        replies = {
            level: enforcing.request(
                "PATCH",
                f"/api/v1/namespaces/{namespace}/pods/target/ephemeralcontainers",
                patch,
                query={"dryRun": "All"},
                content_type="application/strategic-merge-patch+json",
            )
            for level, namespace in NAMESPACES.items()
        }
        found.append(judged(case.title, {**TARGET, "spec": TARGET["spec"] | patch["spec"]}, replies))

    assert [each.title for each in found if not each.was_judged] == []
    assert disagreements(found) == {}
    assert {each.title.partition(":")[0] for each in found if not each.replies[Level.RESTRICTED].ok} >= {
        "appArmorProfile",
        "capabilities_baseline",
        "privileged",
        "runAsUser",
        "seLinuxOptions",
    }
