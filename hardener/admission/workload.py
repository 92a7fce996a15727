"""Object -> Judgement: what becomes of the pods of any object that holds a pod template. Pure, like the engine.

The way of a pod through `respond` is the short form of this: `/explain`, preview, fix and scan all come in here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from hardener.admission.review import crowding
from hardener.engine import harden
from hardener.errors import MisfitError, place
from hardener.model import Facts, Outcome, Path, Pod, PodManifest
from hardener.model.shape import shaped
from hardener.model.workloads import POD, step
from hardener.policy.config import Config, Selection
from hardener.policy.opt_out import CONTAINER_PREFIX, OPT_OUT
from hardener.wording import Sentence, Topic, doubts, edit_path, endings, exempted, one_line, problems

_MERGED_LISTS = frozenset({"volumes", "volumeMounts"})
"""Lists that `kubectl apply` merges by key; it replaces all others whole."""

Object = Mapping[str, object]
"""A Kubernetes object as JSON holds it."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of the pods of one object; `template` leads from the object to the pod in it."""

    object: Object
    kind: str
    namespace: str
    name: str
    template: Path
    selection: Selection
    pod: Pod
    outcome: Outcome


def judge(
    obj: Object, kind: str, template: Path, namespace: str, config: Config, facts: Facts, today: date
) -> Judgement:
    """Decide as the webhook would; `template` is one of what `template_paths` says of the object.

    Raises MisfitError where the object is not shaped as the API server wants it.
    """
    pod = _pod(obj, template)
    name = metadata_text(obj, "name") or metadata_text(obj, "generateName")
    selection = config.select(namespace, facts.labels, known=facts.known)
    outcome = Outcome() if pod.is_mirror else harden(pod, selection.policy, facts, today)
    return Judgement(obj, kind, namespace, name, template, selection, pod, outcome)


def remarks(judgement: Judgement) -> Iterator[Sentence]:
    """What is to be said beside the changes and what is held back: to whoever applies the object, and in a preview."""
    yield from doubts(judgement.selection)
    yield from problems(judgement.outcome)
    for note in _notes(judgement):
        yield Sentence(Topic.NOTE, one_line(note))
    yield from endings(judgement.outcome)
    yield from exempted(judgement.outcome)


def mapping_at(obj: Object, path: Path) -> Object:
    """The mapping at a path of an object; empty where it, or one above it, is absent or null.

    Raises MisfitError where something else stands there.
    """
    value: object = obj
    for depth, key in enumerate(path, start=1):
        value = step(value, key)
        if value is None:
            return {}
        is_list = isinstance(value, list) and depth < len(path) and isinstance(path[depth], int)
        if not isinstance(value, dict) and not is_list:
            raise MisfitError(path[:depth], "must be a mapping")
    return value if isinstance(value, dict) else {}


def metadata_text(obj: Object, key: str) -> str:
    """A text such as the name of an object; empty where it is absent or null. Raises MisfitError for anything else."""
    value = mapping_at(obj, ("metadata",)).get(key)
    if value is not None and not isinstance(value, str):
        raise MisfitError(("metadata", key), "must be a text: put quotes around it")
    return value or ""


def controller(obj: Object) -> Object | None:
    """The owner reference of whoever manages an object, if somebody does."""
    owners = mapping_at(obj, ("metadata",)).get("ownerReferences")
    for owner in owners if isinstance(owners, list) else ():
        if isinstance(owner, dict) and owner.get("controller") is True:
            return owner
    return None


def _pod(obj: Object, template: Path) -> Pod:
    manifest = mapping_at(obj, template)
    spec = manifest.get("spec")
    lists = [spec.get(field) for field in ("containers", "initContainers")] if isinstance(spec, dict) else []
    # Counted first, since what is made of each of them takes far longer.
    if misfit := crowding(sum(len(each) for each in lists if isinstance(each, list))):
        raise MisfitError((*template, "spec"), misfit)
    return Pod(shaped(manifest, PodManifest, template))


def _notes(judgement: Judgement) -> Iterator[str]:
    """What the author should know beyond the decisions themselves."""
    yield from misplaced_opt_outs(judgement.object, judgement.template)
    names = {container.name for container in judgement.pod.containers}
    for name in dict.fromkeys(opt_out.container for opt_out in judgement.outcome.opt_outs):
        if name is not None and name not in names:
            yield f"{CONTAINER_PREFIX}{name} names a container that the pod does not have"
    rewritten = [*_rewritten(judgement)] if judgement.kind == POD else ()
    if rewritten:
        yield (
            "applying this unchanged file again after the pod was made can be refused: `kubectl apply` would take back "
            f"what was changed in {', '.join(dict.fromkeys(rewritten))}, and a pod's spec cannot change; write it there "
            "yourself"
        )


def misplaced_opt_outs(obj: Object, template: Path) -> Iterator[str]:
    """An annotation on the workload itself does nothing: pods take theirs from the template (design.md 3)."""
    above = {template[:length] for length in range(len(template)) if length == 0 or template[length - 1] != "spec"}
    for path in sorted(above, key=len):
        annotations: object = obj
        for key in (*path, "metadata", "annotations"):
            annotations = step(annotations, key)
        for key in annotations if isinstance(annotations, dict) else ():
            if key == OPT_OUT or str(key).startswith(CONTAINER_PREFIX):
                yield f"{key} in {place((*path, 'metadata'))} does nothing: move it to the pod template"


def _rewritten(judgement: Judgement) -> Iterator[str]:
    """What the author wrote, and hardening changes, in a way that `kubectl apply` would undo."""
    for verdict in judgement.outcome.verdicts:
        for write in verdict.writes:
            if write.how == "remove" or write.path[0] == "metadata" or write.path[-1] in _MERGED_LISTS:
                continue
            present: object = write.at.manifest
            for key in write.path:
                present = getattr(present, str(key), None)
            if present is not None and present != []:
                yield edit_path(write).removeprefix("securityContext.")
