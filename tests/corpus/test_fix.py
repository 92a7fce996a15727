"""`fix` over all real manifests: they mean what preview says, and nothing else in their files changes."""

import re
import shutil
from collections import Counter

import jsonpatch
import pytest

from hardener.cli.manifests.documents import read_documents
from tests.cli.command_line import hardener
from tests.corpus.configurations import TEXT
from tests.corpus.manifests import FOLDER, PARTS, files, holds_pod

COMMENT = re.compile(r"(?:^|\s)#.*")

EMPTY = re.compile(r".*(?:\{\}|\[\]|\bnull|~|:)(?:\s+#.*)?")
"""A line may make way for another where it ends in an empty value, which is filled,"""

FLOW = re.compile(r".*[\[{].*[\]}].*|\s*[\]}]+,?")
"""or holds a list or a mapping in flow style, which grows in its line."""

OVERRIDDEN = re.compile(r".*(?:true|false|Unconfined)")
"""or a value that a policy overrides."""


@pytest.fixture(scope="module", params=["embedded", "strict"])
def fixed(request, tmp_path_factory):
    """A copy of the corpus that was fixed, and the options that it was fixed with."""
    folder = tmp_path_factory.mktemp("fixed")
    for part in PARTS:
        shutil.copytree(FOLDER / part, folder / part)
    options = []
    if request.param == "strict":
        config = tmp_path_factory.mktemp("config") / "config.yaml"
        config.write_text(f"{TEXT}strict\n")
        options = ["--config", config]
    before = contents(folder)
    entries = hardener("preview", "-o", "json", *options, folder).json
    result = hardener("fix", "--write", *options, folder)
    assert (result.code, result.problems) == (0, [])
    return folder, options, before, contents(folder), entries


def contents(folder):
    return {str(folder / file): (folder / file).read_bytes() for file in files()}


def test_each_document_means_what_the_patch_makes_of_it(fixed):
    _, _, before, after, entries = fixed
    operations = {}
    for entry in entries:
        operations.setdefault(entry["file"], []).append(entry["patch"])
    for name, data in before.items():
        patches = iter(operations.get(name, ()))
        old, new = (
            [each.value for each in read_documents(text, name) if each.value is not None]
            for text in (data, after[name])
        )
        assert new == [jsonpatch.apply_patch(value, next(patches)) if holds_pod(value) else value for value in old], (
            name
        )
        assert not [*patches], name


def test_every_comment_is_still_there(fixed):
    _, _, before, after, _ = fixed
    for name, data in before.items():
        comments = [Counter(COMMENT.findall(text.decode())) for text in (data, after[name])]
        assert comments[0] - comments[1] == Counter(), name


def test_no_line_changes_that_has_not_to(fixed):
    _, options, before, after, _ = fixed
    changed = Counter()
    for name, data in before.items():
        old, new = data.decode().split("\n"), iter(after[name].decode().split("\n"))
        gone = Counter(old) - Counter(after[name].decode().split("\n"))
        changed += gone
        kept = [line for line in old if line not in gone]
        assert all(line in new for line in kept), f"{name}: lines have changed their order"
    rules = [EMPTY, FLOW, *([OVERRIDDEN] if options else [])]
    assert [line for line in changed if not any(rule.fullmatch(line) for rule in rules)] == []
    # Of 40,000 lines.
    assert changed.total() < (400 if options else 30)


def test_preview_finds_nothing_more(fixed):
    folder, options, *_ = fixed

    result = hardener("preview", "-o", "patch", *options, folder)

    assert result.code == 0, result.err
    assert set(result.out.split()) == {"[]"}


def test_a_second_run_touches_nothing(fixed):
    folder, options, _, after, _ = fixed
    times = {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}

    result = hardener("fix", "--write", *options, folder)

    assert result.code == 0
    assert result.err.endswith(f"{len(after)} files, 0 written\n")
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()} == times
