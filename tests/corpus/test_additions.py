"""What preview shows without reading it again, over all real manifests: it would be read as what was asked for."""

from datetime import date

import jsonpatch
import pytest

from hardener.cli.judging import Judging
from hardener.cli.manifests.additions import only_adds
from hardener.cli.manifests.changes import applied, change_of
from hardener.cli.manifests.documents import documents, read_documents
from hardener.cli.manifests.draft import Draft, Splice
from hardener.cli.manifests.editing import edition
from hardener.cli.output.tally import Tally
from hardener.errors import EditError
from hardener.model import Facts
from tests.corpus.configurations import configuration
from tests.corpus.manifests import FOLDER, files


@pytest.fixture(scope="module", params=["standard", "strict"])
def changed(request):
    """Each document that changes, with its change and the splices that make it, as `jsonpatch` and a reading confirm."""
    facts = Facts()
    judging = Judging(configuration(request.param), "default", lambda _: facts, date(2026, 1, 1))
    found = []
    for document in documents([str(FOLDER / file) for file in files()]):
        operations = [each for preview in judging.judged(document, Tally()).previews for each in preview.patch()]
        try:
            splices = edition(document, operations).splices
        except EditError:
            continue
        if operations and document.root is not None:
            change = change_of(operations, document.value)
            assert applied(change, document.value) == jsonpatch.apply_patch(document.value, operations)
            found.append((document, change, splices))
    return found


def is_certain(document, splices, change):
    return only_adds(document.text, document.root, document.value, splices, change)


def test_most_documents_are_certain_as_they_are(changed):
    certain = sum(is_certain(document, splices, change) for document, change, splices in changed)

    assert certain > len(changed) / 2


def test_lines_that_stray_are_certain_only_if_they_are_read_as_what_they_are_for(changed):
    strayed = 0
    for document, change, splices in changed:
        for number, splice in enumerate(splices):
            for other in astray(document.text, splice):
                draft = Draft(document.text, document.root)
                draft.splices = [*splices[:number], other, *splices[number + 1 :]]
                text, ordered = draft.finished()
                strayed += 1
                if is_certain(document, ordered, change):
                    assert values(text) == [applied(change, document.value)], text

    assert strayed > len(changed)


def astray(text, splice):
    """The same lines one line further up or down, or in other columns."""
    lines = splice.text.splitlines(keepends=True)
    up, down = text.rfind("\n", 0, max(splice.start - 1, 0)) + 1, text.find("\n", splice.start) + 1
    yield from (Splice(at, at, splice.text, splice.path) for at in (up, down) if splice.start == splice.end)
    for moved in (["  " + line for line in lines], [line.removeprefix("  ") for line in lines]):
        yield Splice(splice.start, splice.end, "".join(moved), splice.path)


def values(text):
    return [each.value for each in read_documents(text.encode(), "file.yaml")]
