"""`POST /explain` over TLS: always allowed, never changed, and no burden whatever is sent."""

import json
import time
from dataclasses import replace

import pytest
import yaml

from hardener.policy.config import OnError
from hardener.server import explain as handler
from hardener.server.application import EXPLAIN
from hardener.server.limits import MIB
from tests.admission.asking import broken_config, failing_engine
from tests.admission.reviews import API_VERSIONS, POD, request, workload, workload_request
from tests.admission.test_explain import EVERY_CHANGE, OTHERS
from tests.admission.test_explain_failures import MISFITS
from tests.cli.command_line import hardener
from tests.server.serving import JSON, QUICK, post, until
from tests.server.test_refusals import MALFORMED, NESTED

TALKATIVE = {
    "metadata": {"annotations": {"hardener.dev/opt-out": "resources, seccomp"}},
    "spec": {
        "containers": [
            {"name": "app", "image": "web:1"},
            {"name": "agent", "image": "agent:1", "securityContext": {"privileged": True}},
        ]
    },
}


@pytest.mark.parametrize("kind", API_VERSIONS)
async def test_who_applies_a_workload_reads_what_its_pods_will_receive(webhook, kind):
    assert await webhook.explain(workload(kind=kind), uid="u-1") == {
        "uid": "u-1",
        "allowed": True,
        "warnings": EVERY_CHANGE,
    }
    assert webhook.count("hardener_explanations_total", result="explained") == 1
    assert webhook.count("hardener_warnings_total", endpoint="explain") == len(EVERY_CHANGE)
    assert webhook.count("hardener_explanation_duration_seconds_count") == 1
    assert webhook.count("hardener_reviews_total", policy="standard", result="patched") == 0


async def test_preview_says_the_same_in_the_same_words(webhook):
    told = (await webhook.explain(workload(TALKATIVE)))["warnings"]
    out = hardener("preview", "-", stdin=yaml.safe_dump(workload(TALKATIVE))).out

    assert told == [
        "hardener: opt-out seccomp(the pod) refused: did you mean seccompProfile?",
        "hardener: will set allowPrivilegeEscalation, capabilities, readOnlyRootFilesystem, runAsNonRoot on app",
        "hardener: will set automountServiceAccountToken on the pod",
        "hardener: will set seccompProfile on app, agent",
        "hardener: and 2 more, which `hardener preview` shows",
    ]
    lines = [line.strip() for line in out.splitlines()]
    assert told[0].removeprefix("hardener: ") in lines
    assert "held back runAsNonRoot on agent: the container is privileged" in lines
    assert "# seccompProfile (app, agent): unusual system calls are filtered" in lines


@pytest.mark.parametrize("body", OTHERS.values(), ids=OTHERS)
async def test_anything_else_is_allowed_in_silence(webhook, body):
    status, text = await webhook.send(body, EXPLAIN)

    assert status == 200
    response = json.loads(text)["response"]
    assert response == {"uid": response["uid"], "allowed": True}


@pytest.mark.parametrize(("obj", "reason"), MISFITS.values(), ids=MISFITS)
async def test_an_object_of_another_shape_is_left_to_the_api_server(webhook, obj, reason):
    response = await webhook.explain(workload(), object=obj)

    assert response["allowed"] is True
    assert response["warnings"][0].startswith(f"hardener: not explained, the object is no Deployment: {reason}")
    assert webhook.logged("internal error") == []
    assert webhook.count("hardener_explanations_total", result="misfit") == 1


@pytest.mark.parametrize("on_error", OnError)
@pytest.mark.parametrize("broken", [broken_config, failing_engine])
async def test_a_bug_is_told_logged_and_counted_and_refuses_nothing(webhook, on_error, broken):
    webhook.server.state.config = broken(on_error)
    response = await webhook.explain(workload(), uid="u-9")

    assert response["uid"] == "u-9"
    assert response["allowed"] is True
    assert "internal error" in response["warnings"][0]
    lines = [line for line in webhook.lines() if line["level"] == "error"]
    assert [line["message"] for line in lines] == ["internal error", "explained"]
    assert {line["uid"] for line in lines} == {"u-9"}
    assert lines[0]["error"] == "RuntimeError: a bug"
    name = lines[0].get("control", "engine")
    assert webhook.count("hardener_internal_errors_total", control=name) == 1
    assert webhook.count("hardener_explanations_total", result="failed") == 1


def fail(*_):
    raise RuntimeError("a bug")


async def test_what_cannot_be_counted_or_logged_is_answered_all_the_same(webhook, monkeypatch):
    monkeypatch.setattr(handler, "record_explanation", fail)

    assert (await webhook.explain(workload()))["warnings"] == EVERY_CHANGE
    assert webhook.logged("not counted and logged")[0]["error"] == "RuntimeError: a bug"


async def test_every_answer_in_a_dry_run_speaks_of_what_would_be(serve):
    webhook = await serve(dry_run=True)

    told = (await webhook.explain(workload()))["warnings"]

    assert told
    assert all(warning.startswith("hardener dry-run: would set ") for warning in told)


@pytest.mark.parametrize("content", MALFORMED.values(), ids=MALFORMED)
async def test_a_malformed_body_is_a_400_as_it_is_for_pods(webhook, content):
    status, text = await webhook.send(content, EXPLAIN)

    assert (status, text.count("\n"), text[-1]) == (400, 1, "\n")
    assert webhook.count("hardener_http_errors_total", status="400") == 1
    assert webhook.logged("failed") == webhook.logged("internal error") == []
    assert (await webhook.explain(workload()))["allowed"] is True


@pytest.mark.parametrize("headers", [{"Content-Type": "text/plain"}, {"Content-Encoding": "gzip"}], ids=str)
async def test_what_is_not_declared_as_plain_json_is_a_415(webhook, headers):
    status, text = await webhook.send(workload_request(workload()), EXPLAIN, **headers)

    assert status == 415
    assert text.count("\n") == 1


async def test_another_method_is_a_405_that_names_the_right_one(webhook):
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        async with webhook.client.request(method, webhook.url(EXPLAIN), data=b"{}", headers=JSON) as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "POST")


def filled(unit, size, around=lambda inside: inside):
    """The request about a Deployment that holds so many bytes of a unit, at the place that `around` puts them to."""
    template = around({"spec": {"containers": [{"name": "app"}], "filling": ["FILLING"]}})
    content = workload_request(workload(template))
    count = (size - len(content)) // (len(unit) + 1)
    return content.replace(b'"FILLING"', b",".join([unit] * count))


async def test_nine_mebibytes_are_a_413_and_eight_are_answered(webhook):
    assert (await webhook.send(filled(b'"x"', 9 * MIB), EXPLAIN))[0] == 413
    assert (await webhook.send(filled(b'"' + b"x" * 100 + b'"', 8 * MIB), EXPLAIN))[0] == 200
    assert webhook.server.state.in_flight.bytes == 0


async def test_when_too_many_bytes_are_in_flight_the_client_is_asked_to_come_again(serve):
    webhook = await serve(limits=replace(QUICK, in_flight_bytes=3000))
    holder = await webhook.connect()
    holder.send(post(b"{", length=2800))
    await until(lambda: webhook.server.state.in_flight.requests)
    async with webhook.client.post(webhook.url(EXPLAIN), data=workload_request(workload()), headers=JSON) as refused:
        assert (refused.status, refused.headers["Retry-After"]) == (429, "1")

    assert webhook.count("hardener_overload_refusals_total") == 1


LONGEST_BLOCK = 10.0
"""Seconds of CPU that one hostile request may cost, and hold the event loop for. It takes one or two; without a bound on
containers it would take forty-five."""


def containers(count, **fields):
    return {"spec": {"containers": [{"name": f"c{number}", **fields} for number in range(count)]}}


HOSTILE = {
    "three million empty containers": workload_request(workload({"spec": {"containers": ["FILLING"]}})).replace(
        b'"FILLING"', b",".join([b"{}"] * (8 * MIB // 3 - 1000))
    ),
    "as many containers as are looked at, all held back": workload_request(
        workload(containers(16_384, securityContext={"privileged": True}, image="x" * 300))
    ),
    "misplaced opt-outs": workload_request(
        workload(metadata={"annotations": {f"opt-out.hardener.dev/{number}": "" for number in range(230_000)}})
    ),
    "long words that are near to a control": workload_request(
        workload(
            {
                "metadata": {"annotations": {"hardener.dev/opt-out": ("runAsNonRoot" * 6900 + " ") * 100}},
                "spec": POD["spec"],
            }
        )
    ),
    "nine hundred levels": NESTED + b"[" * 900 + b"]" * 900 + b"}}}",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_workload_holds_others_up_for_a_bounded_time(webhook, content):
    assert len(content) <= 8 * MIB
    started = time.process_time()

    status, text = await webhook.send(content, EXPLAIN)

    assert time.process_time() - started < LONGEST_BLOCK
    assert status == 200
    response = json.loads(text)["response"]
    assert response["allowed"] is True
    assert len(response.get("warnings", [])) <= 5
    assert webhook.logged("internal error") == []


async def test_a_pod_sent_to_the_wrong_endpoint_harms_nothing(webhook):
    status, text = await webhook.send(request(), EXPLAIN)

    assert status == 200
    assert json.loads(text)["response"]["allowed"] is True
    assert webhook.count("hardener_explanations_total", result="ignored") == 1
