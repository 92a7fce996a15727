"""What hardening makes of a pod by what a row says is left alone: written from design.md 3, apart from the controls.

Names that differ from run to run are replaced by telling ones in what is expected and in what came: the suffix of the
injected token volume, and the names of hardener's volumes.
"""

import json
import re
from copy import deepcopy
from typing import Any

from tests.pod_json import (
    TOKEN_FOLDER,
    Json,
    annotations,
    clean,
    containers,
    effective,
    is_below,
    is_injected_token,
    rows,
    security,
    spec,
    table,
)
from tests.promised_changes import OUR_VOLUME, SAFE_TO_EVICT
from tests.provenance import without_provenance
from tests.traps.rows import Row

_RANDOM = re.compile(r"\b(kube-api-access-)[a-z0-9]{5}\b")
_DUMP = re.compile(r"Invalid value: (?:core\.\w+)?\{.*\}")


def compared(pod: Json, before: Json) -> Json:
    """The part of a pod that hardening may change, with names that can be compared; `before` has no volume of ours.

    What our annotations say of it is left out: `tests/provenance.py` reads them.
    """
    old = {volume.get("name") for volume in rows(spec(before).get("volumes"))}
    ours = {
        mount["name"]: our_name(str(container.get("name")), mount["mountPath"])
        for _, container in containers(pod)
        for mount in rows(container.get("volumeMounts"))
        if OUR_VOLUME.fullmatch(str(mount.get("name"))) and mount.get("name") not in old
    }
    text = json.dumps({"annotations": annotations(without_provenance(pod)), "spec": spec(pod)})
    for name, told in ours.items():
        text = text.replace(name, told)
    return json.loads(without_random(text))


def without_random(text: str) -> str:
    """A text without random suffixes, and a message without dumps of values: older versions put addresses into them."""
    return _DUMP.sub("Invalid value: {...}", _RANDOM.sub(r"\1xxxxx", text))


def our_name(container: str, path: str) -> str:
    """The name that stands for the one of our volume."""
    return f"ours:{container}:{path}"


def expected(before: Json, row: Row) -> Json:
    """The pod that `compared` should show, for a pod as it is without hardening."""
    pod = deepcopy(before)
    named = [(str(container.get("name")), container) for _, container in containers(pod)]
    new = [name for container, each in named for name in _harden(pod, container, each, row)]
    if not row.holds("", "automountServiceAccountToken"):
        _take_token(pod)
    told = annotations(pod).get(SAFE_TO_EVICT)
    if new:
        volumes = [{"name": name, "emptyDir": {}} for name in new]
        pod["spec"]["volumes"] = [*rows(pod["spec"].get("volumes")), *volumes]
        if not told:
            pod["metadata"]["annotations"] = {**annotations(pod), SAFE_TO_EVICT: ",".join(new)}
    return compared(pod, before)


def _harden(pod: Json, name: str, container: Json, row: Row) -> list[str]:
    """Do to a container what the controls for containers do; return the names of its new volumes."""
    wanted = {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "seccompProfile": {"type": "RuntimeDefault"},
        "readOnlyRootFilesystem": True,
    }
    is_written = security(container).get("readOnlyRootFilesystem") is None
    gained: Json = {
        field: value
        for field, value in wanted.items()
        if not row.holds(name, field) and effective(pod, container, field) is None
    }
    capabilities = table(security(container).get("capabilities"))
    dropped = capabilities.get("drop") or []
    if not row.holds(name, "capabilities") and "ALL" not in dropped:
        gained["capabilities"] = {**capabilities, "drop": [*dropped, "ALL"]}
    if gained:
        container["securityContext"] = {**security(container), **gained}
    if not row.holds(name, "resources"):
        _add_resources(name, container, row)
    if not is_written or row.holds(name, "readOnlyRootFilesystem"):
        return []
    return _add_mounts(name, container, row.writable_paths)


def _add_mounts(name: str, container: Json, paths: tuple[str, ...]) -> list[str]:
    taken = [clean(str(mount.get("mountPath"))) for mount in rows(container.get("volumeMounts"))]
    taken += [clean(str(device.get("devicePath"))) for device in rows(container.get("volumeDevices"))]
    free = [path for path in paths if not any(is_below(path, other) for other in taken)]
    mounts = [{"name": our_name(name, path), "mountPath": path} for path in free]
    if mounts:
        container["volumeMounts"] = [*rows(container.get("volumeMounts")), *mounts]
    return [mount["name"] for mount in mounts]


def _add_resources(name: str, container: Json, row: Row) -> None:
    resources = container["resources"] = deepcopy(table(container.get("resources")))
    named = {*table(resources.get("requests")), *table(resources.get("limits"))}
    for half, values in row.defaults.items():
        if half == "limits" and name in row.limits_held:
            continue
        for resource, value in values.items():
            if resource not in named and not row.holds(name, resource):
                resources.setdefault(half, {})[resource] = value
    # The API server asks for what is limited where nothing else is asked for (semantics.md 2.1).
    for resource, value in table(resources.get("limits")).items():
        resources.setdefault("requests", {}).setdefault(resource, value)


def _take_token(pod: Json) -> None:
    own = pod["spec"]
    if own.get("automountServiceAccountToken") is not None:
        return
    own["automountServiceAccountToken"] = False
    tokens = {volume["name"] for volume in rows(own.get("volumes")) if is_injected_token(volume)}
    for _, container in containers(pod):
        _keep(container, "volumeMounts", lambda row: row["name"] not in tokens or row["mountPath"] != TOKEN_FOLDER)
    _keep(own, "volumes", lambda row: row["name"] not in tokens)


def _keep(holder: Json, field: str, is_kept: Any) -> None:
    left = [row for row in rows(holder.get(field)) if is_kept(row)]
    holder.pop(field, None)
    if left:
        holder[field] = left


def differs(actual: Any, partial: Any, at: str = "") -> list[str]:
    """Where a value does not say what a partial one says: null is absent, an empty object is not looked at.

    Lists have the same length.
    """
    if isinstance(partial, dict):
        if not isinstance(actual, dict):
            return [f"{at} is {actual!r}"] if partial else []
        return [text for key, value in partial.items() for text in differs(actual.get(key), value, f"{at}.{key}")]
    if isinstance(partial, list):
        if not isinstance(actual, list) or len(actual) != len(partial):
            return [f"{at} is {actual!r}"]
        pairs = enumerate(zip(actual, partial, strict=True))
        return [text for index, (one, other) in pairs for text in differs(one, other, f"{at}[{index}]")]
    if type(actual) is type(partial) and actual == partial:
        return []
    return [f"{at} is {actual!r} and not {partial!r}"]
