"""`--dry-run`: whatever the configuration says, nothing is enforced, and all is announced."""

import dataclasses
import json

import pytest
from jsonpatch import apply_patch

from hardener.server import mutate
from tests.server.serving import POD, operations, until

ENFORCED = """\
apiVersion: hardener.dev/v1
kind: HardenerConfig
policies:
  strict: {extends: standard, mode: enforce, warnings: changes, controls: {resources: {mode: enforce}}}
namespaces:
- {names: [bank], policy: strict}
default: strict
onError: deny
"""
NONE = "apiVersion: hardener.dev/v1\nkind: HardenerConfig\ndefault: none\n"


@pytest.fixture
def config(tmp_path):
    """A configuration file that is replaced at a stroke."""

    class File:
        path = tmp_path / "config.yaml"

        def write(self, text):
            new = tmp_path / "new.yaml"
            new.write_text(text)
            new.rename(self.path)

    file = File()
    file.write(ENFORCED)
    return file


@pytest.fixture
async def capped(serve, config):
    return await serve(config=config.path, dry_run=True)


def fail(*_):
    raise RuntimeError("a bug")


def break_first_control(webhook):
    state = webhook.server.state
    policy = state.config.default
    first = policy.controls[0]
    broken = dataclasses.replace(first, control=dataclasses.replace(first.control, apply=fail))
    policy = dataclasses.replace(policy, controls=(broken, *policy.controls[1:]))
    state.config = dataclasses.replace(state.config, default=policy)


@pytest.mark.parametrize("namespace", ["shop", "bank"])
async def test_what_a_policy_enforces_is_announced_and_nothing_of_it_is_done(capped, namespace):
    response = (await capped.ask(uid="u-1", namespace=namespace))["response"]

    assert response["allowed"] is True
    assert "patch" not in response
    assert all(warning.startswith("hardener dry-run: would set ") for warning in response["warnings"])
    assert "runAsNonRoot" in " ".join(response["warnings"])
    assert "applied" not in response["auditAnnotations"]
    assert capped.count("hardener_reviews_total", policy="strict", result="announced") == 1
    assert capped.count("hardener_controls_total", control="capabilities", policy="strict", outcome="applied") == 0


async def test_the_embedded_configuration_is_capped_too(serve):
    webhook = await serve(dry_run=True)
    response = (await webhook.ask())["response"]

    assert "patch" not in response
    assert "hardener dry-run: would set" in " ".join(response["warnings"])
    assert response["auditAnnotations"]["would-apply"].startswith("[{")


async def test_what_is_announced_is_what_would_be_sent_without_the_cap(capped, serve, config):
    announced = json.loads((await capped.ask())["response"]["auditAnnotations"]["would-apply"])
    sent = operations(await (await serve(config=config.path)).ask())
    enforced = apply_patch(POD, sent)
    annotations = enforced["metadata"]["annotations"]
    for key in [key for key in annotations if key.startswith("hardener.dev/")]:
        del annotations[key]

    assert enforced["spec"] != POD["spec"]
    assert apply_patch(POD, announced) == enforced


async def test_a_configuration_that_is_read_again_is_capped_again(serve, config):
    config.write(NONE)
    webhook = await serve(config=config.path, dry_run=True)
    assert "warnings" not in (await webhook.ask())["response"]
    for number, text in enumerate([ENFORCED, ENFORCED.replace("warnings: changes", "warnings: problems")], 1):
        config.write(text)
        await until(lambda number=number: len(webhook.logged("the configuration was read again")) == number)
        response = (await webhook.ask())["response"]

        assert "patch" not in response
        assert "hardener dry-run: would set" in " ".join(response["warnings"])
        assert "would-apply" in response["auditAnnotations"]


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_failing_control_refuses_no_pod_in_a_dry_run_whatever_on_error_says(serve, config, dry_run):
    webhook = await serve(config=config.path, dry_run=dry_run)
    break_first_control(webhook)
    response = (await webhook.ask())["response"]

    assert response["allowed"] is dry_run
    assert "patch" not in response
    assert len(webhook.logged("internal error")) > 0


@pytest.mark.parametrize("part", ["decode", "respond"])
@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_bug_anywhere_else_refuses_no_pod_in_a_dry_run_either(serve, config, monkeypatch, part, dry_run):
    webhook = await serve(config=config.path, dry_run=dry_run)
    monkeypatch.setattr(mutate, part, fail)

    assert (await webhook.ask())["response"]["allowed"] is dry_run


@pytest.mark.parametrize("dry_run", [True, False])
async def test_the_log_says_at_the_start_whether_anything_is_enforced(serve, dry_run):
    webhook = await serve(dry_run=dry_run)

    assert webhook.logged("serving")[0]["dryRun"] is dry_run
