"""Where an object comes from: its file, the template that made it, and the lines that it is about."""

import os
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from hardener.cli.manifests.documents import Document, Manifest
from hardener.cli.manifests.kubernetes_yaml import Marks
from hardener.cli.manifests.sources import STDIN_NAME
from hardener.model import Path

WORKSPACE = "GITHUB_WORKSPACE"
"""The variable with which GitHub's runner names the folder of the repository; steps may run in one below it."""

ORIGIN = "config.kubernetes.io/origin"
"""The annotation in which `kustomize build` names the file, where `buildMetadata: [originAnnotations]` asks for it."""

_COMMENT = re.compile(r"\s*(?:#.*|%.*|---(?:\s.*)?)?")
_SOURCE = re.compile(r"\s*#\s*Source:\s*(\S.*?)\s*")
_ORIGIN_PATH = re.compile(r"^path:[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)
_ORIGIN_REPOSITORY = re.compile(r"^repo:", re.MULTILINE)


def source_of(text: str) -> str:
    """The file that `helm template` names above a document's content, in a comment `# Source: ...`; empty without one."""
    for line in text.removeprefix("\ufeff").splitlines():
        if found := _SOURCE.fullmatch(line):
            return found[1]
        if not _COMMENT.fullmatch(line):
            break
    return ""


def source(manifest: Manifest) -> str:
    """The file that an object was rendered from, if Helm or kustomize says so."""
    return source_of(manifest.document.text) or _origin(manifest.value)


def _origin(value: Mapping[str, object]) -> str:
    metadata = value.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    origin = annotations.get(ORIGIN) if isinstance(annotations, dict) else None
    if not isinstance(origin, str) or _ORIGIN_REPOSITORY.search(origin):
        return ""
    found = _ORIGIN_PATH.search(origin)
    return found[1] if found else ""


def origin(manifest: Manifest) -> str:
    """What people call the place that an object comes from: of a stream the rendered file, if it is known."""
    file = manifest.document.file
    return (source(manifest) if file == STDIN_NAME else "") or file


@dataclass(frozen=True, slots=True)
class Place:
    """A file that a finding can be shown in; `line` is 0 where none is known."""

    file: str | None
    line: int


class Places:
    """The places of one document's objects, which is read again once a line is asked for.

    The lines of a stream are not those of the templates that it was rendered from: such a template is named with its
    first line, since code-scanning pages show nothing without one. A stream that names none has no file at all.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._marks: Marks | None = None

    def place(self, manifest: Manifest, path: Path) -> Place:
        """The place of what lies at a path of an object, or of the nearest thing above it that the file has."""
        if self._document.file == STDIN_NAME:
            template = source(manifest)
            return Place(template or None, 1 if template else 0)
        return Place(self._document.file, self._document.line + self._offset((*manifest.root, *path)))

    def _offset(self, path: Path) -> int:
        try:
            self._marks = self._marks or Marks(self._document.text.removeprefix("\ufeff"))
        except yaml.YAMLError:  # such as JSON with unusual characters
            return 0
        return self._marks.line(path)


def in_repository(file: str) -> str:
    """A path as it is seen from the root of the repository; as seen from here, or whole, where it lies elsewhere."""
    here = os.path.realpath(os.curdir)
    workspace = os.path.realpath(os.environ.get(WORKSPACE) or here)
    root = workspace if _holds(workspace, here) else here
    folder, name = os.path.split(os.path.normpath(os.path.join(here, file)))  # noqa: PTH118  see above
    path = os.path.join(os.path.realpath(folder), name)  # noqa: PTH118  see above
    return posixpath.relpath(path, root) if _holds(root, path) else path


def _holds(folder: str, path: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
