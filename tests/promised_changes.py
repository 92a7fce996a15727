"""Rules about what hardening may change in a pod: the second half of `tests/promises.py`, where the idea is explained."""

import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from tests.pod_json import (
    CONTAINER_LISTS,
    TOKEN_FOLDER,
    Json,
    amount,
    annotations,
    clean,
    containers,
    is_below,
    is_injected_token,
    is_windows,
    rows,
    security,
    spec,
    table,
)
from tests.provenance import PROVENANCE, provenance_is_in_form

At = tuple[str | int, ...]
Change = tuple[At, Any, Any]
"""Where, what was there, what is there; None is absent."""

SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
OUR_VOLUME = re.compile(r"hardener-[0-9a-f]{16}")
SMALLEST_MEMORY_LIMIT = 12 * 2**20

_SECURITY_VALUES = {"runAsNonRoot": True, "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True}
_DEFAULTED_RESOURCES = ("cpu", "memory", "ephemeral-storage")
_HELD_IF_PRIVILEGED = ("runAsNonRoot", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities")


def only_known_changes(before: Json, after: Json) -> Iterator[str]:
    """P3, and nothing else is ever written (design.md 3): what was there stays, what is new is of a few known kinds."""
    for at, old, new in differences(before, after):
        where = ".".join(map(str, at))
        if _is_provenance(at):
            continue
        if old is not None:
            if at != ("metadata", "annotations", SAFE_TO_EVICT):
                yield f"{where} was {old!r} and is {new!r}"
        elif not _is_known(at, new):
            yield f"{where} is new: {new!r}"


def lists_of_volumes_only_grow(before: Json, after: Json) -> Iterator[str]:
    """New volumes and mounts stand at the end; only the injected token goes (design.md 1, P3; semantics.md 1.3)."""
    for name, old, new in _paired_lists(before, after):
        lost, _ = _aligned(old, new)
        tokens = {volume.get("name") for volume in rows(spec(before).get("volumes")) if is_injected_token(volume)}
        for row in lost:
            is_token_mount = (
                row.get("name") in tokens
                and row.get("mountPath") == TOKEN_FOLDER
                and not row.get("subPath")
                and not row.get("subPathExpr")
            )
            if not (is_injected_token(row) if name == "volumes" else is_token_mount):
                yield f"{name}: {row} has gone or has changed"


def new_volumes_are_private(before: Json, after: Json) -> Iterator[str]:
    """One emptyDir per container and path, and only beside a new read-only root (semantics.md 4.5, traps 36, 38, 39)."""
    added = new_volumes(before, after)
    users: dict[str, int] = dict.fromkeys(added, 0)
    for name, volume in added.items():
        source = volume.get("emptyDir")
        size = amount(table(source).get("sizeLimit", 1))
        if set(volume) != {"name", "emptyDir"} or not isinstance(source, dict) or set(source) - {"sizeLimit"}:
            yield f"the new volume {name} is no plain emptyDir"
        elif size is None or size <= 0:
            yield f"the new volume {name} has no usable size"
    for name, old, new in _pairs(before, after):
        mounts = _new_mounts(old, new)
        for mount in mounts:
            if mount.get("name") not in added or set(mount) != {"name", "mountPath"}:
                yield f"{name}: the new mount {mount} is of no new volume"
            else:
                users[mount["name"]] += 1
        if mounts and (security(old).get("readOnlyRootFilesystem"), security(new).get("readOnlyRootFilesystem")) != (
            None,
            True,
        ):
            yield f"{name}: a new mount without a new read-only root"
    yield from (f"the new volume {name} has {count} mounts" for name, count in users.items() if count != 1)


def new_mounts_hide_nothing(before: Json, after: Json) -> Iterator[str]:
    """Semantics.md 3.4, 4.4 and 4.5, by cleaned paths: mounts, devices, working directory, log, programs."""
    for name, old, new in _pairs(before, after):
        own = [clean(row.get("mountPath") or "") for row in rows(old.get("volumeMounts"))]
        devices = [clean(row.get("devicePath") or "") for row in rows(old.get("volumeDevices"))]
        log = old.get("terminationMessagePath")
        new_paths = [clean(row.get("mountPath") or "") for row in _new_mounts(old, new)]
        folder = clean(old["workingDir"]) if old.get("workingDir") else None
        for path in new_paths:
            yield from (f"{name}: {path} hides the mount {other}" for other in own + devices if is_below(path, other))
            yield from (
                f"{name}: {path} lies in {other}" for other in new_paths if other != path and is_below(path, other)
            )
            if log and is_below(path, clean(log)) and clean(log) != "/":
                yield f"{name}: {path} cannot be a folder, since {log} is the termination log"
            # A word that is the path itself is an argument (`ls /tmp`), and a working directory there is a full one.
            needed = [program for program in _programs(old) if program != path] + ([folder] if folder else [])
            for target in needed:
                if is_below(target, path) and not any(is_below(target, mount) for mount in own):
                    yield f"{name}: {path} hides {target}"


def token_stays_away(before: Json, after: Json) -> Iterator[str]:
    """Semantics.md 1.3: field and volume together, never against the author, never one that is used otherwise."""
    was, now = (spec(pod).get("automountServiceAccountToken") for pod in (before, after))
    lost, _ = _aligned(rows(spec(before).get("volumes")), rows(spec(after).get("volumes")))
    lost_mounts = [row for _, old, new in _pairs(before, after) for row in _aligned(*_mounts(old, new))[0]]
    if (lost or lost_mounts) and (was is not None or now is not False):
        yield f"the token goes, and automountServiceAccountToken was {was} and is {now}"


def privileged_stays_as_it_is(before: Json, after: Json) -> Iterator[str]:
    """Trap 1."""
    for name, old, new in _pairs(before, after):
        if security(old).get("privileged") is True:
            changed = [field for field in _HELD_IF_PRIVILEGED if security(old).get(field) != security(new).get(field)]
            yield from (f"{name}: is privileged, and {field} is new" for field in changed)


def windows_gets_no_linux_field(before: Json, after: Json) -> Iterator[str]:
    """Semantics.md 3.2, traps 17 to 21: only the token and the resources."""
    if is_windows(before):
        for at, _, _ in differences(before, after):
            if at != ("spec", "automountServiceAccountToken") and "resources" not in at and not _is_provenance(at):
                yield f"{'.'.join(map(str, at))} is new on Windows"
        yield from (f"the volume {name} is new on Windows" for name in new_volumes(before, after))


def amounts_come_whole(before: Json, after: Json) -> Iterator[str]:
    """Design.md 3, resources: nothing beside a named amount, and traps 54, 60 and 85."""
    whole = table(spec(before).get("resources"))
    storage_limits = []
    for name, old, new in _pairs(before, after):
        named = {*_amounts(old, "requests"), *_amounts(old, "limits")}
        for field in ("requests", "limits"):
            gained = _gained(old, new, field)
            yield from (f"{name}: {field}.{resource} is new beside a named amount" for resource in gained & named)
            if gained and (whole.get("requests") or whole.get("limits")):
                yield f"{name}: {field} are new, and the pod has resources of its own"
        limit = amount(_amounts(new, "limits").get("memory", SMALLEST_MEMORY_LIMIT))
        if "memory" in _gained(old, new, "limits") and (limit is None or limit < Fraction(SMALLEST_MEMORY_LIMIT)):
            yield f"{name}: no container starts with so low a memory limit"
        storage_limits.append("ephemeral-storage" in _gained(old, new, "limits"))
    if any(storage_limits) and not all(storage_limits):
        yield "only some containers have a new limit on ephemeral-storage"


def autoscaler_hears_of_ours_only(before: Json, after: Json) -> Iterator[str]:
    """Semantics.md 4.5: our new volumes, after what was there, which is absent or made of our names only."""
    was, now = (annotations(pod).get(SAFE_TO_EVICT) for pod in (before, after))
    if was == now:
        return
    old_names = str(was).split(",") if was else []
    if not all(OUR_VOLUME.fullmatch(name) for name in old_names):
        yield f"{SAFE_TO_EVICT} was the author's {was!r}"
    new_names = str(now).split(",")
    if new_names[: len(old_names)] != old_names or set(new_names[len(old_names) :]) != set(new_volumes(before, after)):
        yield f"{SAFE_TO_EVICT} is {now!r}, and not the new volumes"


CHANGE: tuple[Callable[[Json, Json], Iterator[str]], ...] = (
    only_known_changes,
    lists_of_volumes_only_grow,
    new_volumes_are_private,
    new_mounts_hide_nothing,
    token_stays_away,
    privileged_stays_as_it_is,
    windows_gets_no_linux_field,
    amounts_come_whole,
    autoscaler_hears_of_ours_only,
    provenance_is_in_form,
)


def differences(before: Any, after: Any, at: At = ()) -> Iterator[Change]:
    """Each leaf that is not the same, in the order of the object; volumes and mounts have rules of their own."""
    if at[-1:] == ("volumeMounts",) and len(at) == 4 and at[1] in CONTAINER_LISTS:
        return
    if at == ("spec", "volumes"):
        return
    if isinstance(after, dict) and (before is None or isinstance(before, dict)):
        for key in {**(before or {}), **after}:
            yield from differences((before or {}).get(key), after.get(key), (*at, key))
    elif isinstance(after, list) and (before is None or isinstance(before, list)):
        old = before or []
        for index in range(max(len(old), len(after))):
            pair = (values[index] if index < len(values) else None for values in (old, after))
            yield from differences(*pair, (*at, index))
    elif type(before) is not type(after) or before != after:
        yield at, before, after


def new_volumes(before: Json, after: Json) -> dict[str, Json]:
    _, added = _aligned(rows(spec(before).get("volumes")), rows(spec(after).get("volumes")))
    return {str(volume.get("name")): volume for volume in added}


def _is_provenance(at: At) -> bool:
    """Whether it is an annotation of ours, which is always written anew, whoever wrote the old one."""
    return at[:-1] == ("metadata", "annotations") and at[-1] in PROVENANCE


def _is_known(at: At, value: Any) -> bool:
    if at[:1] == ("spec",) and at[1:2] and at[1] in CONTAINER_LISTS:
        match at[3:]:
            case ("securityContext", "seccompProfile", "type"):
                return value in ("RuntimeDefault", "Localhost")
            case ("securityContext", "seccompProfile", "localhostProfile"):
                return bool(value)
            case ("securityContext", "capabilities", "drop", _):
                return bool(value == "ALL")
            case ("securityContext", field):
                return field in _SECURITY_VALUES and value is _SECURITY_VALUES[field]
            case ("resources", "requests" | "limits", resource):
                return resource in _DEFAULTED_RESOURCES and isinstance(value, str) and (amount(value) or 0) > 0
        return False
    return (at == ("spec", "automountServiceAccountToken") and value is False) or at == (
        "metadata",
        "annotations",
        SAFE_TO_EVICT,
    )


def _programs(container: Json) -> Iterator[str]:
    """Clean paths that it is started or asked with; a relative program is looked for from the working directory."""
    hooks = [container.get(probe) for probe in ("livenessProbe", "readinessProbe", "startupProbe")]
    hooks += [table(container.get("lifecycle")).get(hook) for hook in ("postStart", "preStop")]
    lines = [table(table(hook).get("exec")).get("command") or [] for hook in hooks]
    lines += [container.get("command") or [], (container.get("args") or [])[:1]]
    folder = container.get("workingDir")
    for line in lines:
        for position, word in enumerate(line):
            if word and word.startswith("/"):
                yield clean(word)
            elif word and position == 0 and "/" in word and folder:
                yield clean(f"{folder}/{word}")


def _amounts(container: Json, field: str) -> Json:
    return table(table(container.get("resources")).get(field))


def _gained(old: Json, new: Json, field: str) -> set[str]:
    return set(_amounts(new, field)) - set(_amounts(old, field))


def _pairs(before: Json, after: Json) -> Iterator[tuple[str, Json, Json]]:
    for (name, old), (_, new) in zip(containers(before), containers(after), strict=False):
        yield name, old, new


def _mounts(old: Json, new: Json) -> tuple[list[Json], list[Json]]:
    return rows(old.get("volumeMounts")), rows(new.get("volumeMounts"))


def _new_mounts(old: Json, new: Json) -> list[Json]:
    return _aligned(*_mounts(old, new))[1]


def _paired_lists(before: Json, after: Json) -> Iterator[tuple[str, list[Json], list[Json]]]:
    yield "volumes", rows(spec(before).get("volumes")), rows(spec(after).get("volumes"))
    yield from ((f"{name}.volumeMounts", *_mounts(old, new)) for name, old, new in _pairs(before, after))


def _aligned(old: list[Json], new: list[Json]) -> tuple[list[Json], list[Json]]:
    """What the second list lacks of the first, and what it has after the rest of it."""
    lost, index = [], 0
    for row in old:
        if index < len(new) and new[index] == row:
            index += 1
        else:
            lost.append(row)
    return lost, new[index:]
