"""A pod as plain JSON: what it says and what is effective, read independently of `hardener.model`.

Null is read as absent, and what has another shape than the API's is read as empty. Sources: semantics.md 1.3, 3 and 5.1.
"""

import posixpath
import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

Json = dict[str, Any]

ANNOTATIONS_LIMIT = 262_144
CONTAINER_LISTS = ("containers", "initContainers")
TOKEN_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"

_OS_LABELS = ("kubernetes.io/os", "beta.kubernetes.io/os")
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([numkMGTPE]?)|([KMGTPE])i|[eE]([+-]?\d{1,3}))", re.ASCII)
_DECIMAL = {suffix: Fraction(10) ** power for suffix, power in zip("num kMGTPE", range(-9, 21, 3), strict=True)}
_DECIMAL[""] = _DECIMAL.pop(" ")


def amount(value: Any) -> Fraction | None:
    """A quantity exactly, null being zero (semantics.md 3.5 and 9.4); None for what is no quantity."""
    if value is None:
        return Fraction(0)
    match = _QUANTITY.fullmatch(str(value))
    if match is None or isinstance(value, bool):
        return None
    number, suffix, binary, exponent = match.groups()
    factor = Fraction(1024) ** ("KMGTPE".index(binary) + 1) if binary else Fraction(10) ** int(exponent or 0)
    return Fraction(Decimal(number)) * factor * _DECIMAL[suffix or ""]


def clean(path: str) -> str:
    """The path as the kubelet and the runtime see it (semantics.md 3.4)."""
    return "/" + posixpath.normpath("/" + path).lstrip("/")


def is_below(path: str, folder: str) -> bool:
    """Whether the first clean path is the second one or lies in it."""
    return folder in ("/", path) or path.startswith(folder + "/")


def table(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[Json]:
    return [table(row) for row in value] if isinstance(value, list) else []


def spec(pod: Json) -> Json:
    return table(pod.get("spec"))


def annotations(pod: Json) -> Json:
    return table(table(pod.get("metadata")).get("annotations"))


def annotation_bytes(pod: Json) -> int:
    """What counts against `ANNOTATIONS_LIMIT`: keys and values in UTF-8 (semantics.md 3.7, `ValidateAnnotationsSize`)."""
    return sum(len(str(text or "").encode()) for pair in annotations(pod).items() for text in pair)


def containers(pod: Json, *lists: str) -> Iterator[tuple[str, Json]]:
    """Each container with a name for messages that stays the same when a list around it changes."""
    for field in lists or CONTAINER_LISTS:
        for index, container in enumerate(rows(spec(pod).get(field))):
            yield f"{field}[{index}]", container


def security(holder: Json) -> Json:
    return table(holder.get("securityContext"))


def effective(pod: Json, container: Json, field: str) -> Any:
    """Container over pod (semantics.md 5.1)."""
    own = security(container).get(field)
    return security(spec(pod)).get(field) if own is None else own


def capability_names(container: Json, field: str) -> set[str]:
    names = table(security(container).get("capabilities")).get(field)
    return {str(name or "").upper().removeprefix("CAP_") for name in names or ()}


def is_windows(pod: Json) -> bool:
    """Semantics.md 3.2: the operating system, a node selector, a required affinity, or any Windows option."""
    own = spec(pod)
    if table(own.get("os")).get("name") == "windows" or security(own).get("windowsOptions") is not None:
        return True
    if any(security(container).get("windowsOptions") is not None for _, container in containers(pod)):
        return True
    if any(table(own.get("nodeSelector")).get(label) == "windows" for label in _OS_LABELS):
        return True
    affinity = table(table(own.get("affinity")).get("nodeAffinity"))
    terms = rows(table(affinity.get("requiredDuringSchedulingIgnoredDuringExecution")).get("nodeSelectorTerms"))
    wanted = [
        any(
            rule.get("key") in _OS_LABELS and rule.get("operator") == "In" and rule.get("values") == ["windows"]
            for rule in rows(term.get("matchExpressions"))
        )
        for term in terms
    ]
    return bool(wanted) and all(wanted)


def is_injected_token(volume: Json) -> bool:
    """Semantics.md 1.3, item 4."""
    sources = rows(table(volume.get("projected")).get("sources"))
    tokens = [table(source["serviceAccountToken"]) for source in sources if source.get("serviceAccountToken")]
    maps = [table(source["configMap"]).get("name") for source in sources if source.get("configMap")]
    others = [source for source in sources if not source.get("serviceAccountToken") and not source.get("configMap")]
    return (
        str(volume.get("name")).startswith("kube-api-access-")
        and bool(tokens)
        and all(token.get("path") == "token" and not token.get("audience") for token in tokens)
        and "kube-root-ca.crt" in maps
        and {*maps} <= {"kube-root-ca.crt", "openshift-service-ca.crt"}
        and all(
            [item.get("path") for item in rows(table(source.get("downwardAPI")).get("items"))] == ["namespace"]
            for source in others
        )
    )
