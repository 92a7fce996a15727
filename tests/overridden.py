"""What a policy that says `explicit: override` may replace, and that all other explicit values are kept (design.md 3)."""

from collections.abc import Collection, Iterator
from copy import deepcopy
from typing import Any

from tests.pod_json import Json, annotations, containers, effective, security, spec, table

FLAGS = {"allowPrivilegeEscalation": True, "readOnlyRootFilesystem": False, "runAsNonRoot": False}
UNCONFINED = "Unconfined"


def effective_choices_are_kept(before: Json, after: Json, overriding: Collection[str]) -> Iterator[str]:
    """Semantics.md 5.1, traps 11, 12, 16, 26, 27: nothing on a container overrules what holds for it, but by override."""
    scc = str(annotations(before).get("openshift.io/scc") or "")
    for (name, old), (_, new) in zip(containers(before), containers(after), strict=False):
        changed = {
            field for field, value in security(new).items() if value is not None and value != security(old).get(field)
        }
        for field in changed & {"runAsNonRoot", "seccompProfile"}:
            was = effective(before, old, field)
            if was is not None and not (field in overriding and is_overridden(field, was)):
                yield f"{name}: {field} is new, and was {was} by what the container or its pod says"
        if "runAsNonRoot" in changed and spec(before).get("hostUsers") is False:
            yield f"{name}: runAsNonRoot is new in a user namespace"
        if "seccompProfile" in changed and scc and scc != "privileged" and not scc.endswith(("-v2", "-v3")):
            yield f"{name}: seccompProfile is new, and the SCC {scc} allows none"


def released(before: Json, after: Json, overriding: Collection[str]) -> Json:
    """The pod before, as if the author had never said what these controls then replaced by something."""
    if not overriding:
        return before
    before = deepcopy(before)
    for (_, old), (_, new) in zip(containers(before), containers(after), strict=False):
        own, now = security(old), security(new)
        for field in overriding:
            if is_overridden(field, own.get(field)) and now.get(field) not in (None, own[field]):
                del own[field]
    return before


def is_overridden(field: str, value: Any) -> bool:
    """Whether a value is one that the control of the same name overrides, if its policy says so."""
    if field == "seccompProfile":
        return bool(table(value).get("type") == UNCONFINED)
    return field in FLAGS and value is FLAGS[field]
