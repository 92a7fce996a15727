"""What one review leaves in the log: at which level, with which fields, and never what the pod holds."""

import json

import pytest

from hardener.controls import CATALOGUE
from hardener.server import mutate
from tests.admission.asking import HEADER, annotated, hardened
from tests.admission.reviews import POD, patch, workload
from tests.server.serving import Webhook

MIXED = f"""{HEADER}policies:
  ratchet: {{controls: {{resources: {{mode: dry-run}}}}}}
  trial: {{mode: dry-run, warnings: changes}}
exempt: {{usernames: [carol]}}
namespaces:
- {{names: [trial], policy: trial}}
- {{names: [quiet], policy: none}}
default: ratchet
"""
OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d4f", "uid": "1", "controller": True}
NOT_OWNER = {"apiVersion": "v1", "kind": "ConfigMap", "name": "settings", "uid": "2"}


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(MIXED)
    return file


@pytest.fixture
async def talkative(serve, config):
    """A server that logs every review."""
    webhook: Webhook = await serve(config=config)
    webhook.server.log.debugs = True
    return webhook


async def line_of(webhook, **request):
    """The one line that a review makes."""
    before = len(webhook.logged("reviewed"))
    await webhook.ask(**request)
    (line,) = webhook.logged("reviewed")[before:]
    return line


def owned(*owners):
    return {**POD, "metadata": {"generateName": "web-5d4f-", "namespace": "shop", "ownerReferences": list(owners)}}


async def test_a_line_names_the_review_its_pod_and_what_was_done(talkative):
    line = await line_of(talkative, uid="u-1", pod=owned(NOT_OWNER, OWNER), name="", dryRun=True)

    policy = talkative.server.state.config.default
    assert {key: value for key, value in line.items() if key not in ("time", "seconds", "would-apply")} == {
        "level": "info",
        "message": "reviewed",
        "uid": "u-1",
        "result": "patched",
        "namespace": "shop",
        "generateName": "web-5d4f-",
        "owner": "ReplicaSet/web-5d4f",
        "dryRun": True,
        "policy": policy.label,
        "mode": "enforce",
        "applied": ",".join(sorted(set(CATALOGUE) - {"resources"})),
    }
    assert 0 < line["seconds"] < 5


@pytest.mark.parametrize("owners", [[], [NOT_OWNER], [{**OWNER, "controller": False}]], ids=str)
async def test_a_pod_without_a_controller_has_no_owner(talkative, owners):
    assert "owner" not in await line_of(talkative, pod=owned(*owners))


async def test_a_dry_run_leaves_the_whole_patch_in_one_line_however_long_it_is(talkative):
    pod = annotated({}, *({"name": f"app-{number}", "image": "web:1"} for number in range(200)))
    response = (await talkative.ask(pod=pod, namespace="trial"))["response"]
    sent = patch((await talkative.ask(pod=pod, namespace="shop"))["response"])
    (announced, _) = talkative.logged("reviewed")

    assert announced["result"] == "announced"
    assert announced["level"] == "info"
    assert response["auditAnnotations"]["would-apply"].endswith(" more operations")
    names = [operation["path"] for operation in announced["would-apply"]]
    assert sum(path.endswith("/securityContext") for path in names) == 200
    assert all(operation["path"] in names for operation in sent if "annotations" not in operation["path"])
    assert len(json.dumps(announced["would-apply"])) > 5 * len(response["auditAnnotations"]["would-apply"])


async def test_in_a_mixed_pod_the_line_tells_both_what_was_done_and_what_would_be(talkative):
    line = await line_of(talkative)

    assert "resources" not in line["applied"].split(",")
    assert any(operation["path"].endswith("/resources") for operation in line["would-apply"])


async def test_without_an_announcement_there_is_no_patch_in_the_line(webhook):
    assert "would-apply" not in await line_of(webhook)


async def levels(webhook, **request):
    line = await line_of(webhook, **request)
    return line["level"], line["result"]


async def test_a_review_in_which_nothing_was_done_is_a_line_for_debugging_only(talkative, serve, config):
    quiet = [
        {"namespace": "quiet"},
        {"operation": "UPDATE"},
        {"userInfo": {"username": "carol"}},
        {"pod": {**POD, "metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}}},
    ]
    found = [await levels(talkative, **request) for request in quiet]
    assert found == [("debug", "unchanged"), ("debug", "ignored"), ("debug", "exempt"), ("debug", "ignored")]

    terse = await serve(config=config)
    for request in quiet:
        await terse.ask(**request)
    assert terse.logged("reviewed") == []
    await terse.ask()
    assert len(terse.logged("reviewed")) == 1


async def test_a_pod_on_which_only_the_annotations_are_written_is_worth_a_line(webhook):
    answer = await webhook.ask()
    hard = hardened(POD, answer["response"])
    del hard["metadata"]["annotations"]["hardener.dev/applied"]

    assert await levels(webhook, pod=hard) == ("info", "unchanged")


async def test_an_exempt_pods_line_names_the_line_of_the_configuration(talkative, config):
    line = await line_of(talkative, userInfo={"username": "carol"})

    assert line["exempt"] == f"the pod by exempt.usernames[0] ({config}:6)"


async def test_a_problem_is_a_warning_and_a_bug_an_error(talkative, monkeypatch):
    refused = annotated({"hardener.dev/opt-out": "nonsense"})

    assert await levels(talkative, pod=refused) == ("warning", "patched")
    assert await levels(talkative, pod=refused, namespace="trial") == ("warning", "announced")
    assert await levels(talkative, pod={"spec": 7}) == ("warning", "misfit")
    monkeypatch.setattr(mutate, "respond", lambda *_: 1 / 0)
    assert await levels(talkative) == ("error", "failed")


async def test_every_opt_out_stands_in_the_line_with_its_cause(talkative):
    line = await line_of(talkative, pod=annotated({"hardener.dev/opt-out": "capabilities, seccomp"}))

    assert line["opt-out"] == ("capabilities(the pod): accepted; seccomp(the pod): did you mean seccompProfile?")


SECRET = "s3cr3t-value"
EVERYWHERE = {
    **POD,
    "metadata": {
        "name": "web",
        "labels": {"a": SECRET},
        "annotations": {"a": SECRET, "hardener.dev/opt-out": "resources", "hardener.dev/opt-out-reason": SECRET},
        "ownerReferences": [OWNER],
    },
    "spec": {
        "hostname": SECRET,
        "serviceAccountName": SECRET,
        "nodeSelector": {"a": SECRET},
        "imagePullSecrets": [{"name": SECRET}],
        "volumes": [{"name": "data", "hostPath": {"path": f"/{SECRET}"}}],
        "containers": [
            {
                "name": "app",
                "image": f"registry.example/{SECRET}:1",
                "env": [
                    {"name": SECRET, "value": SECRET},
                    {"name": "FROM", "valueFrom": {"fieldRef": {"fieldPath": SECRET}}},
                ],
                "command": [f"/tmp/{SECRET}"],
                "args": ["--password", SECRET],
                "workingDir": f"/{SECRET}",
                "livenessProbe": {"exec": {"command": [SECRET]}},
                "volumeMounts": [{"name": "data", "mountPath": f"/{SECRET}"}],
                "terminationMessagePath": f"/dev/{SECRET}",
                "securityContext": {"capabilities": {"add": [SECRET]}, "seccompProfile": {"type": SECRET}},
            },
            {"name": "agent", "securityContext": {"privileged": True}, "env": [{"name": "A", "value": SECRET}]},
            {"name": "plain", "env": [{"name": "A", "value": SECRET}], "args": [SECRET]},
        ],
    },
}


@pytest.mark.parametrize("namespace", ["shop", "trial", "quiet"])
async def test_nothing_that_the_pod_holds_comes_into_the_log_but_names_of_containers(talkative, namespace):
    user = {"username": SECRET, "groups": [SECRET], "extra": {"a": [SECRET]}}
    await talkative.ask(uid="u-1", pod=EVERYWHERE, namespace=namespace, userInfo=user)
    template = {key: EVERYWHERE[key] for key in ("metadata", "spec")}
    await talkative.explain(workload(template), namespace=namespace)
    await talkative.ask(
        uid="u-2", pod={"spec": {"containers": [{"env": SECRET, SECRET: SECRET, "command": {SECRET: 1}}]}}
    )

    text = json.dumps(talkative.lines())
    assert len(talkative.logged("reviewed")) == 2
    assert len(talkative.logged("explained")) == 1
    assert SECRET not in text
    assert ("(agent)" in text) is (namespace != "quiet")


async def test_an_explanation_is_a_line_for_debugging(talkative):
    await talkative.explain(workload(), uid="u-7")

    (line,) = talkative.logged("explained")
    assert {key: value for key, value in line.items() if key not in ("time", "seconds")} == {
        "level": "debug",
        "message": "explained",
        "uid": "u-7",
        "result": "explained",
        "namespace": "shop",
        "kind": "Deployment",
        "policy": talkative.server.state.config.default.label,
        "warnings": 3,
    }


async def test_without_debugging_an_explanation_leaves_no_line(webhook):
    await webhook.explain(workload())

    assert webhook.logged("explained") == []
