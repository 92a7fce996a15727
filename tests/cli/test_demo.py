import json
from base64 import b64encode
from dataclasses import replace
from datetime import date

import pytest

from hardener.admission import decode, encode, respond
from hardener.admission.provenance import provenance, reach
from hardener.cli.demo import Exchange, Response, demo_pods, review_of
from hardener.cli.judgement import judge
from hardener.controls import CATALOGUE
from hardener.model import STANDALONE, Mode
from hardener.model.pod import APPLIED, APPLIED_POLICY
from hardener.patch import render
from hardener.policy.reading import embedded_config
from tests.cli.command_line import hardener

TODAY = date(2026, 6, 1)
UNPATCHED = Response("uid", True)


def exchange():
    title, manifest = next(demo_pods())
    (preview,) = judge(manifest, embedded_config(), "default", lambda _: STANDALONE, TODAY)
    writes = preview.outcome.writes(Mode.ENFORCE)
    pod, policy = preview.judgement.pod, preview.policy
    notes = provenance(pod, policy, reach(pod, policy, preview.outcome), writes)
    patch = json.dumps(render(writes + notes)).encode()
    return Exchange(title, preview, Response("uid", True, patch), UNPATCHED, 0.001)


def test_the_demo_shows_every_pod_and_ends_well():
    result = hardener("demo")

    assert result.code == 0
    assert result.err == ""
    for title, manifest in demo_pods():
        assert f"# {title}\n" in result.out
        assert manifest.document.file in result.out
    for text in (
        "  # automountServiceAccountToken (the pod): the token that the API server injected",
        "  held back runAsNonRoot on mesh-init: runAsNonRoot is explicitly false",
        "  held back allowPrivilegeEscalation, capabilities, readOnlyRootFilesystem on agent: the container is privileged",
        "  held back runAsNonRoot, seccompProfile on the pod: the pod runs on Windows",
        "  opted out of readOnlyRootFilesystem on app",
        "  opt-out runAsRoot(the pod) refused: did you mean runAsNonRoot?",
        "  warning to the sender: hardener: opt-out runAsRoot(the pod) refused: ",
        "  nothing to change",
        "6 pods in ",
    ):
        assert text in result.out
    assert "WRONG" not in result.out


def test_the_demo_tells_what_the_webhook_writes_on_each_pod_about_its_own_doing():
    label = embedded_config().default.label
    stories = hardener("demo").out.split("\n# ")[1:]

    assert len(stories) == 6
    assert all(f"  written on it: hardener.dev/applied-policy: {label}\n" in story for story in stories)
    assert "  written on it: hardener.dev/applied: automountServiceAccountToken,resources\n" in stories[3]
    assert "  written on it: hardener.dev/skipped: readOnlyRootFilesystem(app): opted out; " in stories[4]
    assert "hardener.dev/skipped" not in stories[5]
    assert "  nothing to change\n" in stories[5]


def test_what_is_written_is_read_from_the_webhooks_own_answer():
    right = exchange()
    found = dict(right.notes())

    assert found == {
        APPLIED_POLICY: embedded_config().default.label,
        APPLIED: ",".join(sorted(CATALOGUE)),
    }
    assert dict(replace(right, response=UNPATCHED).notes()) == {}


def test_the_demo_has_colours():
    assert "\x1b[32m+" in hardener("demo", "--color", "always").out


def test_a_right_answer_has_no_differences():
    assert list(exchange().differences()) == []


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"response": UNPATCHED}, "the webhook's patch is not what the engine decides here"),
        ({"again": Response("uid", True, b'[{"op": "add"}]')}, "the hardened pod, sent again, would be changed again"),
    ],
)
def test_a_wrong_answer_is_told(change, difference):
    assert list(replace(exchange(), **change).differences()) == [difference]


def test_a_refusal_is_told():
    right = exchange()
    refusal = replace(right, response=Response("uid", False, right.response.patch))

    assert list(refusal.differences()) == ["the webhook refused the pod"]


def test_a_wrong_answer_fails_the_demo(monkeypatch):
    monkeypatch.setattr(Exchange, "differences", lambda _: iter(["it is wrong"]))

    result = hardener("demo")

    assert result.code == 3
    assert "  WRONG: it is wrong\n" in result.out
    assert "6 with a wrong answer" in result.out


def test_an_answer_is_read_as_the_webhook_writes_it():
    _, manifest = next(demo_pods())
    review = decode(json.dumps(review_of(manifest.value)).encode())

    answer = json.loads(encode(respond(review, embedded_config(), STANDALONE, TODAY)))

    assert review.namespace == "shop"
    assert answer["response"]["allowed"] is True
    assert (
        answer["response"]["patch"]
        == b64encode(json.dumps(json.loads(exchange().response.patch), separators=(",", ":")).encode()).decode()
    )


def test_the_pods_are_shaped_as_the_api_server_sends_them():
    for _, manifest in demo_pods():
        spec = manifest.value["spec"]
        assert manifest.value["status"] == {}
        assert spec["serviceAccountName"]
        assert spec["securityContext"] == {}
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            assert container["terminationMessagePath"] == "/dev/termination-log"
            assert "resources" in container
        if spec.get("automountServiceAccountToken") is not False:
            assert any(volume["name"].startswith("kube-api-access-") for volume in spec["volumes"])
