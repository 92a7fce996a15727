"""Who and what is left alone, and by which line; a name alone opens no door."""

import pytest

from hardener.admission import Result, decode, encode, respond
from hardener.model import STANDALONE, Outcome
from hardener.server.counting import Metrics
from tests.admission.asking import annotated, ask, config, hardened
from tests.admission.reviews import POD, patch, request, response
from tests.pods import TODAY

EXEMPT = config("""\
policies:
  ours: {}
exempt:
  usernames:
  - system:serviceaccount:ops:backup
  - carol
  groups: [ops, "system:masters"]
  runtimeClasses: [gvisor]
  priorityClasses: [system-node-critical, system-cluster-critical]
  containers:
  - {name: istio-proxy, image: "docker.io/istio/proxyv2:*"}
  - {name: istio-proxy, image: "registry.example:5000/mesh/*@sha256:*"}
  - {name: pause, image: "docker.io/library/pause:3.?"}
default: ours
""")
LABEL = EXEMPT.default.label

AS = {
    "a user": ({"username": "carol"}, {}, "exempt.usernames[1] (test.yaml:8)"),
    "a service account": ({"username": "system:serviceaccount:ops:backup"}, {}, "exempt.usernames[0] (test.yaml:7)"),
    "a group": ({"username": "bob", "groups": ["dev", "system:masters"]}, {}, "exempt.groups[1] (test.yaml:9)"),
    "a runtime class": ({"username": "bob"}, {"runtimeClassName": "gvisor"}, "exempt.runtimeClasses[0] (test.yaml:10)"),
    "a priority class": (
        {"username": "bob"},
        {"priorityClassName": "system-cluster-critical"},
        "exempt.priorityClasses[1] (test.yaml:11)",
    ),
}


@pytest.mark.parametrize(("user", "fields", "line"), AS.values(), ids=AS)
def test_an_exempt_pod_gets_an_audit_annotation_that_names_the_line_and_nothing_else(user, fields, line):
    pod = annotated({"hardener.dev/opt-out": "nonsense", "hardener.dev/applied": "preset"})

    result, answer = ask(request({**pod, "spec": {**pod["spec"], **fields}}, userInfo=user), EXEMPT)

    assert result is Result.EXEMPT
    assert answer == {
        "uid": answer["uid"],
        "allowed": True,
        "auditAnnotations": {"policy": LABEL, "mode": "enforce", "exempt": f"the pod by {line}"},
    }


NOT_AS = {
    "another user": ({"username": "carola"}, {}),
    "a user in upper case": ({"username": "Carol"}, {}),
    "a user with a blank": ({"username": "carol "}, {}),
    "an account of the same name in another namespace": ({"username": "system:serviceaccount:shop:backup"}, {}),
    "a user named like a group": ({"username": "ops"}, {}),
    "a group named like a user": ({"username": "bob", "groups": ["carol"]}, {}),
    "nobody": ({}, {}),
    "no groups": ({"username": "bob", "groups": None}, {}),
    "another runtime class": ({"username": "bob"}, {"runtimeClassName": "gvisor2"}),
    "an empty runtime class": ({"username": "bob"}, {"runtimeClassName": ""}),
    "a priority class as a runtime class": ({"username": "bob"}, {"runtimeClassName": "system-node-critical"}),
}


@pytest.mark.parametrize(("user", "fields"), NOT_AS.values(), ids=NOT_AS)
def test_what_only_resembles_an_exempt_one_is_hardened(user, fields):
    result, answer = ask(request({**POD, "spec": {**POD["spec"], **fields}}, userInfo=user), EXEMPT)

    assert result is Result.PATCHED
    assert "exempt" not in answer["auditAnnotations"]


ISTIO = "exempt.containers[0] (test.yaml:13)"
MIRRORED = "exempt.containers[1] (test.yaml:14)"
IMAGES = {
    "istio/proxyv2:1.27": ISTIO,
    "istio/proxyv2": ISTIO,
    "docker.io/istio/proxyv2": ISTIO,
    "docker.io/istio/proxyv2:1.27-distroless": ISTIO,
    "index.docker.io/istio/proxyv2:1.27": ISTIO,
    "istio/proxyv2:1.27@sha256:" + "0" * 64: ISTIO,
    "registry.example:5000/mesh/proxy@sha256:" + "0" * 64: MIRRORED,
    # What names no tag, or another registry, folder or case, is not what was meant.
    "registry.example:5000/mesh/proxy:1@sha256:" + "0" * 64: None,
    "istio/proxyv2@sha256:" + "0" * 64: None,
    "registry.example:5000/mesh/proxy:1": None,
    "registry.example/mesh/proxy@sha256:" + "0" * 64: None,
    "registry.example:5001/mesh/proxy@sha256:" + "0" * 64: None,
    "registry.example:5000/mesh/evil/proxy@sha256:" + "0" * 64: None,
    "evil/istio/proxyv2:1.27": None,
    "evil.example/istio/proxyv2:1.27": None,
    "evil.example/docker.io/istio/proxyv2:1.27": None,
    "docker.io.evil.example/istio/proxyv2:1.27": None,
    "localhost/istio/proxyv2:1.27": None,
    "docker.io:443/istio/proxyv2:1.27": None,
    "Docker.io/istio/proxyv2:1.27": None,
    "ISTIO/proxyv2:1.27": None,
    "istio/ProxyV2:1.27": None,
    "istio/proxyv2-evil:1.27": None,
    "istio/proxyv2/evil:1.27": None,
    "library/istio/proxyv2:1.27": None,
    "proxyv2:1.27": None,
    " istio/proxyv2:1.27": None,
    "": None,
    "/": None,
    "@": None,
    ":": None,
    "x" * 100_000: None,
}


@pytest.mark.parametrize(("image", "line"), IMAGES.items(), ids=lambda value: str(value)[:60])
def test_images_are_compared_in_full_form(image, line):
    pod = annotated({}, {"name": "istio-proxy", "image": image}, {"name": "app", "image": "web:1"})

    result, answer = ask(request(pod), EXEMPT)

    proxy, app = hardened(pod, answer)["spec"]["containers"]
    assert result is Result.PATCHED
    assert answer["auditAnnotations"].get("exempt") == (line and f"istio-proxy by {line}")
    assert proxy == ({"name": "istio-proxy", "image": image} if line else {**app, **proxy})
    assert app["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize(
    ("name", "image", "exempt"),
    [
        ("pause", "pause:3.9", True),
        ("pause", "library/pause:3.9", True),
        ("pause", "pause:3.10", False),
        ("pause", "pause", False),
        ("pause2", "pause:3.9", False),
        ("Pause", "pause:3.9", False),
        ("app", "istio/proxyv2:1.27", False),
    ],
)
def test_name_and_image_must_both_match(name, image, exempt):
    _, answer = ask(request(annotated({}, {"name": name, "image": image})), EXEMPT)

    assert ("exempt" in answer["auditAnnotations"]) is exempt


def test_a_container_without_image_or_name_is_hardened():
    pod = annotated({}, {"name": "istio-proxy"}, {"image": "istio/proxyv2:1"}, {"name": "istio-proxy", "image": None})

    _, answer = ask(request(pod), EXEMPT)

    assert "exempt" not in answer["auditAnnotations"]


def test_of_two_containers_with_the_exempt_name_only_the_one_with_the_image_is_left_alone():
    real, posing = ({"name": "istio-proxy", "image": image} for image in ("istio/proxyv2:1.27", "evil/proxyv2:1.27"))
    pod = annotated({}, posing, real)

    _, answer = ask(request(pod), EXEMPT)

    after = hardened(pod, answer)["spec"]["containers"]
    assert after[0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert after[1] == real


def test_an_exempt_container_is_left_alone_beside_opt_outs_of_the_pod_and_of_others():
    proxy, app = {"name": "istio-proxy", "image": "istio/proxyv2:1.27"}, {"name": "app", "image": "web:1"}
    pod = annotated({"hardener.dev/opt-out": "resources", "opt-out.hardener.dev/app": "capabilities"}, proxy, app)

    _, answer = ask(request(pod), EXEMPT)

    after = hardened(pod, answer)["spec"]["containers"]
    assert after[0] == proxy
    assert set(after[1]["securityContext"]) == {
        "allowPrivilegeEscalation",
        "readOnlyRootFilesystem",
        "runAsNonRoot",
        "seccompProfile",
    }


def test_init_containers_are_exempt_as_well():
    native = {"name": "istio-proxy", "image": "istio/proxyv2:1.27", "restartPolicy": "Always"}
    pod = {**POD, "spec": {**POD["spec"], "initContainers": [native]}}

    _, answer = ask(request(pod), EXEMPT)

    assert hardened(pod, answer)["spec"]["initContainers"] == [native]
    assert answer["auditAnnotations"]["exempt"] == f"istio-proxy by {ISTIO}"


def test_a_pod_of_nothing_but_exempt_containers_keeps_its_containers_as_they_are():
    pod = annotated({}, {"name": "istio-proxy", "image": "istio/proxyv2:1.27"})

    result, answer = ask(request(pod), EXEMPT)

    assert result is Result.UNCHANGED
    assert hardened(pod, answer)["spec"] == pod["spec"]
    assert all(operation["path"].startswith("/metadata/annotations") for operation in patch(answer))


def test_the_token_stays_in_an_exempt_container_and_goes_from_the_others():
    mount = {"name": "kube-api-access-x7k2p", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
    sources = [{"serviceAccountToken": {"path": "token"}}, {"configMap": {"name": "kube-root-ca.crt"}}]
    pod = annotated(
        {},
        {"name": "app", "image": "web:1", "volumeMounts": [mount]},
        {"name": "istio-proxy", "image": "istio/proxyv2:1.27", "volumeMounts": [mount]},
    )
    pod["spec"]["volumes"] = [{"name": mount["name"], "projected": {"sources": sources}}]

    _, answer = ask(request(pod), EXEMPT)

    after = hardened(pod, answer)["spec"]
    assert after["automountServiceAccountToken"] is False
    assert after["volumes"][0] == pod["spec"]["volumes"][0]
    assert mount not in after["containers"][0]["volumeMounts"]
    assert after["containers"][1] == pod["spec"]["containers"][1]


def test_each_exemption_is_counted_by_its_line():
    metrics = Metrics()
    pods = [annotated({}, {"name": "istio-proxy", "image": "istio/proxyv2:1"}, {"name": "app"}), POD]
    for pod, user in zip(pods, ("bob", "carol"), strict=True):
        body = request(pod, userInfo={"username": user})
        metrics.observe(respond(decode(body), EXEMPT, STANDALONE, TODAY), "shop", 0.001)

    def counted(name, **labels):
        return metrics.registry.get_sample_value(name, labels)

    assert counted("hardener_exemptions_total", line="exempt.containers[0]") == 1
    assert counted("hardener_exemptions_total", line="exempt.usernames[1]") == 1
    assert counted("hardener_reviews_total", policy="ours", result="exempt") == 1
    assert counted("hardener_reviews_total", policy="ours", result="patched") == 1


def test_an_exemption_is_told_to_the_sender_only_where_the_policy_tells_changes():
    text = "policies:\n  p: {warnings: changes}\ndefault: p\nexempt: {usernames: [alice]}\n"

    assert ask(request(), config(text))[1]["warnings"] == ["hardener: the pod is exempt by exempt.usernames[0]"]
    assert "warnings" not in ask(request(), config("exempt: {usernames: [alice]}\n"))[1]


def test_under_a_policy_that_does_nothing_there_is_nothing_to_be_exempt_from():
    with_config = config("exempt: {usernames: [alice]}\ndefault: none\n")

    answer = respond(decode(request()), with_config, STANDALONE, TODAY)

    assert answer.result is Result.UNCHANGED
    assert answer.outcome == Outcome()
    assert response(encode(answer)) == {"uid": answer.uid, "allowed": True}


def test_an_exempt_user_may_fail_no_more_than_anybody_else():
    result, answer = ask(request({**POD, "spec": "none"}, userInfo={"username": "carol"}), EXEMPT)

    assert result is Result.MISFIT
    assert answer["allowed"] is True
