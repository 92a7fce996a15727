"""Workloads through kube-controller-manager: their pods are hardened, and they themselves are never changed."""

from copy import deepcopy

import pytest
import yaml

from hardener.model.workloads import template_path
from tests.e2e.hardening import is_hardened, lacking, wait_until_hardened
from tests.e2e.registration import LABEL
from tests.e2e.stand_in import MERGE, paper_node, play_kubelet, pods
from tests.e2e.waiting import eventually
from tests.e2e.workloads import KINDS, manifest

ROLLED_OUT = ["Deployment", "StatefulSet", "DaemonSet"]


@pytest.fixture(scope="module")
def node(control_plane):
    with paper_node(control_plane) as name:
        yield name


class Workload:
    """A workload `web` of one kind in a namespace; the kubelet's part is played whenever its pods are asked for."""

    def __init__(self, control_plane, kind, namespace, node):
        self._control_plane, self._namespace, self.kind = control_plane, namespace, kind
        self.written = manifest(kind)
        version = self.written["apiVersion"]
        if kind == "DaemonSet":
            self._template_of(self.written)["spec"]["nodeSelector"] = {"kubernetes.io/hostname": node}
        group = "/api/v1" if version == "v1" else f"/apis/{version}"
        self._paths = f"{group}/namespaces/{namespace}/{kind.lower()}s"

    def create(self):
        reply = self._control_plane.request("POST", self._paths, self.written, user="dev")
        assert reply.status == 201, reply.body
        self.template_at_first = self._template_of(reply.body)
        if self.kind == "CronJob":
            self._come_due()
        return self

    def kubectl(self, *arguments, **options):
        done = self._control_plane.kubectl(*arguments, "-n", self._namespace, user="dev", **options)
        return done.stdout

    @property
    def stored(self):
        return self._control_plane.request("GET", f"{self._paths}/web").body

    @property
    def stored_template(self):
        return self._template_of(self.stored)

    def _template_of(self, obj):
        for key in template_path(self.written["apiVersion"], self.kind):
            obj = obj[key]
        return obj

    def settled_pods(self, count, image="web:1"):
        """Wait for just so many pods of an image."""

        def settled():
            found = play_kubelet(self._control_plane, self._namespace)
            images = [pod["spec"]["containers"][0]["image"] for pod in found]
            assert images == [image] * count, images
            stored = self.stored
            status, generation = stored["status"], stored["metadata"].get("generation")
            counts = [status.get(field, count) for field in ("updatedReplicas", "updatedNumberScheduled")]
            assert counts == [count, count], status
            assert status.get("observedGeneration", generation) == generation
            return pods(self._control_plane, self._namespace)

        return eventually(settled, what=f"{count} pods of {self.kind} web have {image}")

    def _come_due(self):
        """Say that it ran last long ago, and let it go: the controller then makes up for the run that was missed."""
        status = {"status": {"lastScheduleTime": "2024-12-31T12:00:00Z"}}
        self._control_plane.request("PATCH", f"{self._paths}/web/status", status, content_type=MERGE)
        self._control_plane.request("PATCH", f"{self._paths}/web", {"spec": {"suspend": False}}, content_type=MERGE)


@pytest.fixture
def make(control_plane, hardened_namespace, node):
    """Make a workload of a kind where the webhook is."""
    return lambda kind: Workload(control_plane, kind, hardened_namespace, node).create()


def uids(found):
    return {pod["metadata"]["uid"] for pod in found}


def assert_all_hardened(found):
    assert found
    assert all(is_hardened(pod) for pod in found)
    assert all(pod["metadata"]["ownerReferences"][0]["controller"] for pod in found), "a controller made them"


@pytest.mark.parametrize("kind", KINDS)
def test_the_pods_of_every_kind_of_workload_are_hardened_and_its_template_stays_as_written(
    control_plane, plain_namespace, node, make, kind
):
    without = Workload(control_plane, kind, plain_namespace, node).create()
    workload = make(kind)

    assert_all_hardened(workload.settled_pods(1 if kind in ("DaemonSet", "CronJob") else 2))
    assert workload.stored_template == workload.template_at_first
    assert workload.stored_template["spec"] == without.stored_template["spec"]


@pytest.mark.parametrize(("kind", "condition"), [("Job", "Complete"), ("CronJob", None)])
def test_a_job_with_hardened_pods_completes(control_plane, hardened_namespace, make, kind, condition):
    workload = make(kind)

    def completed():
        play_kubelet(control_plane, hardened_namespace)
        jobs = control_plane.request("GET", f"/apis/batch/v1/namespaces/{hardened_namespace}/jobs").body["items"]
        return [job for job in jobs if any(each["type"] == "Complete" for each in job["status"].get("conditions", []))]

    assert len(eventually(completed, what=f"{kind} web is done")) == 1
    assert condition is None or workload.stored["status"]["succeeded"] == 2


@pytest.mark.parametrize("kind", ROLLED_OUT)
def test_set_image_rolls_out_hardened_pods_and_undo_brings_the_old_image_back_hardened(make, kind):
    workload = make(kind)
    count = 1 if kind == "DaemonSet" else 2
    before = workload.settled_pods(count)
    template = workload.stored_template

    workload.kubectl("set", "image", f"{kind}/web", "app=web:2")
    after = workload.settled_pods(count, "web:2")
    assert "Waiting" not in workload.kubectl("rollout", "status", f"{kind}/web", "--watch=false")
    assert_all_hardened(after)
    changed = deepcopy(template)
    changed["spec"]["containers"][0]["image"] = "web:2"
    assert workload.stored_template == changed

    workload.kubectl("rollout", "undo", f"{kind}/web")
    undone = workload.settled_pods(count)
    assert_all_hardened(undone)
    assert workload.stored_template == template
    assert len(uids(before + after + undone)) == 3 * count, "no pod was changed, all were made anew"


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_scaling_up_adds_hardened_pods_and_scaling_down_removes_them(make, kind):
    workload = make(kind)
    few = uids(workload.settled_pods(2))

    workload.kubectl("scale", f"{kind}/web", "--replicas=4")
    many = workload.settled_pods(4)
    assert_all_hardened(many)
    assert few < uids(many), "the pods that were there stay"

    workload.kubectl("scale", f"{kind}/web", "--replicas=1")
    assert_all_hardened(workload.settled_pods(1))


def test_applying_an_unchanged_workload_again_changes_nothing_and_diff_is_empty(make):
    workload = make("Deployment")
    text = yaml.safe_dump(workload.written)
    workload.kubectl("apply", "-f", "-", input=text)
    first = workload.settled_pods(2)

    assert workload.kubectl("apply", "-f", "-", input=text) == "deployment.apps/web unchanged\n"
    assert workload.kubectl("diff", "-f", "-", input=text) == ""
    assert uids(workload.settled_pods(2)) == uids(first)


def test_a_workload_made_before_the_webhook_keeps_its_pods_until_its_next_rollout(
    control_plane, hardener, plain_namespace, node
):
    workload = Workload(control_plane, "Deployment", plain_namespace, node).create()
    old = workload.settled_pods(2)
    control_plane.kubectl("label", "namespace", plain_namespace, f"{LABEL}=true")

    wait_until_hardened(control_plane, plain_namespace)

    assert all(lacking(pod) for pod in old)
    assert uids(workload.settled_pods(2)) == uids(old)

    workload.kubectl("rollout", "restart", "deployment/web")
    new = eventually(
        lambda: [pod for pod in workload.settled_pods(2) if not uids([pod]) & uids(old)][:2], what="the pods are new"
    )
    assert_all_hardened(new)
