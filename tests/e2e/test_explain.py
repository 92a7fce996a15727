"""`/explain` on a real API server: who applies a workload reads what its pods will receive, and nothing else happens."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from hardener.admission.explain import sentences
from hardener.admission.workload import judge
from hardener.model import STANDALONE
from hardener.model.workloads import template_path
from hardener.policy.reading import embedded_config
from hardener.wording import warnings
from tests.e2e.installation import Installation
from tests.e2e.operations import show_message
from tests.e2e.registration import LABEL, explain_configuration, register, unregister
from tests.e2e.stand_in import MERGE, pods
from tests.e2e.waiting import eventually
from tests.e2e.workloads import KINDS, manifest

CONFIG = """\
apiVersion: hardener.dev/v1
kind: HardenerConfig
policies:
  silent: {warnings: none}
  governed: {optOut: {controls: [resources, runAsNonRoot], requireReason: true, maxDays: 90}}
namespaces:
- {names: ["observed-*"], policy: observe}
- {names: ["silent-*"], policy: silent}
- {names: ["governed-*"], policy: governed}
"""
WIDE = "e2e.hardener.dev/explained-for-everything"
WIDE_WEBHOOK = "everything.workloads.hardener.dev"
DEPLOYMENT = yaml.safe_load("""
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata:
      labels: {app: web}
      annotations: {}
    spec:
      containers:
      - {name: app, image: "web:1"}
      - {name: agent, image: "agent:1", securityContext: {privileged: true}}
""")
POD_TEMPLATE = {
    "apiVersion": "v1",
    "kind": "PodTemplate",
    "metadata": {"name": "web"},
    "template": DEPLOYMENT["spec"]["template"],
}
OBJECTS = {kind: manifest(kind) for kind in KINDS} | {"PodTemplate": POD_TEMPLATE}


@pytest.fixture(scope="module")
def installed(control_plane, tmp_path_factory):
    folder = tmp_path_factory.mktemp("explain")
    arguments = ("--log-level=debug",)
    with Installation(control_plane, "explained", folder, CONFIG, arguments=arguments, explains=True) as started:
        yield started


class User:
    """A person with kubectl, in one namespace."""

    def __init__(self, installed, namespace):
        self.installed, self.cluster, self.namespace = installed, installed.cluster, namespace

    def kubectl(self, *arguments, **options):
        return self.cluster.kubectl("-n", self.namespace, *arguments, user="dev", **options)

    def told(self, *arguments, **options):
        """The warnings that a command shows."""
        lines = self.kubectl(*arguments, **options).stderr.splitlines()
        assert all(line.startswith("Warning: ") for line in lines), lines
        return [line.removeprefix("Warning: ") for line in lines]

    def apply(self, obj, *options):
        return self.told("apply", "-f", "-", *options, input=yaml.safe_dump(obj))

    def answers(self, kind):
        """What became of the reviews of a kind in the namespace so far, by the webhook's log; there has been one."""

        def found():
            lines = (line for line in self.installed.hardener.log() if line["message"] == "explained")
            return [line["result"] for line in lines if (line["namespace"], line["kind"]) == (self.namespace, kind)]

        return eventually(found, what=f"a {kind} was reviewed")


@pytest.fixture
def user(installed):
    return User(installed, installed.namespace())


def foretold(obj, namespace="default"):
    """What preview knows of an object as it was written, in the words of a warning."""
    template = template_path(obj["apiVersion"], obj["kind"])
    judged = judge(obj, obj["kind"], template, namespace, embedded_config(), STANDALONE, datetime.now(UTC).date())
    return warnings(sentences(judged))


@pytest.mark.parametrize("kind", OBJECTS)
def test_who_applies_a_workload_reads_what_its_pods_will_receive_and_the_workload_stays_as_written(
    control_plane, plain_namespace, user, kind
):
    obj = OBJECTS[kind]
    plain = json.loads(
        control_plane.kubectl(
            "-n", plain_namespace, "apply", "-o", "json", "-f", "-", input=yaml.safe_dump(obj), user="dev"
        ).stdout
    )

    told = user.apply(obj)

    made = json.loads(user.kubectl("get", kind, "web", "-o", "json").stdout)
    assert told == foretold(obj)
    assert any(" will set " in line for line in told)
    part = "template" if kind == "PodTemplate" else "spec"
    assert without_uid(made[part]) == without_uid(plain[part])
    assert set(made["metadata"].get("annotations", {})) <= {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deployment.kubernetes.io/revision",
        "deprecated.daemonset.template.generation",
    }


def without_uid(value):
    """A spec without what a Job's selector says of its own uid, and what a template's defaults leave out as null."""
    if isinstance(value, dict):
        left_out = ("controller-uid", "batch.kubernetes.io/controller-uid")
        return {key: without_uid(each) for key, each in value.items() if key not in left_out}
    return [without_uid(each) for each in value] if isinstance(value, list) else value


def test_changes_holds_and_reasons_are_told_and_only_once(user, documents):
    told = user.apply(DEPLOYMENT)

    show_message(documents, user.cluster, "a Deployment is explained", "\n".join(f"Warning: {line}" for line in told))
    assert any(line.startswith("hardener: held back ") and "the container is privileged" in line for line in told)
    assert user.apply(DEPLOYMENT) == []
    assert user.apply({**DEPLOYMENT, "metadata": {"name": "web", "labels": {"team": "shop"}}}) == []


def test_what_a_controller_makes_is_spared(user):
    user.apply(DEPLOYMENT)
    cron_job = manifest("CronJob")
    user.apply(cron_job)
    by_hand = user.told("create", "job", "now", "--from=cronjob/web")
    eventually(lambda: len(pods(user.cluster, user.namespace)) == 2, what="the pods are made")

    assert set(user.answers("ReplicaSet")) == set(user.answers("Job")) == {"spared"}
    # kubectl names the CronJob as the controller of such a Job.
    assert by_hand == []
    assert user.answers("Deployment")[0] == user.answers("CronJob")[0] == "explained"


def test_an_object_with_a_controller_is_spared_whoever_sends_it(user):
    """As operators do for theirs."""
    owner = {"apiVersion": "example.org/v1", "kind": "Shop", "name": "s", "uid": "u-1"}
    obj = {**DEPLOYMENT, "metadata": {"name": "web", "ownerReferences": [{**owner, "controller": True}]}}

    assert user.apply(obj, "--dry-run=server") == []
    assert user.answers("Deployment") == ["spared"]
    obj["metadata"]["ownerReferences"] = [owner]
    assert user.apply(obj, "--dry-run=server") == foretold(obj)


CHANGES = {
    "set image": (("set", "image", "deployment/web", "app=web:2"), True),
    "rollout restart": (("rollout", "restart", "deployment/web"), True),
    "scale": (("scale", "deployment/web", "--replicas=3"), False),
    "annotate": (("annotate", "deployment/web", "note=here"), False),
    "rollout pause": (("rollout", "pause", "deployment/web"), False),
    "delete": (("delete", "deployment/web"), False),
}


@pytest.fixture(scope="module")
def registered_for_everything(installed):
    """The same endpoint once more, with rules that are far too wide."""
    configuration = explain_configuration(
        "explain-everything",
        installed.hardener.url,
        installed.hardener.ca_bundle,
        namespace_selector={"matchLabels": {WIDE: "true"}},
        webhook_name=WIDE_WEBHOOK,
    )
    every = {"operations": ["*"], "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"], "scope": "*"}
    configuration["webhooks"][0]["rules"] = [every]
    register(installed.cluster, configuration)
    yield {WIDE: "true"}
    unregister(installed.cluster, configuration)


@pytest.mark.parametrize("registration", ["as it should be", "for everything"])
@pytest.mark.parametrize("change", CHANGES)
def test_only_a_change_of_the_template_is_explained(installed, registered_for_everything, change, registration):
    labels = {LABEL: installed.name} if registration == "as it should be" else registered_for_everything
    user = User(installed, installed.cluster.make_namespace(labels=labels))
    command, explained = CHANGES[change]
    first = user.apply(DEPLOYMENT)
    assert first == foretold(DEPLOYMENT)

    assert user.told(*command) == (first if explained else [])
    assert {"misfit", "failed"}.isdisjoint(user.answers("Deployment"))


@pytest.mark.parametrize("registration", ["as it should be", "for everything"])
def test_a_report_of_the_status_is_never_explained(installed, registered_for_everything, registration):
    labels = {LABEL: installed.name} if registration == "as it should be" else registered_for_everything
    user = User(installed, installed.cluster.make_namespace(labels=labels))
    obj = {**POD_TEMPLATE, "metadata": {"name": "other"}}
    user.apply(DEPLOYMENT)
    path = f"/apis/apps/v1/namespaces/{user.namespace}/deployments/web/status"
    reply = user.cluster.request("PATCH", path, {"status": {"replicas": 1}}, content_type=MERGE)

    assert (reply.status, reply.warnings) == (200, [])
    assert user.apply(obj) == foretold(obj)


def test_a_server_side_dry_run_is_explained_too_and_leaves_nothing_behind(user):
    told = user.apply(DEPLOYMENT, "--dry-run=server")

    assert told == foretold(DEPLOYMENT)
    assert user.kubectl("get", "deployments", "-o", "name").stdout == ""
    assert user.apply(DEPLOYMENT, "--server-side") == told
    assert user.apply(DEPLOYMENT, "--server-side") == []


def test_under_a_dry_run_policy_it_says_what_would_be_done_and_under_a_silent_one_nothing(installed):
    observed, silent = (
        User(installed, installed.namespace("observed-")),
        User(installed, installed.namespace("silent-")),
    )

    assert any(line.startswith("hardener dry-run: would set ") for line in observed.apply(DEPLOYMENT))
    assert silent.apply(DEPLOYMENT) == []
    assert silent.answers("Deployment")[0] == "explained"


def test_a_refused_opt_out_is_told_before_any_pod_is_made_and_one_in_the_wrong_place_too(installed, documents):
    user = User(installed, installed.namespace("governed-"))
    soon = (datetime.now(UTC) + timedelta(days=10)).date().isoformat()
    obj = json.loads(json.dumps(DEPLOYMENT))
    obj["metadata"]["annotations"] = {"hardener.dev/opt-out": "resources"}
    obj["spec"]["template"]["metadata"]["annotations"] = {
        "hardener.dev/opt-out": "readOnlyRootFilesystem, runAsNonRut, resources",
        "opt-out.hardener.dev/db": "runAsNonRoot",
        "hardener.dev/opt-out-reason": "ticket 12",
        "hardener.dev/opt-out-until": soon,
    }

    told = user.apply(obj)

    assert told[:4] == [
        "hardener: opt-out readOnlyRootFilesystem(the pod) refused: the policy locks this control",
        "hardener: opt-out runAsNonRut(the pod) refused: did you mean runAsNonRoot?",
        "hardener: hardener.dev/opt-out in metadata does nothing: move it to the pod template",
        "hardener: opt-out.hardener.dev/db names a container that the pod does not have",
    ]
    assert told[4].startswith("hardener: and ")
    show_message(documents, user.cluster, "opt-outs are explained", "\n".join(f"Warning: {line}" for line in told))


def test_while_it_is_away_workloads_are_applied_without_a_word(control_plane, tmp_path):
    with Installation(control_plane, "explained-not", tmp_path, explains=True) as own:
        user = User(own, own.namespace())
        own.hardener.stop()

        assert user.apply(DEPLOYMENT) == []
        assert user.kubectl("get", "deployment", "web", "-o", "name").stdout == "deployment.apps/web\n"
