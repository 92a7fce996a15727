"""What pods say about their hardening: the annotations that are stored, and what audit log and log keep beside them."""

import json
from copy import deepcopy

import pytest
import yaml

from hardener.controls import CATALOGUE
from hardener.controls.read_only_root_filesystem import SAFE_TO_EVICT
from hardener.model.pod import ANNOTATIONS_LIMIT, APPLIED, APPLIED_POLICY, PROVENANCE, SKIPPED
from hardener.policy.builtin import BUILTIN
from tests.e2e.double import allow
from tests.e2e.hardening import is_hardened, lacking
from tests.e2e.installation import Installation
from tests.e2e.neighbours import INJECTED, OURS, SERVER_SETS, Neighbours, injection
from tests.e2e.operations import show_message
from tests.e2e.registration import LABEL, calls
from tests.e2e.stand_in import MERGE, pods
from tests.e2e.waiting import eventually

LABELLED = BUILTIN["standard"].label
ALL = ",".join(CATALOGUE)

POD = yaml.safe_load("""
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - {name: app, image: "web:1"}
""")
WITH_AGENT = yaml.safe_load("""
apiVersion: v1
kind: Pod
metadata: {name: web, annotations: {hardener.dev/opt-out: resources}}
spec:
  containers:
  - {name: app, image: "web:1"}
  - {name: agent, image: "agent:1", securityContext: {privileged: true}}
""")
OF_THE_AGENT = (
    "allowPrivilegeEscalation(agent): the container is privileged; "
    "capabilities(agent): the container is privileged; "
    "readOnlyRootFilesystem(agent): the container is privileged; "
)
NON_ROOT_AGENT = "runAsNonRoot(agent): the container is privileged"


@pytest.fixture
def neighbours(control_plane, hardener):
    with Neighbours(control_plane) as started:
        yield started


@pytest.fixture(scope="module")
def once_only(control_plane, tmp_path_factory):
    """Hardener registered with `reinvocationPolicy: Never`."""
    folder = tmp_path_factory.mktemp("once")
    with Installation(control_plane, "once-only", folder, reinvocation_policy="Never") as installed:
        yield installed


def create(control_plane, namespace, pod):
    """Make a pod and read what is stored."""
    path = f"/api/v1/namespaces/{namespace}/pods"
    reply = control_plane.request("POST", path, pod, user="dev")
    assert reply.status == 201, reply.message
    return control_plane.request("GET", f"{path}/{pod['metadata']['name']}").body, reply


def told(pod):
    """The annotations about the hardening."""
    annotations = pod["metadata"].get("annotations", {})
    return {key: annotations[key] for key in PROVENANCE if key in annotations}


def test_a_stored_pod_says_which_policy_did_what_and_what_was_left_out_where_and_why(
    control_plane, hardened_namespace, documents
):
    stored, _ = create(control_plane, hardened_namespace, WITH_AGENT)

    assert told(stored) == {
        APPLIED_POLICY: LABELLED,
        APPLIED: "automountServiceAccountToken,seccompProfile",
        SKIPPED: f"{OF_THE_AGENT}resources(the pod): opted out; {NON_ROOT_AGENT}",
    }
    example = {**told(stored), APPLIED_POLICY: "standard@1c6f0a2b"}
    shown = yaml.safe_dump({"metadata": {"annotations": example}}, sort_keys=False, width=110)
    show_message(documents, control_plane, "a pod tells", shown, "yaml")


def test_a_pod_that_needs_no_hardening_can_be_told_from_one_that_slipped_through(control_plane, hardened_namespace):
    hardened, _ = create(control_plane, hardened_namespace, POD)
    whole = {"metadata": {"name": "again"}, "spec": hardened["spec"]}
    stored, _ = create(control_plane, hardened_namespace, whole)

    assert stored["spec"] == hardened["spec"]
    assert told(stored) == {APPLIED_POLICY: LABELLED, APPLIED: ALL}


def test_what_somebody_else_wrote_there_is_replaced_or_removed_and_what_comes_later_is_nobodys_word(
    control_plane, hardened_namespace
):
    forged = deepcopy(POD)
    forged["metadata"]["annotations"] = {APPLIED_POLICY: "strict@00000000", APPLIED: "none", SKIPPED: "all", "a": "b"}
    stored, _ = create(control_plane, hardened_namespace, forged)
    change = {"metadata": {"annotations": {APPLIED_POLICY: "strict@00000000"}}}
    path = f"/api/v1/namespaces/{hardened_namespace}/pods/web"
    changed = control_plane.request("PATCH", path, change, user="dev", content_type=MERGE)

    assert told(stored) == {APPLIED_POLICY: LABELLED, APPLIED: ALL}
    assert stored["metadata"]["annotations"]["a"] == "b"
    # An update of a pod is never touched, so that the annotations are for people, and nothing relies on them.
    assert told(changed.body)[APPLIED_POLICY] == "strict@00000000"


def test_a_workload_gets_no_annotation_and_its_pods_do(control_plane, hardened_namespace):
    control_plane.kubectl("create", "deployment", "web", "--image=web:1", "-n", hardened_namespace, user="dev")
    (pod,) = eventually(lambda: pods(control_plane, hardened_namespace), what="the pod is there")
    path = f"/apis/apps/v1/namespaces/{hardened_namespace}"
    kinds = [control_plane.request("GET", f"{path}/{plural}").body for plural in ("deployments", "replicasets")]

    assert told(pod) == {APPLIED_POLICY: LABELLED, APPLIED: ALL}
    assert "hardener.dev" not in json.dumps(kinds)


@pytest.mark.parametrize("policy", ["IfNeeded", "Never"])
@pytest.mark.parametrize("at", ["the end", "the front"])
def test_after_an_injector_the_pod_says_what_one_pass_over_the_whole_would_say(neighbours, at, policy):
    """Whether the injector itself is called again makes no difference; the webhook is, since the pod has changed."""
    cluster, name = neighbours.control_plane, "zzz-injector"
    neighbours.add(name, injection(at), reinvocation_policy=policy)
    alone, _ = create(cluster, neighbours.namespace(name, with_ours=False), WITH_AGENT)
    namespace = neighbours.namespace(name)
    before = calls(cluster, OURS)
    twice, _ = create(cluster, namespace, WITH_AGENT)
    assert calls(cluster, OURS) == before + 2

    metadata = {key: value for key, value in alone["metadata"].items() if key not in SERVER_SETS}
    once, _ = create(cluster, neighbours.namespace("nobody"), {"metadata": metadata, "spec": alone["spec"]})

    assert told(twice) == told(once)
    assert "runAsNonRoot(proxy-init): runAsUser is 0" in told(twice)[SKIPPED]
    assert told(twice)[SKIPPED].count("(agent)") == 4


@pytest.mark.parametrize("policy", ["IfNeeded", "Never"])
def test_registered_never_to_be_called_again_the_pod_says_nothing_of_what_came_after(neighbours, once_only, policy):
    cluster, name = neighbours.control_plane, "zzz-injector"
    neighbours.add(name, injection("the end"), reinvocation_policy=policy)
    namespace = cluster.make_namespace(labels={LABEL: once_only.name, INJECTED: name})

    stored, _ = create(cluster, namespace, POD)

    assert told(stored) == {APPLIED_POLICY: LABELLED, APPLIED: ALL}
    assert {container for _, container in lacking(stored)} == {"proxy", "proxy-init"}
    assert len(once_only.reviewed(namespace)) == 1


def test_the_audit_log_keeps_what_was_said_first_and_the_last_line_of_the_log_is_the_record(
    neighbours, documents, control_plane, tmp_path
):
    neighbours.add("zzz-injector", injection("the end"))
    with Installation(control_plane, "recorded", tmp_path) as installed:
        namespace = installed.namespace(**{INJECTED: "zzz-injector"})
        stored, reply = create(control_plane, namespace, WITH_AGENT)
        audited = installed.audited(auditID=reply.audit_id)
        first, last = installed.reviewed(namespace, calls=2)

    of_the_agent = f"{OF_THE_AGENT}{NON_ROOT_AGENT}"
    of_the_injected = "runAsNonRoot(proxy-init): runAsUser is 0"
    assert first["uid"] != last["uid"]
    assert (first["skipped"], audited["skipped"]) == (of_the_agent, of_the_agent)
    assert last["skipped"] == f"{of_the_agent}; {of_the_injected}"
    assert told(stored)[SKIPPED] == f"{OF_THE_AGENT}resources(the pod): opted out; {NON_ROOT_AGENT}; {of_the_injected}"
    assert last["applied"] == told(stored)[APPLIED] == "automountServiceAccountToken,seccompProfile"
    assert first["applied"] == audited["applied"] == "automountServiceAccountToken,seccompProfile"
    assert first["opt-out"] == last["opt-out"] == audited["opt-out"] == "resources(the pod): accepted"


def padded(size, letter="x"):
    """A pod whose own annotations take so many bytes."""
    pod = deepcopy(POD)
    width = len(letter.encode())
    count, rest = divmod(size - len("pad"), width)
    pod["metadata"]["annotations"] = {"pad": letter * count + "x" * rest}
    return pod


def bytes_of(pod, *keys):
    """What annotations take of what the API server allows, all or those that are named."""
    annotations = pod["metadata"]["annotations"]
    return sum(len(key.encode()) + len(annotations[key].encode()) for key in keys or annotations)


@pytest.fixture
def ours(control_plane, hardened_namespace):
    """The sizes of our annotations on the pod: those that say what was done, and the autoscaler's."""
    stored, _ = create(control_plane, hardened_namespace, {**POD, "metadata": {"name": "small"}})
    return bytes_of(stored, APPLIED_POLICY, APPLIED), bytes_of(stored, SAFE_TO_EVICT)


ZONES = {
    "there is room for all": ((1, 1, 0), {APPLIED_POLICY, APPLIED, SAFE_TO_EVICT}),
    "a byte is missing for what was done": ((1, 1, -1), {SAFE_TO_EVICT}),
    "there is room for the autoscaler's only": ((0, 1, 0), {SAFE_TO_EVICT}),
    "a byte is missing for that one too": ((0, 1, -1), set()),
    "there is no room at all": ((0, 0, 0), set()),
}
"""The room beside the author's annotations, in sizes of ours and single bytes; and which of ours find it."""


@pytest.mark.parametrize("letter", ["x", "é"])
@pytest.mark.parametrize("zone", ZONES)
def test_annotations_near_the_limit_stay_below_it_and_the_pod_is_hardened_all_the_same(
    control_plane, hardened_namespace, ours, zone, letter
):
    (told_sizes, evict_sizes, more), expected = ZONES[zone]
    room = told_sizes * ours[0] + evict_sizes * ours[1] + more
    pod = padded(ANNOTATIONS_LIMIT - room, letter)

    stored, _ = create(control_plane, hardened_namespace, pod)
    metadata = {"name": "again", "annotations": stored["metadata"]["annotations"]}
    again, _ = create(control_plane, hardened_namespace, {"metadata": metadata, "spec": stored["spec"]})

    assert set(stored["metadata"]["annotations"]) == {"pad"} | expected
    assert bytes_of(stored) <= ANNOTATIONS_LIMIT
    assert is_hardened(stored)
    assert (again["spec"], again["metadata"]["annotations"]) == (stored["spec"], stored["metadata"]["annotations"])


def test_above_the_limit_the_pod_is_refused_with_the_same_words_hardened(
    control_plane, hardened_namespace, plain_namespace
):
    replies = [
        control_plane.request("POST", f"/api/v1/namespaces/{namespace}/pods", padded(ANNOTATIONS_LIMIT + 1), user="dev")
        for namespace in (plain_namespace, hardened_namespace)
    ]

    assert [reply.status for reply in replies] == [422, 422]
    assert replies[0].message == replies[1].message


def test_what_another_webhook_adds_near_the_limit_takes_the_place_of_what_was_done(neighbours, ours):
    told_size, evict_size = ours
    note = {"op": "add", "path": "/metadata/annotations/note", "value": "x"}

    def annotate(review):
        return allow(review, [] if "note" in review["request"]["object"]["metadata"]["annotations"] else [note])

    neighbours.add("zzz-annotates", annotate)
    pod = padded(ANNOTATIONS_LIMIT - told_size - evict_size)

    stored, _ = create(neighbours.control_plane, neighbours.namespace("zzz-annotates"), pod)

    assert set(stored["metadata"]["annotations"]) == {"pad", "note", SAFE_TO_EVICT}
    assert is_hardened(stored)
