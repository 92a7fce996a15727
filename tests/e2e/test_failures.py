"""The webhook is away, slow, or not trusted: what users see then, by failure policy. docs/operations.md repeats it."""

import base64
import signal
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from hardener.tls import self_signed
from tests.e2e.double import allow
from tests.e2e.hardening import is_hardened, lacking
from tests.e2e.operations import show_message
from tests.e2e.processes import Port
from tests.e2e.registration import register, unregister, webhook_configuration
from tests.e2e.stand_in import play_kubelet, pods
from tests.e2e.waiting import eventually
from tests.e2e.webhook import Hardener

LABEL = "e2e.hardener.dev/failures"
WEBHOOK = "pods.hardener.dev"
FAILED_OPEN = "failed-open.mutation.webhook.admission.k8s.io/"
FAIL_OPEN_COUNT = "apiserver_admission_webhook_fail_open_count"

POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web"},
    "spec": {"containers": [{"name": "app", "image": "web:1"}]},
}
DEPLOYMENT = yaml.safe_load("""
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: "web:1"}]}
""")


@contextmanager
def registered(control_plane, name, url, ca_bundle, **options):
    """A webhook for the namespace that this gives, until the test is over."""
    labels = {LABEL: name}
    configuration = webhook_configuration(
        name, url, ca_bundle, namespace_selector={"matchLabels": labels}, webhook_name=WEBHOOK, **options
    )
    register(control_plane, configuration)
    try:
        yield control_plane.make_namespace(labels=labels)
    finally:
        unregister(control_plane, configuration)


def create(control_plane, namespace, **query):
    return control_plane.request("POST", f"/api/v1/namespaces/{namespace}/pods", POD, user="dev", query=query)


@contextmanager
def nobody_listens(hardener, double):
    port = Port()
    yield f"https://127.0.0.1:{port.number}", hardener.ca_bundle, {}
    port.close()


@contextmanager
def it_takes_too_long(hardener, double):
    released = threading.Event()
    double.answers["/mutate"] = lambda review: allow(review) if released.wait(30) else {}
    yield double.url, double.ca_bundle, {"timeout": 1}
    released.set()


@contextmanager
def its_authority_is_not_trusted(hardener, double):
    yield hardener.url, double.ca_bundle, {}


@contextmanager
def its_certificate_names_another_host(hardener, double):
    with served_with(self_signed(("other.example",), datetime.now(UTC), days=2)) as (url, ca_bundle, options):
        yield url.replace("127.0.0.1", "localhost"), ca_bundle, options


@contextmanager
def its_certificate_has_expired(hardener, double):
    with served_with(self_signed(("127.0.0.1",), datetime.now(UTC) - timedelta(days=10), days=2)) as troubled:
        yield troubled


@contextmanager
def its_path_is_wrong(hardener, double):
    yield hardener.url, hardener.ca_bundle, {"path": "/mutat"}


@contextmanager
def served_with(pair):
    """Hardener with another certificate, which the API server is told to trust."""
    served = Hardener()
    served.certificate_file.write_bytes(pair.certificate)
    served.key_file.write_bytes(pair.key)
    with served:
        yield served.url, base64.b64encode(pair.certificate).decode(), {}


TROUBLES = {
    trouble.__name__.replace("_", " "): trouble
    for trouble in (
        nobody_listens,
        it_takes_too_long,
        its_authority_is_not_trusted,
        its_certificate_names_another_host,
        its_certificate_has_expired,
        its_path_is_wrong,
    )
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_with_the_policy_fail_no_pod_is_made_and_the_message_says_why(
    control_plane, hardener, double, documents, trouble
):
    with (
        TROUBLES[trouble](hardener, double) as (url, ca_bundle, options),
        registered(control_plane, "zz-fail", url, ca_bundle, failure_policy="Fail", **options) as namespace,
    ):
        reply = create(control_plane, namespace)

    assert (reply.status, reply.body["reason"]) == (500, "InternalError")
    show_message(documents, control_plane, trouble, reply.message)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_with_the_policy_ignore_the_pod_is_made_unhardened_and_only_the_audit_log_and_a_metric_tell(
    control_plane, hardener, double, trouble
):
    with (
        TROUBLES[trouble](hardener, double) as (url, ca_bundle, options),
        registered(control_plane, "zz-ignore", url, ca_bundle, failure_policy="Ignore", **options) as namespace,
    ):
        before = fail_open_count(control_plane)
        reply = create(control_plane, namespace)
        after = fail_open_count(control_plane)

    assert (reply.status, reply.warnings) == (201, [])
    assert {control for control, _ in lacking(reply.body)} >= {"runAsNonRoot", "capabilities"}
    assert after == before + 1
    told = eventually(
        lambda: [event for event in control_plane.audit() if event["auditID"] == reply.audit_id], what="it is audited"
    )
    failed_open = [value for key, value in told[0]["annotations"].items() if key.startswith(FAILED_OPEN)]
    assert failed_open == [WEBHOOK]


def fail_open_count(control_plane):
    lines = (line for line in control_plane.metrics().splitlines() if line.startswith(f"{FAIL_OPEN_COUNT}{{"))
    return sum(float(line.rpartition(" ")[2]) for line in lines if f'name="{WEBHOOK}"' in line)


@pytest.fixture
def stoppable(control_plane):
    """A webhook that a test may stop, registered with the policy Fail, and its namespace."""
    with (
        Hardener() as own,
        registered(control_plane, "zz-stoppable", own.url, own.ca_bundle, failure_policy="Fail") as namespace,
    ):
        yield own, namespace


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_after_a_restart_the_very_next_pod_is_hardened(control_plane, stoppable, number):
    """Even though the API server still holds connections to the one that is gone."""
    own, namespace = stoppable
    for _ in range(2):
        assert is_hardened(create(control_plane, namespace, dryRun="All").body)

        own.stop(number)
        own.start()
        reply = create(control_plane, namespace, dryRun="All")

        assert reply.status == 201, reply.message
        assert is_hardened(reply.body)


def test_a_deployment_waits_and_says_why_while_the_webhook_is_away_and_goes_on_by_itself(
    control_plane, documents, stoppable
):
    own, namespace = stoppable
    own.stop()

    control_plane.kubectl("apply", "-n", namespace, "-f", "-", input=yaml.safe_dump(DEPLOYMENT), user="dev")
    failure = eventually(lambda: condition(control_plane, namespace, "ReplicaFailure"), what="the Deployment says why")
    assert (failure["reason"], pods(control_plane, namespace)) == ("FailedCreate", [])
    events = control_plane.request("GET", f"/api/v1/namespaces/{namespace}/events").body["items"]
    assert f"Error creating: {failure['message']}" in {each["message"] for each in events if each["type"] == "Warning"}
    show_message(documents, control_plane, "a Deployment waits", failure["message"])

    own.start()
    made = eventually(lambda: play_kubelet(control_plane, namespace)[1:] and pods(control_plane, namespace))
    assert all(is_hardened(pod) for pod in made)
    eventually(lambda: condition(control_plane, namespace, "Available")["status"] == "True", what="it is available")
    assert condition(control_plane, namespace, "ReplicaFailure") is None


def test_while_the_webhook_is_away_what_runs_goes_on_and_can_be_changed_scaled_down_and_deleted(
    control_plane, stoppable
):
    own, namespace = stoppable

    def kubectl(*arguments):
        return control_plane.kubectl(*arguments, "-n", namespace, user="dev").stdout

    control_plane.kubectl("apply", "-n", namespace, "-f", "-", input=yaml.safe_dump(DEPLOYMENT), user="dev")
    eventually(lambda: len(play_kubelet(control_plane, namespace)) == 2, what="both pods are there")
    own.stop()

    first = pods(control_plane, namespace)[0]["metadata"]["name"]
    kubectl("label", "pod", first, "tier=front")
    kubectl("scale", "deployment/web", "--replicas=1")
    eventually(lambda: len(pods(control_plane, namespace)) == 1, what="one pod is left")
    kubectl("delete", "deployment", "web")
    eventually(lambda: pods(control_plane, namespace) == [], what="no pod is left")


def test_other_namespaces_do_not_notice_that_the_webhook_is_away(control_plane, plain_namespace, stoppable):
    own, namespace = stoppable
    own.stop()

    assert create(control_plane, namespace).status == 500
    assert create(control_plane, plain_namespace).status == 201


def test_deleting_the_configuration_lets_pods_through_again_while_the_webhook_is_away(control_plane, stoppable):
    own, namespace = stoppable
    own.stop()
    assert create(control_plane, namespace).status == 500

    control_plane.kubectl("delete", "mutatingwebhookconfiguration", "zz-stoppable")

    eventually(lambda: create(control_plane, namespace).status == 201, what="pods can be made")


def test_pods_that_slipped_through_are_hardened_by_the_next_rollout(control_plane):
    with (
        Hardener() as own,
        registered(control_plane, "zz-slipped", own.url, own.ca_bundle, failure_policy="Ignore") as namespace,
    ):
        own.stop()
        control_plane.kubectl("apply", "-n", namespace, "-f", "-", input=yaml.safe_dump(DEPLOYMENT), user="dev")
        slipped = eventually(lambda: play_kubelet(control_plane, namespace)[1:], what="both pods are there")
        assert all(lacking(pod) for pod in slipped)

        own.start()
        control_plane.kubectl("rollout", "restart", "deployment/web", "-n", namespace, user="dev")

        def replaced():
            found = play_kubelet(control_plane, namespace)
            return len(found) == 2 and all(is_hardened(pod) for pod in found)

        assert eventually(replaced, what="both pods are hardened")


def condition(control_plane, namespace, kind):
    """One condition of the Deployment; None where it has no such condition."""
    status = control_plane.request("GET", f"/apis/apps/v1/namespaces/{namespace}/deployments/web").body["status"]
    return next((each for each in status.get("conditions", []) if each["type"] == kind), None)
