"""A bug of ours: counted, logged, and answered as `onError` says."""

import dataclasses
import json

import pytest

from hardener.policy.config import OnError
from hardener.server import mutate
from tests.server.serving import body


def fail(*_):
    raise RuntimeError("a bug")


def on_error(webhook, what):
    state = webhook.server.state
    state.config = dataclasses.replace(state.config, on_error=what)


@pytest.mark.parametrize("part", ["decode", "respond"])
async def test_an_internal_error_lets_the_pod_through_with_a_warning(webhook, monkeypatch, part):
    monkeypatch.setattr(mutate, part, fail)
    response = (await webhook.ask(uid="u-9"))["response"]

    assert response == {
        "uid": "u-9",
        "allowed": True,
        "warnings": ["hardener: internal error: the pod was left as it is"],
    }
    assert webhook.count("hardener_internal_errors_total", control="engine") == 1
    (line,) = webhook.logged("internal error")[:1]
    assert line["level"] == "error"
    assert line["error"] == "RuntimeError: a bug"
    assert line["trace"][-1].endswith("fail")


async def test_an_internal_error_refuses_the_pod_where_the_configuration_says_deny(webhook, monkeypatch):
    on_error(webhook, OnError.DENY)
    monkeypatch.setattr(mutate, "respond", fail)
    response = (await webhook.ask(uid="u-9"))["response"]

    assert response["uid"] == "u-9"
    assert response["allowed"] is False
    assert response["status"]["message"] == "hardener: internal error, and onError is deny"


async def test_an_answer_that_cannot_be_encoded_is_an_internal_error_too(webhook, monkeypatch):
    encode, calls = mutate.encode, []

    def fail_once(answer):
        calls.append(answer)
        if len(calls) == 1:
            raise TypeError("not JSON")
        return encode(answer)

    monkeypatch.setattr(mutate, "encode", fail_once)

    assert (await webhook.ask(uid="u-9"))["response"]["allowed"] is True
    assert webhook.count("hardener_reviews_total", policy="", result="failed") == 1


async def test_only_where_even_the_uid_is_unknown_it_is_a_500(webhook, monkeypatch):
    monkeypatch.setattr(mutate, "decode", fail)
    status, text = await webhook.send(b"[]")

    assert (status, text) == (500, "internal error; the log says more\n")
    assert webhook.count("hardener_http_errors_total", status="500") == 1
    assert webhook.logged("a request failed")[0]["error"] == "RuntimeError: a bug"
    assert webhook.server.state.in_flight.requests == 0


async def test_a_failing_control_is_named_in_log_and_metrics_and_the_others_stand(webhook):
    state = webhook.server.state
    policy = state.config.default
    first = policy.controls[0]
    broken = dataclasses.replace(first, control=dataclasses.replace(first.control, apply=fail))
    policy = dataclasses.replace(policy, controls=(broken, *policy.controls[1:]))
    state.config = dataclasses.replace(state.config, default=policy)
    status, text = await webhook.send(body(uid="u-9"))
    response = json.loads(text)["response"]

    assert status == 200
    assert response["allowed"] is True
    assert response["patchType"] == "JSONPatch"
    assert webhook.count("hardener_internal_errors_total", control=first.control.name) == 1
    assert webhook.count("hardener_controls_total", control="capabilities", policy="standard", outcome="applied") == 1
    assert webhook.logged("internal error")[0]["control"] == first.control.name


async def test_a_review_that_cannot_be_counted_or_logged_is_answered_all_the_same(webhook, monkeypatch):
    monkeypatch.setattr(mutate, "record", fail)

    assert "patch" in (await webhook.ask())["response"]
    assert webhook.logged("not counted and logged")[0]["error"] == "RuntimeError: a bug"
    assert webhook.count("hardener_internal_errors_total", control="engine") == 1
