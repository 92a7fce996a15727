"""The promises of design.md 1, checked on a pod's JSON before and after, independently of the controls.

`broken(before, after)` lists what does not hold. A rule about one pod (`ALONE`) counts only where the pod broke it less
often before, since nobody promised to mend a pod; a rule about the change itself (`CHANGE`) always counts. The rules come
from semantics.md 3, 4, 5 and 8 and design.md 3 and 4; null is read as absent. What needs a cluster or an image cannot be
seen.
"""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from fractions import Fraction

from tests.overridden import effective_choices_are_kept, released
from tests.pod_json import (
    ANNOTATIONS_LIMIT,
    CONTAINER_LISTS,
    Json,
    amount,
    annotation_bytes,
    annotations,
    capability_names,
    containers,
    effective,
    rows,
    security,
    spec,
    table,
)
from tests.promised_changes import CHANGE

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_POD_SECCOMP = "seccomp.security.alpha.kubernetes.io/pod"
_CONTAINER_SECCOMP = "container.seccomp.security.alpha.kubernetes.io/"
_ONLY_LINUX = {
    "pod": "appArmorProfile seLinuxOptions seccompProfile fsGroup fsGroupChangePolicy sysctls runAsUser runAsGroup"
    " supplementalGroups supplementalGroupsPolicy seLinuxChangePolicy",
    "container": "appArmorProfile seLinuxOptions seccompProfile capabilities readOnlyRootFilesystem privileged"
    " allowPrivilegeEscalation procMount runAsUser runAsGroup",
    "spec": "hostUsers hostPID hostIPC shareProcessNamespace resources",
}


def broken(before: Json, after: Json, overriding: Collection[str] = ()) -> list[str]:
    """Every promise that the step from `before` to `after` breaks, as sentences; empty if all hold.

    `overriding` are the controls whose policy says `explicit: override`.
    """
    found = [
        f"{rule.__name__}: {text}"
        for rule in ALONE
        for text in (Counter(rule(after)) - Counter(rule(before))).elements()
    ]
    kept = effective_choices_are_kept(before, after, overriding)
    found += [f"{effective_choices_are_kept.__name__}: {text}" for text in kept]
    silent = released(before, after, overriding)
    return found + [f"{rule.__name__}: {text}" for rule in CHANGE for text in rule(silent, after)]


def root_is_not_refused(pod: Json) -> Iterator[str]:
    """Semantics.md 4.1 and 4.6."""
    for name, container in containers(pod):
        options = {
            **table(security(spec(pod)).get("windowsOptions")),
            **table(security(container).get("windowsOptions")),
        }
        is_administrator = str(options.get("runAsUserName")).lower() == "containeradministrator"
        if effective(pod, container, "runAsNonRoot") is True:
            if effective(pod, container, "runAsUser") == 0:
                yield f"{name}: runAsNonRoot is true and runAsUser is 0"
            if is_administrator:
                yield f"{name}: runAsNonRoot is true and runAsUserName is ContainerAdministrator"


def escalation_fits_privileges(pod: Json) -> Iterator[str]:
    """Semantics.md 3.1."""
    for name, container in containers(pod):
        if security(container).get("allowPrivilegeEscalation") is False:
            if security(container).get("privileged") is True:
                yield f"{name}: allowPrivilegeEscalation is false and privileged is true"
            if capability_names(container, "add") & {"SYS_ADMIN", "ALL"}:
                yield f"{name}: allowPrivilegeEscalation is false beside an added SYS_ADMIN or ALL"


def added_capabilities_last(pod: Json) -> Iterator[str]:
    """Semantics.md 4.2: drop ALL beside add ALL leaves nothing."""
    for name, container in containers(pod):
        if "ALL" in capability_names(container, "drop") and "ALL" in capability_names(container, "add"):
            yield f"{name}: capabilities both adds and drops ALL"


def windows_has_no_linux_field(pod: Json) -> Iterator[str]:
    """Semantics.md 3.2, `validateWindows`; false counts as set."""
    if table(spec(pod).get("os")).get("name") != "windows":
        return
    holders = [("spec", spec(pod), "spec"), ("pod", security(spec(pod)), "pod")]
    holders += [(name, security(container), "container") for name, container in containers(pod)]
    for name, holder, level in holders:
        yield from (
            f"{name}: {field} on Windows" for field in _ONLY_LINUX[level].split() if holder.get(field) is not None
        )


def seccomp_is_consistent(pod: Json) -> Iterator[str]:
    """Semantics.md 3.3: a whole profile, and the same one as the old annotation on its level."""
    levels = [("pod", security(spec(pod)), _POD_SECCOMP)]
    levels += [(n, security(c), _CONTAINER_SECCOMP + str(c.get("name") or "")) for n, c in containers(pod)]
    for name, holder, key in levels:
        profile = holder.get("seccompProfile")
        if profile is None:
            continue
        kind, path = table(profile).get("type"), table(profile).get("localhostProfile")
        fitting = {
            "RuntimeDefault": ("runtime/default", "docker/default"),
            "Unconfined": ("unconfined",),
            "Localhost": (f"localhost/{path}",),
        }
        if kind not in fitting or (kind == "Localhost") != bool(path):
            yield f"{name}: seccompProfile is no whole profile"
        elif annotations(pod).get(key) not in (None, *fitting[kind]):
            yield f"{name}: seccompProfile and the annotation {key} differ"


def requests_fit_limits(pod: Json) -> Iterator[str]:
    """Semantics.md 3.5: by exact value, per resource; the pod's own resources bound the containers'."""
    whole = table(spec(pod).get("resources"))
    for name, holder in [("pod", spec(pod)), *containers(pod)]:
        for resource in table(table(holder.get("resources")).get("limits")):
            limit, request = _quantity(holder, "limits", resource), _quantity(holder, "requests", resource)
            most = _quantity(spec(pod), "limits", resource)
            if limit is not None and request is not None and request > limit:
                yield f"{name}: the request for {resource} is above its limit"
            if limit is not None and most is not None and limit > most:
                yield f"{name}: the limit of {resource} is above the pod's"
    for resource, value in table(whole.get("requests")).items():
        allowed = amount(value)
        if allowed is not None and _sum_of_requests(pod, resource) > allowed:
            yield f"pod: the containers request more {resource} than the pod"


def volumes_have_names(pod: Json) -> Iterator[str]:
    """Semantics.md 3.4: DNS-1123 labels, each used once."""
    names = [str(volume.get("name") or "") for volume in rows(spec(pod).get("volumes"))]
    yield from (f"the volume name {name!r} is no DNS-1123 label" for name in names if not _LABEL.fullmatch(name))
    yield from (f"another volume is named {name!r}" for name, count in Counter(names).items() for _ in range(count - 1))


def references_name_volumes(pod: Json) -> Iterator[str]:
    """Semantics.md 3.4: mounts, devices and keys of files, in all three lists of containers."""
    volumes = rows(spec(pod).get("volumes"))
    names = {volume.get("name") for volume in volumes}
    blocks = {volume.get("name") for volume in volumes if {"persistentVolumeClaim", "ephemeral"} & set(volume)}
    for name, container in containers(pod, *CONTAINER_LISTS, "ephemeralContainers"):
        used = [row.get("name") for row in rows(container.get("volumeMounts"))]
        keys = [table(table(row.get("valueFrom")).get("fileKeyRef")) for row in rows(container.get("env"))]
        used += [key["volumeName"] for key in keys if key.get("volumeName")]
        devices = [row.get("name") for row in rows(container.get("volumeDevices"))]
        yield from (f"{name}: no volume is named {volume!r}" for volume in used if volume not in names)
        yield from (f"{name}: no block volume is named {volume!r}" for volume in devices if volume not in blocks)


def mount_paths_are_unique(pod: Json) -> Iterator[str]:
    """Semantics.md 3.4: by exact string, devices included."""
    for name, container in containers(pod):
        paths = [row.get("mountPath") or "" for row in rows(container.get("volumeMounts"))]
        paths += [row.get("devicePath") or "" for row in rows(container.get("volumeDevices"))]
        yield from (
            f"{name}: {path!r} is mounted again" for path, count in Counter(paths).items() for _ in range(count - 1)
        )


def annotations_fit(pod: Json) -> Iterator[str]:
    """Semantics.md 3.7, `ValidateAnnotationsSize`."""
    if annotation_bytes(pod) > ANNOTATIONS_LIMIT:
        yield f"the annotations are over {ANNOTATIONS_LIMIT} bytes"


def _quantity(holder: Json, field: str, resource: str) -> Fraction | None:
    """A request that is not named is the limit (semantics.md 2.1)."""
    resources = table(holder.get("resources"))
    named = table(resources.get(field))
    if resource not in named and field == "requests":
        named = table(resources.get("limits"))
    return amount(named[resource]) if resource in named else None


def _sum_of_requests(pod: Json, resource: str) -> Fraction:
    """App containers and sidecars together, or one init container beside the sidecars before it."""
    sidecars = highest = Fraction(0)
    for _, container in containers(pod, "initContainers"):
        own = _quantity(container, "requests", resource) or Fraction(0)
        if container.get("restartPolicy") == "Always":
            sidecars += own
            highest = max(highest, sidecars)
        else:
            highest = max(highest, sidecars + own)
    apps = (_quantity(container, "requests", resource) or Fraction(0) for _, container in containers(pod, "containers"))
    return max(sidecars + sum(apps), highest)


ALONE: tuple[Callable[[Json], Iterator[str]], ...] = (
    root_is_not_refused,
    escalation_fits_privileges,
    added_capabilities_last,
    windows_has_no_linux_field,
    seccomp_is_consistent,
    requests_fit_limits,
    volumes_have_names,
    references_name_volumes,
    mount_paths_are_unique,
    annotations_fit,
)
