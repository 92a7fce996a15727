"""Make a container's root file system read-only, with a writable /tmp.

Why: what breaks in cannot leave anything behind in the image's files, nor replace a program there.
Changes: `securityContext.readOnlyRootFilesystem: true` on every container, and one emptyDir of its own at each writable
    path (`/tmp`). Files that the image has there are hidden, files left there outlive a restart of the container, and
    `kubectl drain` asks for `--delete-emptydir-data`; the cluster autoscaler is told that these volumes may be lost.
Opt out when: the image writes elsewhere, keeps files of its own under /tmp, or refuses a /tmp without a sticky bit.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

from hardener.model import Container, Control, Facts, Finding, Pod, Skip, Value, Write, parse_quantity
from hardener.model.path import ancestors, clean, holds
from hardener.model.pod import ANNOTATIONS_LIMIT

PATH = ("securityContext", "readOnlyRootFilesystem")
VOLUMES = ("spec", "volumes")
MOUNTS = ("volumeMounts",)
SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
ANNOTATION = ("metadata", "annotations", SAFE_TO_EVICT)

REASON = "nothing can change the files of the image"
REASON_OVERRIDE = "nothing can change the files of the image; the policy overrides the explicit false"
REASON_WRITABLE = "this path stays writable"
REASON_NO_ROOM = "there is no room left for it among the annotations"
REASON_AUTOSCALER = "the cluster autoscaler may still remove the node"

EXPLICIT = "readOnlyRootFilesystem is explicitly false"
PRIVILEGED = "the container is privileged"
HOST_AGENT = "the container works on the host (hostPath, hostPID or hostIPC)"
WORKING_DIRECTORY = "a writable path is or holds its working directory"
TERMINATION_LOG = "a writable path is or lies below its termination log"
PROGRAM = "a writable path holds a program or file that it is started with"

NAME_PREFIX = "hardener-"
_OUR_NAME = re.compile(NAME_PREFIX + "[0-9a-f]{16}")
_SYSTEM_PATHS = ("/", "/dev", "/proc", "/sys")
_DEFAULT_LOG = "/dev/termination-log"
"""What the API server fills in; no writable path lies there."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`writablePaths` are absolute, plain, and not inside one another; `sizeLimit` is a quantity for each of them.

    `explicit`: keep leaves an explicit false alone, override replaces it.
    """

    explicit: Literal["keep", "override"] = "keep"
    hostAgents: Literal["hold", "harden"] = "hold"
    writablePaths: tuple[str, ...] = ("/tmp",)  # noqa: S108
    sizeLimit: str | int | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a path that no container could start with, QuantityError for a bad size."""
        for path in self.writablePaths:
            if not path.startswith("/") or clean(path) != path:
                raise ValueError(f"writablePaths: {path!r} is not a plain absolute path such as /var/cache")
            if path == "/" or any(holds(system, path) for system in _SYSTEM_PATHS[1:]):
                raise ValueError(f"writablePaths: {path!r} belongs to the container runtime")
            if self.writablePaths.count(path) > 1:
                raise ValueError(f"writablePaths: {path!r} stands twice, and a container mounts a path only once")
            if any(other != path and holds(other, path) for other in self.writablePaths):
                raise ValueError(f"writablePaths: {path!r} lies inside another writable path")
        if self.sizeLimit is not None and parse_quantity(self.sizeLimit) <= 0:
            raise ValueError("sizeLimit: must be above zero; leave it out for no limit")


def apply(pod: Pod, containers: Sequence[Container], settings: Settings, facts: Facts) -> Iterator[Finding]:
    """One volume per container, since a shared /tmp would no longer be private (semantics.md 4.5)."""
    names: list[str] = []
    last: dict[str, str] = {}
    taken = {volume.name for volume in pod.spec.volumes or ()}
    source: dict[str, object] = {"sizeLimit": str(settings.sizeLimit)} if settings.sizeLimit else {}
    for container in containers:
        explicit = container.security.readOnlyRootFilesystem
        if explicit is True:
            continue
        if explicit is False and settings.explicit == "keep":
            yield Skip(container, EXPLICIT)
            continue
        paths = _unmounted(container, settings.writablePaths)
        reason = _hold(container, paths, settings)
        if reason:
            yield Skip(container, reason)
            continue
        yield Write(container, PATH, True, REASON if explicit is None else REASON_OVERRIDE)
        for path in paths:
            name = _volume_name(container.name, path, taken, last)
            taken.add(name)
            names.append(name)
            volume: Value = {"name": name, "emptyDir": source}
            yield Write(pod, VOLUMES, volume, REASON_WRITABLE, "append")
            yield Write(container, MOUNTS, {"name": name, "mountPath": path}, REASON_WRITABLE, "append")
    if names or SAFE_TO_EVICT in pod.annotations:
        told = _tell_autoscaler(pod, names)
        if told is not None:
            yield told


def _hold(container: Container, paths: Sequence[str], settings: Settings) -> str | None:
    if container.privileged:
        return PRIVILEGED
    if container.host_agent and settings.hostAgents == "hold":
        return HOST_AGENT
    for path in paths:
        reason = _needed_from_image(container, path)
        if reason:
            return reason
    return None


def _unmounted(container: Container, writable: Sequence[str]) -> Sequence[str]:
    """The writable paths that neither a mount nor a device covers, at the path itself or above it."""
    covered = container.mount_paths()
    if container.manifest.volumeDevices:
        covered += [clean(device.devicePath or "") for device in container.manifest.volumeDevices]
    return [path for path in writable if ancestors(path).isdisjoint(covered)] if covered else writable


def _needed_from_image(container: Container, path: str) -> str | None:
    """Say what of the image's own files an empty volume at the path would hide or clash with (semantics.md 4.4, 4.5)."""
    manifest = container.manifest
    if manifest.workingDir and _hides(container, path, clean(manifest.workingDir)):
        return WORKING_DIRECTORY
    log = manifest.terminationMessagePath
    if log and log != _DEFAULT_LOG and clean(log) in ancestors(path):
        return TERMINATION_LOG
    for program in container.programs():
        if program != path and _hides(container, path, program):
            return PROGRAM
    return None


def _hides(container: Container, path: str, wanted: str) -> bool:
    """Whether the volume hides what is wanted; a mount of the author's below the path survives (trap 30)."""
    return holds(path, wanted) and not any(holds(mounted, wanted) for mounted in container.mount_paths())


def _volume_name(container: str, path: str, taken: set[str | None], last: dict[str, str]) -> str:
    """A name that depends on container and path only, so that a second call gives the same (semantics.md 1.2).

    `last` remembers how far a seed was hashed already: many containers of one name must not start over each time.
    """
    key = f"{container}\0{path}"
    digest = last.get(key, key) if last else key
    while True:
        digest = blake2b(digest.encode(), digest_size=8).hexdigest()
        name = NAME_PREFIX + digest
        if name not in taken:
            last[key] = digest
            return name


def _tell_autoscaler(pod: Pod, names: list[str]) -> Write | None:
    """Name our volumes where the author has named none, if there is room (semantics.md 4.5).

    Where another webhook has filled the room since our first call, what that one wrote makes way again.
    """
    told = pod.annotations.get(SAFE_TO_EVICT)
    present = [name for name in told.split(",") if name] if told else []
    if present and not all(map(_OUR_NAME.fullmatch, present)):
        return None
    value = ",".join(present + names)
    if pod.annotation_bytes({SAFE_TO_EVICT: value}) > ANNOTATIONS_LIMIT:
        return Write(pod, ANNOTATION, None, REASON_NO_ROOM, "remove") if present else None
    return Write(pod, ANNOTATION, value, REASON_AUTOSCALER) if names else None


CONTROL = Control(
    apply,
    Settings,
    holds=(EXPLICIT, PRIVILEGED, HOST_AGENT, WORKING_DIRECTORY, TERMINATION_LOG, PROGRAM),
    linux_only=True,
)
