import json
from base64 import b64encode
from dataclasses import replace
from datetime import date

import pytest

from hardener.admission import decode, encode, respond
from hardener.cli.demo import Exchange, Response, demo_pods, review_of
from hardener.cli.judgement import judge
from hardener.model import STANDALONE, Mode
from hardener.patch import render
from hardener.policy.reading import embedded_config
from tests.cli.command_line import hardener

TODAY = date(2026, 6, 1)
UNPATCHED = Response("uid", True)


def exchange():
    title, manifest = next(demo_pods())
    preview = judge(manifest, embedded_config(), "default", TODAY)
    patch = json.dumps(render(preview.outcome.writes(Mode.ENFORCE))).encode()
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
        "  held back: runAsNonRoot (mesh-init): runAsNonRoot is explicitly false",
        "  held back: capabilities (agent): the container is privileged",
        "  held back: seccompProfile (the pod): the pod runs on Windows",
        "  opted out: readOnlyRootFilesystem (app): accepted",
        "  opt-out refused: runAsRoot (the pod): no such control; did you mean runAsNonRoot?",
        "  warning to the sender: hardener: opt-out runAsRoot(the pod) refused: ",
        "  nothing to change",
        "6 pods in ",
    ):
        assert text in result.out
    assert "WRONG" not in result.out


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
