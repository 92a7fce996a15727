"""Object -> Preview: what the webhook would do to it. Pure: configuration, namespace and day are arguments."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import jsonpatch
import msgspec

from hardener.admission.respond import MIRROR
from hardener.cli.manifests import Json, Manifest
from hardener.engine import harden
from hardener.errors import ManifestError
from hardener.model import STANDALONE, Container, Mode, Outcome, Path, Pod, PodManifest, Skip, Write
from hardener.model.workloads import POD, template_path
from hardener.patch import Operation, render
from hardener.policy.config import Config
from hardener.policy.opt_out import CONTAINER_PREFIX, OPT_OUT
from hardener.policy.policy import Policy

SHOWN = (Mode.ENFORCE, Mode.DRY_RUN)
"""Preview says what the policy says, enforced or not (design.md 5)."""

_MERGED_LISTS = frozenset({"volumes", "volumeMounts"})
"""Lists that `kubectl apply` merges by key; it replaces all others whole."""


class Edit(NamedTuple):
    """One write, with the control that made it and how far that control goes."""

    control: str
    mode: Mode
    write: Write


class Hold(NamedTuple):
    """One skip, with the control that made it."""

    control: str
    skip: Skip


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of one object that holds a pod; `template` leads to the pod from the object."""

    manifest: Manifest
    namespace: str
    name: str
    template: Path
    policy: Policy
    pod: Pod
    outcome: Outcome

    @property
    def edits(self) -> list[Edit]:
        return [Edit(v.control, v.mode, write) for v in self.outcome.verdicts for write in v.writes]

    @property
    def holds(self) -> list[Hold]:
        return [Hold(verdict.control, skip) for verdict in self.outcome.verdicts for skip in verdict.skips]

    @property
    def title(self) -> str:
        return f"{self.manifest.kind} {self.namespace}/{self.name or '(unnamed)'}"

    def patch(self) -> list[Operation]:
        """The operations that apply to the document that holds the object."""
        return self._operations((*self.manifest.root, *self.template))

    def hardened(self) -> Json:
        """The object as it would be; the object itself stays as it is."""
        return apply_patch(self.manifest.value, self._operations(self.template))

    def _operations(self, root: Path) -> list[Operation]:
        return render(self.outcome.writes(*SHOWN), root)

    def path_of(self, write: Write) -> Path:
        """Where a write goes, from the object."""
        at = write.at
        where = ("spec", at.field, at.index) if isinstance(at, Container) else ()
        return (*self.template, *where, *write.path)


def apply_patch(value: object, operations: list[Operation]) -> Json:
    """Apply operations, as they would travel in JSON, to a copy of a document."""
    result: Json = jsonpatch.JsonPatch.from_string(msgspec.json.encode(operations).decode()).apply(value)
    return result


def judge(manifest: Manifest, config: Config, namespace: str, today: date) -> Preview | None:
    """Decide as the webhook would; None for a kind that holds no pod. `namespace` is for objects that name none.

    Raises ManifestError where the object is not shaped as the API server wants it.
    """
    template = template_path(manifest.api_version, manifest.kind)
    if template is None:
        return None
    metadata = _mapping(manifest, ("metadata",))
    pod = _pod(manifest, template)
    own_namespace, name = (_text(manifest, metadata, key) for key in ("namespace", "name"))
    where = own_namespace or namespace
    policy = config.select(where).policy
    outcome = Outcome() if MIRROR in pod.annotations else harden(pod, policy, STANDALONE, today)
    name = name or _text(manifest, metadata, "generateName")
    return Preview(manifest, where, name, template, policy, pod, outcome)


def _mapping(manifest: Manifest, path: Path) -> Mapping[str, object]:
    """The mapping at a path of the object; empty where it, or one above it, is absent or null."""
    value: object = manifest.value
    for depth, key in enumerate(path, start=1):
        value = value.get(key) if isinstance(value, dict) else None
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise _misfit(manifest, path[:depth], "must be a mapping")
    return value if isinstance(value, dict) else {}


def _text(manifest: Manifest, metadata: Mapping[str, object], key: str) -> str:
    value = metadata.get(key)
    if value is not None and not isinstance(value, str):
        raise _misfit(manifest, ("metadata", key), "must be a text: put quotes around it")
    return value or ""


def _pod(manifest: Manifest, template: tuple[str, ...]) -> Pod:
    try:
        return Pod(msgspec.convert(_mapping(manifest, template), PodManifest))
    except msgspec.ValidationError as error:
        message, _, place = str(error).rpartition(" - at `$")
        path = _place(place.removesuffix("`")) if message else ()
        raise _misfit(manifest, (*template, *path), (message or str(error)).replace("`", "")) from error


def _place(text: str) -> Path:
    """Read the path of a msgspec message: `.spec.containers[0].image` (a key of a dict is `[...]` there)."""
    keys: list[str | int] = []
    for part in text.replace("[", ".[").split("."):
        if part.startswith("["):
            if not part[1:-1].isdecimal():
                break
            keys.append(int(part[1:-1]))
        elif part:
            keys.append(part)
    return tuple(keys)


def _misfit(manifest: Manifest, path: Path, message: str) -> ManifestError:
    return ManifestError(manifest.document.problem_at((*manifest.root, *path), message))


def notes(preview: Preview) -> Iterator[str]:
    """What the author should know beyond the decisions themselves."""
    yield from _misplaced_opt_outs(preview)
    names = {container.name for container in preview.pod.containers}
    for name in dict.fromkeys(opt_out.container for opt_out in preview.outcome.opt_outs):
        if name is not None and name not in names:
            yield f"{CONTAINER_PREFIX}{name} names a container that the pod does not have"
    if preview.manifest.kind == POD and any(map(_is_grown_list, preview.edits)):
        yield (
            "applying this unchanged file again after the pod was made can be refused: `kubectl apply` would take away "
            "what was appended to capabilities.drop, and a pod's spec cannot change; write ALL there yourself"
        )


def _misplaced_opt_outs(preview: Preview) -> Iterator[str]:
    """An annotation on the workload itself does nothing: pods take theirs from the template (design.md 3)."""
    template = preview.template
    above = {template[:length] for length in range(len(template)) if length == 0 or template[length - 1] != "spec"}
    for path in sorted(above, key=len):
        annotations: object = preview.manifest.value
        for key in (*path, "metadata", "annotations"):
            annotations = annotations.get(key) if isinstance(annotations, dict) else None
        for key in annotations if isinstance(annotations, dict) else ():
            if key == OPT_OUT or str(key).startswith(CONTAINER_PREFIX):
                yield f"{key} in {'.'.join(map(str, (*path, 'metadata')))} does nothing: move it to the pod template"


def _is_grown_list(edit: Edit) -> bool:
    """Whether a list that the author wrote, and that kubectl replaces whole, gets longer."""
    write = edit.write
    if write.how != "append" or write.path[-1] in _MERGED_LISTS:
        return False
    present: object = write.at.manifest
    for key in write.path:
        present = getattr(present, str(key), None)
    return bool(present)
