"""A template and the pod that comes of it get the same decisions, so that preview says what the webhook will do."""

import json
from collections import defaultdict

import jsonpatch
import pytest
from click.testing import CliRunner

from hardener.cli.preview import preview
from hardener.engine import harden
from hardener.errors import WOULD_CHANGE
from hardener.model import STANDALONE, Container, Mode
from hardener.patch import render
from hardener.wording import edit_path
from tests.admission_chain import admitted, template_of
from tests.corpus.configurations import POLICIES, TEXT, configuration
from tests.corpus.manifests import FOLDER, PARTS, files, holds_pod, objects, title
from tests.decisions import decisions
from tests.pods import TODAY, view


@pytest.mark.parametrize("file", files(), ids=str)
def test_a_template_is_decided_on_like_its_pod(file):
    for obj in filter(holds_pod, objects(file)):
        for policy in POLICIES:
            rules = configuration(policy).default

            assert decisions(template_of(obj), rules) == decisions(admitted(obj), rules), (title(file, obj), policy)


@pytest.fixture(scope="module")
def previews(tmp_path_factory):
    """What `hardener preview -o json` says about all objects of each file, under the strict policy."""
    config = tmp_path_factory.mktemp("config") / "config.yaml"
    config.write_text(f"{TEXT}strict\n", encoding="utf-8")
    folders = [str(FOLDER / part) for part in PARTS]
    result = CliRunner().invoke(preview, ["-o", "json", "--config", str(config), *folders])
    assert result.exit_code == WOULD_CHANGE, result.output[-2000:]
    by_file = defaultdict(list)
    for entry in json.loads(result.stdout):
        by_file[entry["file"]].append(entry)
    return by_file


def test_preview_foretells_what_the_webhook_does(previews):
    rules = configuration("strict").default
    for file in files():
        pods = list(filter(holds_pod, objects(file)))
        entries = previews[str(FOLDER / file)]
        assert len(entries) == len(pods), file
        for entry, obj in zip(entries, pods, strict=True):
            outcome = harden(view(admitted(obj)), rules, STANDALONE, TODAY)
            edits = [
                (
                    verdict.control,
                    verdict.mode,
                    _container(write),
                    write.how,
                    edit_path(write),
                    write.value,
                    write.reason,
                )
                for verdict in outcome.verdicts
                for write in verdict.writes
                if write.how != "remove"
            ]
            skips = [(v.control, _container(skip), skip.reason) for v in outcome.verdicts for skip in v.skips]

            assert [tuple(edit.values()) for edit in entry["edits"] if edit["op"] != "remove"] == edits, title(
                file, obj
            )
            assert [tuple(skip.values()) for skip in entry["skips"]] == skips, title(file, obj)


def test_what_preview_has_patched_leaves_the_webhook_nothing_to_do(previews):
    rules = configuration("strict").default
    for file in files():
        for entry, obj in zip(previews[str(FOLDER / file)], filter(holds_pod, objects(file)), strict=True):
            pod = admitted(jsonpatch.apply_patch(obj, entry["patch"]))

            assert render(harden(view(pod), rules, STANDALONE, TODAY).writes(Mode.ENFORCE)) == [], title(file, obj)


def _container(finding):
    return finding.at.name if isinstance(finding.at, Container) else None
