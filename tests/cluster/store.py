"""What an API server stores of certificates: one Secret and two webhook configurations, by their paths."""

import base64
import copy
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

NAMESPACE, SECRET_NAME, CONFIGURATION_NAME = "hardener-system", "hardener-tls", "zz-hardener"
SECRET = f"/api/v1/namespaces/{NAMESPACE}/secrets/{SECRET_NAME}"
MUTATING, VALIDATING = CONFIGURATIONS = tuple(
    f"/apis/admissionregistration.k8s.io/v1/{kind}webhookconfigurations/{CONFIGURATION_NAME}"
    for kind in ("mutating", "validating")
)

Json = dict[str, Any]


class Store:
    """Objects with resourceVersions, and the time; a write under another resourceVersion is a conflict.

    `listeners` are told of every change: ADDED, MODIFIED or DELETED, the path, and the object.
    """

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now or datetime.now(UTC)
        self.objects: dict[str, Json] = {}
        self.version = 100
        self.bundles: list[tuple[datetime, frozenset[bytes]]] = []
        """Every state of the caBundles, and from when on."""
        self.listeners: list[Callable[[str, str, Json], None]] = []

    def put(self, path: str, **fields: Any) -> None:
        """Make an object, or replace all but its metadata."""
        kind = "MODIFIED" if path in self.objects else "ADDED"
        self.version += 1
        metadata = self.objects.get(path, {}).get("metadata", {}) | fields.pop("metadata", {})
        metadata |= {"name": path.rpartition("/")[2], "resourceVersion": str(self.version)}
        self.objects[path] = {**copy.deepcopy(fields), "metadata": metadata}
        if path in CONFIGURATIONS:
            self.bundles.append((self.now, frozenset(self.live_bundles())))
        self._tell(kind, path, self.objects[path])

    def delete(self, path: str) -> None:
        if path in self.objects:
            self._tell("DELETED", path, self.objects.pop(path))

    def install(self, *webhooks: str) -> None:
        """An empty Secret, and both configurations with these webhooks, without any trust."""
        self.put(SECRET, type="Opaque")
        for path in CONFIGURATIONS:
            self.put(path, webhooks=[{"name": name, "clientConfig": {"url": "https://a"}} for name in webhooks or "a"])

    def data(self) -> dict[str, bytes]:
        """What the Secret holds."""
        data = self.objects.get(SECRET, {}).get("data") or {}
        return {key: base64.b64decode(value) for key, value in data.items()}

    def set_data(self, data: Mapping[str, bytes]) -> None:
        encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
        self.put(SECRET, type="Opaque", data=encoded)

    def live_bundles(self) -> list[bytes]:
        """The caBundle of every webhook, mutating first."""
        webhooks = (each for path in CONFIGURATIONS for each in self.objects.get(path, {}).get("webhooks", ()))
        return [base64.b64decode(each["clientConfig"].get("caBundle") or "") for each in webhooks]

    def set_bundle(self, path: str, bundle: bytes) -> None:
        """Give all webhooks of a configuration this caBundle."""
        encoded = base64.b64encode(bundle).decode()
        webhooks = [
            {**each, "clientConfig": {**each["clientConfig"], "caBundle": encoded}}
            for each in self.objects[path]["webhooks"]
        ]
        self.put(path, webhooks=webhooks)

    def bundles_at(self, moment: datetime) -> frozenset[bytes]:
        """The caBundles as they were then."""
        return next((bundles for since, bundles in reversed(self.bundles) if since <= moment), frozenset())

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Json]:
        """Status and body for GET, POST to a collection, and a strategic merge PATCH."""
        if method == "POST":
            path = f"{path}/{body['metadata']['name']}"
            if path in self.objects:
                return 409, {"message": f"{path} already exists"}
            self.put(path, **body)
            return 201, self.objects[path]
        if path not in self.objects:
            return 404, {"message": f"{path} not found"}
        if method == "PATCH":
            found = self.objects[path]
            if body["metadata"]["resourceVersion"] != found["metadata"]["resourceVersion"]:
                return 409, {"message": "the object has been modified"}
            self.put(path, **_merged(found, body))
        return 200, self.objects[path]

    def _tell(self, kind: str, path: str, item: Json) -> None:
        for listener in list(self.listeners):
            listener(kind, path, item)


def _merged(before: Json, patch: Json) -> Json:
    """Data are merged by key, webhooks by name, and fields of each."""
    after = {key: value for key, value in before.items() if key != "metadata"}
    if "data" in patch:
        after["data"] = {**(before.get("data") or {}), **patch["data"]}
    if "webhooks" in patch:
        changes = {each["name"]: each["clientConfig"] for each in patch["webhooks"]}
        after["webhooks"] = [
            {**each, "clientConfig": {**each["clientConfig"], **changes.get(each["name"], {})}}
            for each in before["webhooks"]
        ]
    return after
