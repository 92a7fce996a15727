"""Webhook, preview and /explain decide the same about each object, and say it in the same words."""

from datetime import timedelta

import click
import pytest

from hardener.admission import Explained, Result, decode, decode_workload, explain, respond
from hardener.admission.explain import sentences
from hardener.cli.judgement import judge
from hardener.cli.manifests.documents import Document, Manifest
from hardener.cli.output import diff
from hardener.model import STANDALONE, Mode
from hardener.model.workloads import POD, template_path
from hardener.policy.policy import Warnings
from hardener.policy.reading import embedded_config
from hardener.wording import THE_POD, Topic, changes, describe_at, warnings
from tests.admission.reviews import request
from tests.admission_chain import MIRROR, admitted, review, template_of
from tests.corpus.configurations import configuration
from tests.corpus.manifests import files, holds_pod, objects, title
from tests.decisions import decisions_of
from tests.pod_json import annotations, containers, table
from tests.pods import TODAY

ALICE = {"username": "alice", "groups": ["system:authenticated"]}
CONFIGS = {"embedded": embedded_config(), "observe": configuration("observe"), "governed": configuration("governed")}

OPENINGS = {"will set ": Mode.ENFORCE, "dry-run: would set ": Mode.DRY_RUN}
PROBLEMS = {Topic.DOUBT, Topic.REFUSED, Topic.FAILED}


@pytest.mark.parametrize("file", files(), ids=str)
def test_webhook_preview_and_explain_say_the_same(file):
    for obj in filter(holds_pod, objects(file)):
        for name, config in CONFIGS.items():
            assert_the_same_is_said(obj if name != "governed" else asking(obj), config, f"{title(file, obj)}, {name}")


def assert_the_same_is_said(obj, config, where):
    namespace = table(obj.get("metadata")).get("namespace") or "default"
    manifest = Manifest(Document("file.yaml", 1, ""), (), obj["apiVersion"], obj["kind"], obj)
    (preview,) = judge(manifest, config, "default", lambda _: STANDALONE, TODAY)
    told = list(sentences(preview.judgement))
    answer = respond(decode(review(admitted(obj, namespace), namespace, userInfo=ALICE)), config, STANDALONE, TODAY)
    explained = explain(decode_workload(workload_review(obj, namespace)), config, STANDALONE, TODAY)

    if MIRROR in annotations(template_of(obj)):
        assert (answer.result, preview.outcome.verdicts) == (Result.IGNORED, ()), where
    else:
        assert_the_webhook_agrees(answer, preview, told, where)
    if obj["kind"] == POD:
        assert (explained.result, explained.warnings) == (Explained.IGNORED, []), where
    else:
        assert (explained.result, explained.policy) == (Explained.EXPLAINED, preview.policy.label), where
        assert explained.warnings == warnings(told, beforehand=True), where
    assert_the_diff_shows(preview, told, where)


def assert_the_webhook_agrees(answer, preview, told, where):
    """The same decisions, and of the same sentences those that are for who sends a pod."""
    assert answer.policy is preview.policy, where
    assert decisions_of(answer.outcome) == decisions_of(preview.outcome), where
    assert answer.outcome.opt_outs == preview.outcome.opt_outs, where
    assert len(answer.outcome.exempt) == len(preview.outcome.exempt), where
    expected = [each for each in told if each.topic in PROBLEMS]
    if preview.policy.warnings is Warnings.CHANGES:
        expected += [each for each in told if each.topic is Topic.EXEMPT]
        expected += changes(preview.outcome)
        expected += [each for each in told if each.topic is Topic.HELD]
    assert answer.warnings == warnings(expected), where


def assert_the_diff_shows(preview, told, where):
    """Every sentence stands below the diff as it is, but for changes: each of these is of edits, and each edit is told."""
    lines = set(click.unstyle("\n".join(diff.render(preview))).split("\n"))
    assert {f"  {text}" for topic, text in told if topic is not Topic.CHANGE} <= lines, where
    foretold = {change: places for topic, text in told if topic is Topic.CHANGE for change, places in changes_of(text)}
    edits = edits_of(preview)
    assert set(foretold) == set(edits), where
    for change, places in foretold.items():
        names = edits[change]
        # Names that would take too much room are counted.
        assert set(places.split(", ")) == names or places == f"{len(names)} containers", (where, change)


def changes_of(text):
    """Read `will set A, B on x, y`: (mode, control) and the places, for each of the controls."""
    opening = next(opening for opening in OPENINGS if text.startswith(opening))
    names, _, places = text.removeprefix(opening).rpartition(" on ")
    return [((OPENINGS[opening], name), places) for name in names.split(", ")]


def edits_of(preview):
    """The same of the edits; what is only taken away from containers is a change of the pod."""
    found = {}
    for edit in preview.edits:
        places = found.setdefault((edit.mode, edit.control), set())
        if edit.write.how != "remove":
            places.add(describe_at(edit.write.at))
    return {change: places - {THE_POD} or {THE_POD} for change, places in found.items()}


def asking(obj):
    """The same object, whose pods opt out: as they may, as they may not, in a wrong word, and for a missing container."""
    template = template_of(obj)
    first = next((str(container.get("name")) for _, container in containers(template)), "")
    asked = {
        "hardener.dev/opt-out": "resources, capabilites, seccompProfile",
        f"opt-out.hardener.dev/{first}": "runAsNonRoot readOnlyRootFilesystem",
        "opt-out.hardener.dev/nobody": "capabilities",
        "hardener.dev/opt-out-until": (TODAY + timedelta(days=7)).isoformat(),
    }
    metadata = table(template.get("metadata"))
    changed = {**template, "metadata": {**metadata, "annotations": {**annotations(template), **asked}}}
    return _with_template(obj, template_path(obj["apiVersion"], obj["kind"]), changed)


def _with_template(obj, path, template):
    if not path:
        return template
    return {**obj, path[0]: _with_template(obj[path[0]], path[1:], template)}


def workload_review(obj, namespace):
    """The AdmissionReview that asks about the creation of an object by a person."""
    group, _, version = obj["apiVersion"].rpartition("/")
    return request(
        obj,
        kind={"group": group, "version": version, "kind": obj["kind"]},
        resource={"group": group, "version": version, "resource": f"{obj['kind'].lower()}s"},
        namespace=namespace,
        userInfo=ALICE,
    )
