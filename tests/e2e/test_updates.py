"""Pods that exist already: whatever may be done to a pod can be done to those from before the webhook and to hardened ones.

Each case runs with the webhook registered as it should be, for the creation of pods, and registered for everything that
concerns pods, as somebody may do by mistake.
"""

import json
from copy import deepcopy

import pytest
import yaml

from tests.e2e.hardening import lacking, wait_until_hardened
from tests.e2e.registration import LABEL, calls, register, unregister, webhook_configuration
from tests.e2e.stand_in import MERGE, paper_node, pods

WIDE = "e2e.hardener.dev/registered-for-everything"
WIDE_WEBHOOK = "everything.hardener.dev"
REGISTRATIONS = {"for creation": LABEL, "for everything": WIDE}
ORIGINS = ("made before the webhook", "hardened")
STRATEGIC = "application/strategic-merge-patch+json"

POD = yaml.safe_load("""
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  initContainers:
  - {name: migrate, image: "web:1"}
  containers:
  - {name: app, image: "web:1"}
  - {name: logs, image: "logs:1", resources: {requests: {cpu: 50m, memory: 64Mi}}}
""")


@pytest.fixture(scope="module", autouse=True)
def registered_for_everything(control_plane, hardener):
    """The same webhook once more, with rules that are far too wide."""
    configuration = webhook_configuration(
        "zz-everything",
        hardener.url,
        hardener.ca_bundle,
        namespace_selector={"matchLabels": {WIDE: "true"}},
        webhook_name=WIDE_WEBHOOK,
    )
    rule = configuration["webhooks"][0]["rules"][0]
    rule |= {"operations": ["*"], "resources": ["pods", "pods/*"]}
    register(control_plane, configuration)
    yield
    unregister(control_plane, configuration)


@pytest.fixture
def node(control_plane):
    with paper_node(control_plane) as name:
        yield name


class Subject:
    """One pod `web` in a namespace of its own, before something is done to it."""

    def __init__(self, control_plane, namespace, node):
        self.control_plane, self.namespace, self.node = control_plane, namespace, node
        self.path = f"/api/v1/namespaces/{namespace}/pods/web"

    def create(self, **spec):
        pod = deepcopy(POD)
        pod["spec"] |= spec
        reply = self.control_plane.request("POST", self.path.rpartition("/")[0], pod, user="dev")
        assert reply.status == 201, reply.body

    def kubectl(self, *arguments, **options):
        return self.control_plane.kubectl(*arguments, "-n", self.namespace, user="dev", **options).stdout

    def send(self, method, subresource="", body=None, content_type="application/json"):
        reply = self.control_plane.request(method, self.path + subresource, body, user="dev", content_type=content_type)
        assert reply.ok, reply.body
        return reply.body

    @property
    def pod(self):
        """As it is stored; None when it is gone."""
        return next(iter(pods(self.control_plane, self.namespace)), None)


def be_labelled(subject, spec):
    subject.kubectl("label", "pod", "web", "tier=front")

    assert subject.pod["metadata"]["labels"] == {"app": "web", "tier": "front"}


def be_annotated(subject, spec):
    subject.kubectl("annotate", "pod", "web", "note=here", "hardener.dev/opt-out=*")

    assert subject.pod["metadata"]["annotations"]["note"] == "here"


def receive_and_lose_a_finalizer(subject, spec):
    finalizer = {"metadata": {"finalizers": ["example.org/wait"]}}
    subject.send("PATCH", body=finalizer, content_type=MERGE)
    subject.send("DELETE")
    assert "deletionTimestamp" in subject.pod["metadata"]
    subject.send("PATCH", body={"metadata": {"finalizers": None}}, content_type=MERGE)

    assert subject.pod is None


def lose_its_scheduling_gate(subject, spec):
    assert subject.pod["spec"].pop("schedulingGates") == [{"name": "example.org/wait"}]
    subject.send("PATCH", body={"spec": {"nodeSelector": {"disk": "ssd"}}}, content_type=MERGE)
    subject.send("PATCH", body={"spec": {"schedulingGates": None}}, content_type=MERGE)

    del spec["schedulingGates"]
    spec["nodeSelector"] = {"disk": "ssd"}


def receive_another_image(subject, spec):
    subject.kubectl("set", "image", "pod/web", "app=web:2")

    spec["containers"][0]["image"] = "web:2"


def receive_a_deadline_and_a_toleration(subject, spec):
    toleration = {"key": "disk", "operator": "Exists"}
    tolerations = [*spec["tolerations"], toleration]
    change = {"spec": {"activeDeadlineSeconds": 600, "tolerations": tolerations}}
    subject.send("PATCH", body=change, content_type=MERGE)

    spec |= {"activeDeadlineSeconds": 600, "tolerations": tolerations}


def be_bound_to_a_node(subject, spec):
    target = {"apiVersion": "v1", "kind": "Node", "name": subject.node}
    subject.send("POST", "/binding", {"metadata": {"name": "web"}, "target": target})

    spec["nodeName"] = subject.node


def report_its_status(subject, spec):
    subject.send("PATCH", "/status", {"status": {"phase": "Running"}}, MERGE)

    assert subject.pod["status"]["phase"] == "Running"


def be_resized(subject, spec):
    """Amounts of its author and of the webhook alike; who had none stays without, since the QoS class must not change."""
    resized = [container for container in spec["containers"] if container["resources"]]
    for container in resized:
        container["resources"]["requests"] = {"cpu": "70m", "memory": "96Mi"}
    change = [{"name": container["name"], "resources": container["resources"]} for container in resized]
    subject.send("PATCH", "/resize", {"spec": {"containers": change}}, STRATEGIC)


def be_debugged(subject, spec):
    subject.kubectl("debug", "web", "--image=tools:1", "--container=tools", "--profile=sysadmin", "--target=app")

    (tools,) = subject.pod["spec"]["ephemeralContainers"]
    assert (tools["name"], tools["securityContext"]) == ("tools", {"privileged": True})
    spec["ephemeralContainers"] = [tools]


def be_deleted(subject, spec):
    subject.kubectl("delete", "pod", "web", "--wait=false")

    assert subject.pod is None


def be_evicted(subject, spec):
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web"}}
    subject.send("POST", "/eviction", eviction)

    assert subject.pod is None


def be_drained_from_its_node(subject, spec):
    be_bound_to_a_node(subject, spec)
    subject.kubectl("drain", subject.node, "--force", "--delete-emptydir-data", "--grace-period=0")

    assert subject.pod is None


def be_applied_again_unchanged(subject, spec):
    document = json.dumps(POD)
    subject.kubectl("apply", "-f", "-", input=document)

    assert subject.kubectl("apply", "-f", "-", input=document) == "pod/web unchanged\n"


def be_edited_by_server_side_apply(subject, spec):
    edited = deepcopy(POD)
    edited["metadata"]["labels"]["tier"] = "front"
    subject.kubectl("apply", "--server-side", "-f", "-", input=json.dumps(edited))

    assert subject.pod["metadata"]["labels"] == {"app": "web", "tier": "front"}


DEEDS = {
    deed.__name__.replace("_", " "): deed
    for deed in (
        be_labelled,
        be_annotated,
        receive_and_lose_a_finalizer,
        lose_its_scheduling_gate,
        receive_another_image,
        receive_a_deadline_and_a_toleration,
        be_bound_to_a_node,
        report_its_status,
        be_resized,
        be_debugged,
        be_deleted,
        be_evicted,
        be_drained_from_its_node,
        be_applied_again_unchanged,
        be_edited_by_server_side_apply,
    )
}
GATED = {"lose its scheduling gate": {"schedulingGates": [{"name": "example.org/wait"}]}}


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("registration", REGISTRATIONS)
@pytest.mark.parametrize("deed", DEEDS)
def test_what_may_be_done_to_a_pod_can_still_be_done(control_plane, hardener, node, deed, registration, origin):
    marker = {REGISTRATIONS[registration]: "true"}
    is_new = origin == "hardened"
    namespace = control_plane.make_namespace(labels=marker if is_new else None)
    subject = Subject(control_plane, namespace, node)
    subject.create(**GATED.get(deed, {}))
    if not is_new:
        control_plane.request(
            "PATCH", f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": marker}}, content_type=MERGE
        )
        wait_until_hardened(control_plane, namespace)
    before = subject.pod
    assert bool(lacking(before)) is not is_new
    asked = calls(control_plane, WIDE_WEBHOOK)

    spec = deepcopy(before["spec"])
    DEEDS[deed](subject, spec)

    after = subject.pod
    assert after is None or after["spec"] == spec, "nothing changed but what was asked for"
    assert (calls(control_plane, WIDE_WEBHOOK) > asked) is (registration == "for everything"), "or it proves nothing"


@pytest.mark.parametrize("kind", ["exec", "attach", "portforward"])
def test_a_shell_and_a_tunnel_are_not_the_webhooks_affair_even_where_it_is_asked(control_plane, hardener, node, kind):
    """Without a kubelet they lead nowhere, but the API server's own words say that it got past the webhook."""
    subject = Subject(control_plane, control_plane.make_namespace(labels={WIDE: "true"}), node)
    subject.create()
    asked = calls(control_plane, WIDE_WEBHOOK)

    query = {"command": "true", "stdout": "true", "container": "app"} if kind != "portforward" else None
    reply = control_plane.request("GET", f"{subject.path}/{kind}", query=query)

    assert (reply.status, reply.message) == (400, "pod web does not have a host assigned")
    assert calls(control_plane, WIDE_WEBHOOK) == asked + 1
