"""Operations on a document, carried out in its author's text.

Nodes say where a value stands, and text is put there or taken away; all other characters stay as they are
(docs/decisions/0018-edits-in-the-authors-text.md). What comes out is read again, and is an error unless it means exactly
what the operations make of the document; what is only shown, and only adds lines, need not be.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import yaml

from hardener.cli.manifests.additions import only_adds
from hardener.cli.manifests.aliases import disentangled
from hardener.cli.manifests.block_style import edit_node
from hardener.cli.manifests.changes import Change, UnknownOperationError, applied, change_of
from hardener.cli.manifests.documents import JSON_OPENING, Document, read_documents
from hardener.cli.manifests.draft import Draft, Splice
from hardener.cli.manifests.flow_style import edit_flow
from hardener.cli.manifests.json_nodes import compose_json
from hardener.cli.manifests.layout import FlowLayout, Layout
from hardener.cli.manifests.nodes import compose, compose_with_aliases
from hardener.errors import EditError, Problem
from hardener.patch import Operation, apply_patch

_ALIAS = re.compile(r"(?:^|[\s\[{,:-])\*[^\s*,\[\]{}]", re.MULTILINE)
_BYTE_ORDER_MARK = "\ufeff"

PIECEMEAL_LIMIT = 2**18
"""Characters of a document up to which its objects are tried one by one; each try reads it all."""


@dataclass(frozen=True, slots=True)
class Edition:
    """A document's text as it would be, and the splices that lead there, in the order of the text."""

    document: Document
    text: str
    splices: Sequence[Splice] = ()


def edited(document: Document, operations: Sequence[Operation]) -> str:
    """The text of a document after operations as `hardener.patch.render` makes them, with paths from its root.

    Raises EditError where the text cannot be edited.
    """
    return edition(document, operations).text


def edition(document: Document, operations: Sequence[Operation], *, to_show: bool = False) -> Edition:
    """As `edited`, with the splices; `to_show` is for a text that nobody keeps."""
    if not operations:
        return Edition(document, document.text)
    mark = _BYTE_ORDER_MARK if document.text.startswith(_BYTE_ORDER_MARK) else ""
    try:
        change = change_of(operations, document.value)
        draft = _draft(document.text.removeprefix(mark), document, change)
    except (UnknownOperationError, yaml.YAMLError, RecursionError, IndexError) as error:
        raise _error(document, " ".join(str(error).split()) or type(error).__name__) from error
    text, splices = draft.finished()
    text = mark + text
    if not (to_show and _only_adds(draft.text, document, splices, change)):
        # What is kept is held against another implementation than the one that has made it.
        meant = applied(change, document.value) if to_show else apply_patch(document.value, operations)
        if _value(text, document) != meant:
            raise _error(document, "it is written in an unusual way")
    if mark:
        splices = [replace(each, start=each.start + 1, end=each.end + 1) for each in splices]
    return Edition(document, text, splices)


def edition_of_parts(
    document: Document, parts: Sequence[Sequence[Operation]], *, to_show: bool = False
) -> tuple[Edition, dict[int, EditError]]:
    """Carry out all parts that can be, such as the edits of each object in a List, and say why the others cannot."""
    try:
        return edition(document, [operation for part in parts for operation in part], to_show=to_show), {}
    except EditError as error:
        if len(parts) == 1 or len(document.text) > PIECEMEAL_LIMIT:
            return edition(document, ()), dict.fromkeys(range(len(parts)), error)
    errors: dict[int, EditError] = {}
    best = edition(document, ())
    kept: list[Operation] = []
    for index, part in enumerate(parts):
        try:
            best = edition(document, [*kept, *part], to_show=to_show)
            kept += part
        except EditError as error:
            errors[index] = error
    return best, errors


def _draft(text: str, document: Document, change: Change) -> Draft:
    root: yaml.Node | None
    if document.is_json:
        opening = JSON_OPENING.match(text)
        root = compose_json(text, opening.end() if opening else 0)
    elif "*" in text and _ALIAS.search(text):
        root = compose_with_aliases(text)
        if root is not None:
            change = disentangled(root, change, document.value)
    else:
        root = document.root or compose(text)
    if not isinstance(root, yaml.CollectionNode) or not root.value:
        raise UnknownOperationError("it holds nothing that could be changed")
    draft = Draft(text, root)
    if document.is_json:
        edit_flow(draft, root, change, document.value, (), FlowLayout(quoted=True))
    else:
        edit_node(draft, root, change, document.value, (), Layout())
    return draft


def _only_adds(text: str, document: Document, splices: Sequence[Splice], change: Change) -> bool:
    root = document.root
    return root is not None and only_adds(text, root, document.value, splices, change)


def _value(text: str, document: Document) -> object:
    """What the text is read as; itself where it is not read as one document of the same kind."""
    found = list(read_documents(text.encode(), document.file))
    if len(found) != 1 or found[0].problem or found[0].is_json is not document.is_json:
        return text
    return found[0].value


def _error(document: Document, why: str) -> EditError:
    message = f"cannot be edited where it stands: {why}; `hardener preview -o patch` prints the changes"
    return EditError(Problem(document.file, document.line, "", message), why)
