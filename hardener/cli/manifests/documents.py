"""Files, folders and streams -> documents -> Kubernetes objects.

A stream is split at its `---` lines before anything is parsed, so that one broken document costs nothing but itself.
Every document keeps its text as it came.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import yaml

from hardener.cli.manifests.kubernetes_json import read_json
from hardener.cli.manifests.kubernetes_yaml import line_of, read_nodes
from hardener.cli.manifests.sources import STDIN, STDIN_NAME, sources
from hardener.errors import ManifestError, Problem, place
from hardener.model import Path

DOCUMENT_LIMIT = 16 * 2**20
"""Characters of one document, which is about what three thousand pods take."""

_MARKER = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
JSON_OPENING = re.compile(r"\ufeff?(?:---)?\s*(?=\{)")
_IGNORABLE = re.compile(r"\s*(?:#.*|%.*)?")
_SPACE = re.compile(r"\s*")
_LIST_SUFFIX = "List"
_BYTE_ORDER_MARK = "\ufeff"

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a stream: its text as it came, and its value or what is wrong with it.

    `line` is the line of the file, from 1, on which the text begins; a value of None without a problem is a document
    that holds nothing but comments.
    """

    file: str
    line: int
    text: str
    value: object = None
    is_json: bool = False
    problem: Problem | None = None
    root: yaml.Node | None = field(default=None, repr=False, compare=False)
    """The nodes that a value in YAML was read from, with their places in the text behind a byte order mark."""

    def problem_at(self, path: Path, message: str) -> Problem:
        """Name a place in the document as people write it, with its line where that can be told."""
        return Problem(self.file, self.line + line_of(self.text, path), place(path), message)


@dataclass(frozen=True, slots=True)
class Manifest:
    """One Kubernetes object; `root` leads to it from the document, through the Lists that hold it."""

    document: Document
    root: Path
    api_version: str
    kind: str
    value: Json


@dataclass(frozen=True, slots=True)
class File:
    """A file with its documents, which are read as they are asked for; standard input has no path."""

    name: str
    path: str | None
    data: bytes
    documents: Iterator[Document]


def documents(inputs: Sequence[str]) -> Iterator[Document]:
    """Read files, folders (all their manifests, sorted) and `-`; what cannot be read is a document with a problem."""
    for file in files(inputs):
        yield from file.documents


def files(inputs: Sequence[str]) -> Iterator[File]:
    """The same, file by file."""
    for name in inputs:
        held: list[bool] = []
        for source in sources(name):
            found = read_documents(source.data, source.name)
            if source.problem:
                found = iter([_unreadable(source.name, source.problem)])
            yield File(source.name, None if name == STDIN else source.name, source.data, _noted(found, held))
        if not any(held):
            empty = _unreadable(STDIN_NAME if name == STDIN else name, "holds no Kubernetes object")
            yield File(empty.file, None, b"", iter([empty]))


def _noted(found: Iterator[Document], held: list[bool]) -> Iterator[Document]:
    """Note of each document whether it holds anything."""
    for document in found:
        held.append(document.value is not None or document.problem is not None)
        yield document


def _unreadable(file: str, message: str, line: int = 0) -> Document:
    return Document(file, line, "", problem=Problem(file, line, "", message))


def read_documents(data: bytes, file: str) -> Iterator[Document]:
    """Split the bytes of a stream into documents; their texts together are the stream again."""
    if b"\0" in data:
        yield _unreadable(file, "is no text: it holds zero bytes")
        return
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        yield _unreadable(file, f"is not UTF-8: byte 0x{data[error.start]:02x} cannot stand here", line)
        return
    line = 1
    for part in _split(text):
        if len(part) > DOCUMENT_LIMIT:
            message = (
                f"a document of more than {DOCUMENT_LIMIT // 2**20} MiB: ask the cluster for less at once, or split it"
            )
            yield Document(file, line, part, problem=Problem(file, line, "", message))
        elif JSON_OPENING.match(part):
            yield from _json_documents(part, file, line)
        else:
            yield _yaml_document(part, file, line)
        line += part.count("\n")


def _split(text: str) -> Iterator[str]:
    """Cut before each `---` line; directives belong to the document that follows them."""
    start = 0
    for marker in _MARKER.finditer(text):
        before = text[start : marker.start()]
        has_directives = "%" in before and all(map(_IGNORABLE.fullmatch, before.splitlines()))
        if before and not has_directives:
            yield before
            start = marker.start()
    if text[start:]:
        yield text[start:]


def _yaml_document(text: str, file: str, line: int) -> Document:
    try:
        value, root = read_nodes(text.removeprefix(_BYTE_ORDER_MARK), file, line)
    except ManifestError as error:
        return Document(file, line, text, problem=error.problem)
    return Document(file, line, text, value, root=root)


def _json_documents(text: str, file: str, line: int) -> Iterator[Document]:
    """The JSON values of a text that opens with a brace; YAML in flow style opens so too."""
    opening = JSON_OPENING.match(text)
    start, position, here = 0, opening.end() if opening else 0, line
    while position < len(text):
        try:
            value, end = read_json(text, position, file, line)
        except ManifestError as error:
            rest = text[start:]
            document = _yaml_document(rest, file, here)
            yield document if document.problem is None else Document(file, here, rest, problem=error.problem)
            return
        space = _SPACE.match(text, end)
        position = space.end() if space else end
        yield Document(file, here, text[start:position], value, is_json=True)
        here += text.count("\n", start, position)
        start = position


def manifests(document: Document) -> Iterator[Manifest | Problem]:
    """The objects of a document, those in Lists one by one; what is no Kubernetes object is a problem."""
    if document.problem is not None:
        yield document.problem
    elif document.value is not None:
        yield from _objects(document, (), document.value, "", "")


def _objects(
    document: Document, root: Path, value: object, kind: str, api_version: str
) -> Iterator[Manifest | Problem]:
    """`kind` and `api_version` are what a typed list says about its items, which may leave them out."""
    if not isinstance(value, dict):
        yield document.problem_at(root, "is no Kubernetes object: a mapping with apiVersion and kind is expected")
        return
    kind, api_version = value.get("kind") or kind, value.get("apiVersion") or api_version
    for name, text in (("kind", kind), ("apiVersion", api_version)):
        if not isinstance(text, str) or not text:
            yield document.problem_at((*root, name), "every Kubernetes object needs it, as a text")
            return
    items = value.get("items")
    if not kind.endswith(_LIST_SUFFIX) or not isinstance(items, list):
        yield Manifest(document, root, api_version, kind, value)
        return
    item_kind = kind.removesuffix(_LIST_SUFFIX)
    for index, item in enumerate(items):
        inherited = (item_kind, api_version) if item_kind else ("", "")
        yield from _objects(document, (*root, "items", index), item, *inherited)
