"""Every pod of the corpus as its controller would create it, to a real API server without and with the webhook."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.admission_chain import pod_of
from tests.corpus.manifests import FOLDER, files, holds_pod, objects, title
from tests.e2e.binaries import VERSION
from tests.e2e.cluster import Cluster, Json, Reply
from tests.e2e.hardening import spec_sent_again
from tests.e2e.installation import Installation
from tests.e2e.latency import latency
from tests.e2e.registration import LABEL
from tests.e2e.waiting import eventually
from tests.promises import broken

PLAIN, HARDENED = "corpus-plain", "corpus-hardened"
RESTRICTED, HARDENED_RESTRICTED = "corpus-restricted", "corpus-hardened-restricted"
CAPPED = "corpus-capped"
RESTRICT = {"pod-security.kubernetes.io/enforce": "restricted"}
NAMESPACES = {
    PLAIN: {},
    HARDENED: {LABEL: "true"},
    RESTRICTED: RESTRICT,
    HARDENED_RESTRICTED: {LABEL: "true"} | RESTRICT,
    CAPPED: {LABEL: "capped"},
}

SAMPLE = 50
"""Pods that are sent to a webhook that enforces nothing."""

AT_ONCE = 4
"""Requests in flight; the API server has two cores."""

_RANDOM = re.compile(r"kube-api-access-[a-z0-9]{5}\b")
_SERVER_SETS = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation")


@dataclass(frozen=True)
class Passage:
    """One pod's way: the answers without the webhook, with it, and with it for what came of that."""

    title: str
    pod: Json
    plain: Reply
    hardened: Reply
    again: Reply | None


@pytest.fixture(scope="module")
def passages(control_plane, hardener):
    pods = [(title(file, obj), pod_of(obj)) for file in files() for obj in objects(file) if holds_pod(obj)]
    assert pods, f"no manifest below {FOLDER}: set HARDENER_CORPUS to the folder that holds corpus and texts"
    prepare(control_plane, [pod for _, pod in pods])

    def passage(named: tuple[str, Json]) -> Passage:
        name, pod = named
        plain, hardened = (create(control_plane, namespace, pod) for namespace in (PLAIN, HARDENED))
        again = create(control_plane, HARDENED, sent_again(pod, hardened.body)) if hardened.ok else None
        return Passage(name, pod, plain, hardened, again)

    with ThreadPoolExecutor(AT_ONCE) as executor:
        return list(executor.map(passage, pods))


def prepare(cluster: Cluster, pods: list[Json]) -> None:
    """Make the namespaces, and what pods name and the API server asks for: accounts and priority classes.

    A name that cannot be one, as `KSA_NAME` in a template, is refused here, and so are its pods later.
    """
    accounts = {pod["spec"].get("serviceAccountName") or pod["spec"].get("serviceAccount") for pod in pods}
    for namespace, labels in NAMESPACES.items():
        cluster.make_namespace(namespace, labels)
        for account in sorted(filter(None, accounts)):
            path = f"/api/v1/namespaces/{namespace}/serviceaccounts"
            cluster.request("POST", path, {"metadata": {"name": account}})
    for name in sorted(filter(None, {pod["spec"].get("priorityClassName") for pod in pods})):
        made = {"metadata": {"name": name}, "value": 1000}
        cluster.request("POST", "/apis/scheduling.k8s.io/v1/priorityclasses", made)
        probe = {"metadata": {"name": "probe"}, "spec": {"priorityClassName": name, "containers": []}}
        eventually(
            lambda probe=probe: "no PriorityClass" not in create(cluster, PLAIN, probe).message,
            what=f"pods can name the priority class {name}",
        )


def create(cluster: Cluster, namespace: str, pod: Json) -> Reply:
    """Create a pod, dry-run."""
    pod = {**pod, "metadata": {**pod["metadata"], "namespace": namespace}}
    return cluster.request("POST", f"/api/v1/namespaces/{namespace}/pods", pod, query={"dryRun": "All"})


def sent_again(pod: Json, hardened: Json) -> Json:
    """The hardened pod as a client would send it."""
    metadata = {key: value for key, value in hardened["metadata"].items() if key not in _SERVER_SETS}
    return {"metadata": metadata, "spec": spec_sent_again(pod, hardened)}


def compared(pod: Json) -> Json:
    """What two pods are compared by, with the API server's random names made equal."""
    metadata = {key: value for key, value in pod["metadata"].items() if key in ("annotations", "labels")}
    return json.loads(_RANDOM.sub("kube-api-access-xxxxx", json.dumps({"metadata": metadata, "spec": pod["spec"]})))


def test_nearly_every_pod_of_the_corpus_can_be_created(passages):
    """The rest is wrong by itself, mostly by intention; without this, the other tests might speak of nothing."""
    accepted = sum(each.plain.ok for each in passages)

    assert accepted > 0.95 * len(passages), {each.title: each.plain.message for each in passages if not each.plain.ok}


def test_no_pod_is_refused_because_of_hardener(passages):
    assert {each.title: each.hardened.message for each in passages if each.plain.ok and not each.hardened.ok} == {}


def test_what_the_author_wrote_is_kept_and_nothing_contradicts_it(passages):
    accepted = [each for each in passages if each.plain.ok]
    found = {each.title: broken(compared(each.plain.body), compared(each.hardened.body)) for each in accepted}

    assert {name: promises for name, promises in found.items() if promises} == {}


def test_a_second_pass_adds_nothing(passages):
    twice = [each for each in passages if each.again is not None]

    assert {each.title: each.again.message for each in twice if not each.again.ok} == {}
    assert [each.title for each in twice if compared(each.again.body) != compared(each.hardened.body)] == []


def test_with_serve_dry_run_nothing_is_changed_and_every_change_is_told(passages, control_plane, tmp_path):
    """The standard policy is in force all the while, capped by the option."""
    accepted = [each for each in passages if each.plain.ok]
    sample = accepted[:: len(accepted) // SAMPLE][:SAMPLE]
    with Installation(control_plane, "capped", tmp_path, arguments=("--dry-run",)) as capped:
        replies = [create(control_plane, CAPPED, each.pod) for each in sample]
        counts = {
            result: capped.hardener.count("hardener_reviews_total", result=result)
            for result in ("patched", "announced")
        }

    assert len(replies) == SAMPLE
    changed = {
        each.title: reply.message
        for each, reply in zip(sample, replies, strict=True)
        if not reply.ok or compared(reply.body) != compared(each.plain.body)
    }
    assert changed == {}
    told = [any(line.startswith("hardener dry-run: would set ") for line in reply.warnings) for reply in replies]
    would = [compared(each.hardened.body)["spec"] != compared(each.plain.body)["spec"] for each in sample]
    assert told == would
    assert counts["patched"] == 0
    assert counts["announced"] >= sum(would) > SAMPLE / 2


def test_more_pods_are_let_into_a_namespace_that_enforces_restricted(passages, control_plane, hardener, documents):
    accepted = [each.pod for each in passages if each.plain.ok]

    def let_in(namespace: str) -> int:
        with ThreadPoolExecutor(AT_ONCE) as executor:
            return sum(executor.map(lambda pod: create(control_plane, namespace, pod).ok, accepted))

    before, after = let_in(RESTRICTED), let_in(HARDENED_RESTRICTED)
    assert before < after
    if control_plane.version == VERSION:
        documents.show(
            "README.md",
            f"Of {len(accepted)} pods from public repositories, a namespace that enforces Kubernetes' `restricted` "
            f"Pod Security Standard\naccepts {before} as they were written and {after} after hardening.",
            part="pod security",
        )


def test_the_api_server_does_not_wait_long_for_the_webhook(passages, control_plane, record_property):
    seen = latency(control_plane, "pods.hardener.dev")
    record_property("summary", seen.text)

    assert seen.calls > len(passages)
    assert seen.longer_than(2.5) == 0
