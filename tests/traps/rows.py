"""The traps of semantics.md 8 that one pod can show, as tables: the pod, what hardening leaves alone, naive patches.

The tables are read twice: by `test_tables.py` with the API server's part played by `tests/admission_chain.py`, and by
`tests/e2e/traps` on a real API server, which judges the naive patches as well.
"""

from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import yaml

from tests.pod_json import Json, table
from tests.pods import complete

FOLDER = Path(__file__).parent / "tables"
EVERYTHING = "everything"

_RESOURCES: Json = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "1Gi"}}
_WRITABLE_PATHS = ("/tmp",)


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the API server answers: the HTTP status, and the whole message as `expectation.without_random` shows it."""

    status: int
    message: str


class Naive(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The patch that one would send without knowing of the trap, and what comes of it: one of the two."""

    patch: list[Json]
    refused: Refusal | None = None
    accepted: Json | None = None
    """What the pod then says, in part: null is absent, an empty object is not looked at."""
    seen_by: str = ""
    """Who meets the harm of an accepted patch, and how; empty where it can be read in the pod."""


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One pod of a trap."""

    trap: int
    feature: str
    pod: Json
    """As in a file; apiVersion, kind and a name may be missing."""
    needs: list[Json] = []
    """Objects that the API server asks for before it accepts the pod."""
    policy: dict[str, Json] = {}
    """Settings of controls, where they are not the standard policy's. The rows of one trap have at most one policy."""
    since: int = 0
    """The first minor version of Kubernetes 1 in which the API server reads all fields of the pod."""
    held: dict[str, str] = {}
    """Container, or `pod` for all of it, to the controls that leave it alone; a resource's name holds that default."""
    limits_held: list[str] = []
    """Containers that get default requests without limits."""
    refused: Refusal | None = None
    """For a pod that the API server refuses, with and without hardening."""
    naive: list[Naive] = []

    def __str__(self) -> str:
        return f"{self.trap:02} {self.feature}"

    @property
    def document(self) -> Json:
        """The pod, without a namespace."""
        pod = complete(self.pod)
        return {**pod, "metadata": {key: value for key, value in pod["metadata"].items() if key != "namespace"}}

    @property
    def namespace(self) -> str:
        """A namespace that has the row's policy by `configuration()`."""
        return f"trap-{self.trap:02}" if self.policy else "traps"

    @property
    def defaults(self) -> Json:
        """The requests and limits of the row's policy."""
        changed = table(self.policy.get("resources"))
        return {half: {**_RESOURCES[half], **table(changed.get(half))} for half in _RESOURCES}

    @property
    def writable_paths(self) -> tuple[str, ...]:
        return tuple(table(self.policy.get("readOnlyRootFilesystem")).get("writablePaths") or _WRITABLE_PATHS)

    def holds(self, container: str, control: str) -> bool:
        """Whether the row says that a control leaves a container alone."""
        words = f"{self.held.get('pod', '')} {self.held.get(container, '')}".split()
        return control in words or EVERYTHING in words


@cache
def rows() -> tuple[Row, ...]:
    """All rows of all tables, by trap."""
    found = [
        row
        for file in sorted(FOLDER.glob("*.yaml"))
        for row in msgspec.convert(yaml.safe_load(file.read_text("utf-8")), list[Row])
    ]
    return tuple(sorted(found, key=lambda row: row.trap))


def configuration() -> str:
    """A configuration file for hardener with the policy of each row for the namespace of the row."""
    policies = {row.namespace: {"controls": row.policy} for row in rows() if row.policy}
    document: dict[str, Any] = {
        "apiVersion": "hardener.dev/v1",
        "kind": "HardenerConfig",
        "policies": policies,
        "namespaces": [{"names": [name], "policy": name} for name in policies],
        "default": "standard",
    }
    return yaml.safe_dump(document, sort_keys=False)
