"""One pod under controls of several modes: the answer, the log line and the metrics of it, over TLS."""

import json

import pytest
from jsonpatch import apply_patch

from hardener.controls import CATALOGUE
from hardener.model.pod import APPLIED, APPLIED_POLICY, PROVENANCE, SKIPPED
from tests.admission.asking import HEADER, annotated
from tests.admission.reviews import POD, patch
from tests.cli.command_line import hardener

MODES = {
    "capabilities": "enforce",
    "runAsNonRoot": "enforce",
    "resources": "dry-run",
    "readOnlyRootFilesystem": "dry-run",
}
CONFIG = f"""{HEADER}policies:
  ratchet:
    warnings: changes
    controls:
{"".join(f"      {name}: {{mode: {MODES.get(name, 'disabled')}}}{chr(10)}" for name in CATALOGUE)}default: ratchet
"""
ENFORCED = {name for name, mode in MODES.items() if mode == "enforce"}
ANNOUNCED = {name for name, mode in MODES.items() if mode == "dry-run"}


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG)
    return file


@pytest.fixture
async def ratchet(serve, config):
    return await serve(config=config)


async def test_the_answer_patches_what_is_enforced_and_announces_the_rest(ratchet):
    response = (await ratchet.ask(pod=POD))["response"]

    container = apply_patch(POD, patch(response))["spec"]["containers"][0]
    assert container == {
        **POD["spec"]["containers"][0],
        "securityContext": {"capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True},
    }
    assert response["warnings"] == [
        "hardener: set capabilities, runAsNonRoot on app",
        "hardener dry-run: would set readOnlyRootFilesystem, resources on app",
    ]
    audit = response["auditAnnotations"]
    assert set(audit["applied"].split(",")) == ENFORCED
    announced = apply_patch(POD, json.loads(audit["would-apply"]))
    assert announced["spec"]["containers"][0]["resources"]["requests"] == {"cpu": "50m", "memory": "64Mi"}
    assert announced["spec"]["containers"][0]["securityContext"] == {
        **container["securityContext"],
        "readOnlyRootFilesystem": True,
    }


async def test_the_log_has_one_line_with_the_patch_that_the_audit_log_gets(ratchet):
    response = (await ratchet.ask(uid="u-1", pod=POD))["response"]

    (line,) = [line for line in ratchet.lines() if line.get("uid") == "u-1"]
    assert (line["level"], line["result"]) == ("info", "patched")
    assert line["would-apply"] == json.loads(response["auditAnnotations"]["would-apply"])
    assert line["applied"] == response["auditAnnotations"]["applied"]


async def test_the_metrics_tell_what_was_done_from_what_would_be(ratchet):
    pods = [
        POD,
        annotated({"hardener.dev/opt-out": "resources, capabilities"}),
        {**POD, "spec": {"containers": [{"name": "agent", "securityContext": {"privileged": True}}]}},
    ]
    warnings = [warning for pod in pods for warning in (await ratchet.ask(pod=pod))["response"]["warnings"]]

    def count(control):
        return {
            outcome: ratchet.count("hardener_controls_total", control=control, policy="ratchet", outcome=outcome)
            for outcome in ("applied", "announced", "held")
        }

    assert count("runAsNonRoot") == {"applied": 2, "announced": 0, "held": 1}
    assert count("capabilities") == {"applied": 1, "announced": 0, "held": 1}
    assert count("resources") == {"applied": 0, "announced": 2, "held": 0}
    assert count("readOnlyRootFilesystem") == {"applied": 0, "announced": 2, "held": 1}
    assert count("seccompProfile") == {"applied": 0, "announced": 0, "held": 0}
    assert ratchet.count("hardener_reviews_total", policy="ratchet", result="patched") == 2
    assert ratchet.count("hardener_reviews_total", policy="ratchet", result="announced") == 1
    assert ratchet.count("hardener_warnings_total", endpoint="mutate") == len(warnings) > 3
    assert ratchet.count("hardener_opt_outs_total", control="resources", cause="accepted") == 1


async def test_what_is_written_on_the_pod_speaks_of_enforced_controls_only(ratchet):
    pod = annotated({**dict.fromkeys(PROVENANCE, "preset"), "hardener.dev/opt-out": "resources, runAsNonRoot"})
    response = (await ratchet.ask(pod=pod))["response"]

    stored = apply_patch(pod, patch(response))
    again = (await ratchet.ask(pod=stored))["response"]
    assert {key: stored["metadata"]["annotations"].get(key) for key in PROVENANCE} == {
        APPLIED_POLICY: ratchet.server.state.config.default.label,
        APPLIED: "capabilities",
        SKIPPED: "runAsNonRoot(the pod): opted out",
    }
    assert "patch" not in again


async def test_preview_shows_both_and_marks_what_is_only_tried(ratchet, config):
    manifest = json.dumps({**POD, "metadata": {"name": "web"}})
    (entry,) = hardener("preview", "-", "-o", "json", "--config", config, stdin=manifest).json

    assert {edit["control"]: edit["mode"] for edit in entry["edits"]} == MODES
    response = (await ratchet.ask(pod=json.loads(manifest)))["response"]
    assert entry["patch"] == json.loads(response["auditAnnotations"]["would-apply"])
