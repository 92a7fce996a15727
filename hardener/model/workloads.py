"""The kinds that hold pod templates, and where these lie in them."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from hardener.errors import MisfitError
from hardener.model.outcome import Path

POD = "Pod"

TEMPLATES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("", POD): (),
    ("", "PodTemplate"): ("template",),
    ("", "ReplicationController"): ("spec", "template"),
    ("apps", "Deployment"): ("spec", "template"),
    ("apps", "StatefulSet"): ("spec", "template"),
    ("apps", "DaemonSet"): ("spec", "template"),
    ("apps", "ReplicaSet"): ("spec", "template"),
    ("batch", "Job"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
}
"""(API group, kind) to the path of the pod template; the empty path is the object itself."""

ANY = "*"
"""The step of a pattern that stands for every item of a list, or every value of a mapping."""

MOST_TEMPLATES = 256
"""Templates of one object that are looked at."""

Templates = Mapping[tuple[str, str], tuple[Path, ...]]
"""(API group, kind) to the patterns of the paths at which pod templates lie."""

NO_OTHERS: Templates = MappingProxyType({})

RETIRED_GROUPS = frozenset({"extensions"})
"""Groups that once served Deployments and their like; old files still name them."""


def template_path(api_version: str, kind: str) -> tuple[str, ...] | None:
    """Say where the pod template lies, or None for a kind that Kubernetes itself does not know to hold one."""
    group = group_of(api_version)
    if group in RETIRED_GROUPS:
        group = "apps"
    return TEMPLATES.get((group, kind))


def group_of(api_version: str) -> str:
    """The API group of an `apiVersion`; empty for the core group."""
    return api_version.rpartition("/")[0]


def template_paths(obj: object, api_version: str, kind: str, others: Templates) -> tuple[Path, ...] | None:
    """Say where all pod templates of an object lie, or None for a kind that holds none.

    `others` are the kinds that the configuration adds; an object of theirs may lack a template, and then has none. Raises
    MisfitError where an object has more than MOST_TEMPLATES.
    """
    own = template_path(api_version, kind)
    if own is not None:
        return (own,)
    patterns = others.get((group_of(api_version), kind))
    if patterns is None:
        return None
    found: dict[Path, None] = {}
    for pattern in patterns:
        for path in _matches(obj, pattern, ()):
            found[path] = None
            if len(found) > MOST_TEMPLATES:
                raise MisfitError((), f"holds more than {MOST_TEMPLATES} pod templates")
    return tuple(found)


def step(value: object, key: str | int) -> object:
    """What stands under a key of a mapping, or at an index of a list; None where nothing does."""
    if isinstance(value, dict):
        return value.get(key)
    return value[key] if isinstance(value, list) and isinstance(key, int) and key < len(value) else None


def _matches(value: object, pattern: Path, so_far: Path) -> Iterator[Path]:
    """The paths of an object that a pattern stands for; where it meets another shape, whoever follows it says so."""
    if value is None:
        return
    if not pattern:
        yield so_far
        return
    children = _children(value, pattern[0])
    if children is None:
        yield (*so_far, pattern[0])
        return
    for key, child in children:
        yield from _matches(child, pattern[1:], (*so_far, key))


def _children(value: object, key: str | int) -> Iterable[tuple[str | int, object]] | None:
    """What one step of a pattern leads to; None where the value is of another shape."""
    if isinstance(value, Mapping):
        return value.items() if key == ANY else [(key, value.get(key))]
    return enumerate(value) if isinstance(value, list) and key == ANY else None
