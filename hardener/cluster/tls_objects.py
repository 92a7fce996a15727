"""The Secret that holds certificates and keys, and the caBundles of the webhook configurations. Bytes in, bytes out."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from hardener.cluster.api_server import ApiServer
from hardener.cluster.objects import Object
from hardener.cluster.objects_by_name import ObjectByName

Kind = Literal["mutating", "validating"]
KINDS: tuple[Kind, ...] = ("mutating", "validating")

SECRET_TYPE = "Opaque"  # noqa: S105  the name of a type
"""That of a Secret that is made anew, and of the chart's; one that is there keeps its own, which cannot be changed."""


class SecretObject(Object):
    """A Secret; `data` is base64 on the wire."""

    data: dict[str, bytes] | None = None


class ClientConfig(msgspec.Struct, rename="camel"):
    """That of a webhook; of no interest is how it is reached."""

    ca_bundle: bytes | None = None


class Webhook(msgspec.Struct, rename="camel"):
    """One webhook of a configuration."""

    name: str
    client_config: ClientConfig = msgspec.field(default_factory=ClientConfig)


class ConfigurationObject(Object):
    """A MutatingWebhookConfiguration or ValidatingWebhookConfiguration."""

    webhooks: list[Webhook] | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What a Secret held when it was read; `version` is empty where there was no Secret."""

    version: str = ""
    data: Mapping[str, bytes] = field(default_factory=dict)


class TlsSecret:
    """A Secret. Needs the verbs get, watch and patch on it, and create in its namespace for one that was deleted."""

    def __init__(self, api: ApiServer, namespace: str, name: str) -> None:
        self.object = ObjectByName(api, f"/api/v1/namespaces/{namespace}/secrets", name, SecretObject)

    async def read(self) -> Stored:
        """Raises ApiError."""
        found = await self.object.read()
        return Stored() if found is None else Stored(found.metadata.resource_version, found.data or {})

    async def write(self, before: Stored, data: Mapping[str, bytes]) -> bool:
        """Set these keys and leave all else alone; False where it is not as it was before. Raises ApiError."""
        encoded = {key: _base64(value) for key, value in data.items()}
        if not before.version:
            return await self.object.create({"type": SECRET_TYPE, "data": encoded})
        return await self.object.change(before.version, {"data": encoded})


@dataclass(frozen=True, slots=True)
class Registered:
    """What a webhook configuration held when it was read: the caBundle of each webhook by its name."""

    version: str
    bundles: Mapping[str, bytes]


class WebhookConfiguration:
    """One webhook configuration. Needs the verbs get, watch and patch on it."""

    def __init__(self, api: ApiServer, kind: Kind, name: str) -> None:
        self.kind = kind
        collection = f"/apis/admissionregistration.k8s.io/v1/{kind}webhookconfigurations"
        self.object = ObjectByName(api, collection, name, ConfigurationObject)

    async def read(self) -> Registered | None:
        """None where there is none; raises ApiError."""
        found = await self.object.read()
        if found is None:
            return None
        bundles = {webhook.name: webhook.client_config.ca_bundle or b"" for webhook in found.webhooks or ()}
        return Registered(found.metadata.resource_version, bundles)

    async def write(self, before: Registered, bundles: Mapping[str, bytes]) -> bool:
        """Set the caBundle of these webhooks; False where the configuration is not as it was. Raises ApiError."""
        webhooks = [
            {"name": name, "clientConfig": {"caBundle": _base64(bundle)}} for name, bundle in sorted(bundles.items())
        ]
        return await self.object.change(before.version, {"webhooks": webhooks})


def _base64(value: bytes) -> str:
    return b64encode(value).decode()
