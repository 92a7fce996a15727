"""The workloads of a cluster: who owns the ReplicaSets and Jobs of pods, and the templates of those that have no pods."""

from typing import NamedTuple

import msgspec

from hardener.cluster.api_server import NOT_FOUND, ApiError, ApiServer
from hardener.cluster.listing import Listed
from hardener.model.workloads import Templates

METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"
"""For the header Accept: a list in which objects have nothing but their metadata."""


class Middle(NamedTuple):
    """A kind that stands between pods and the workload that people know; others than Kubernetes' own may own it too."""

    kind: str
    listed: Listed


MIDDLES = (
    Middle("ReplicaSet", Listed("replicasets", "/apis/apps/v1", "pods of Deployments stand under their ReplicaSets")),
    Middle("Job", Listed("jobs", "/apis/batch/v1", "pods of CronJobs stand under their Jobs")),
)

_WITHOUT = "those without pods are left out"


class Workload(NamedTuple):
    """A kind that people write, and that holds templates of pods."""

    group: str
    kind: str
    listed: Listed


WORKLOADS = (
    Workload("apps", "Deployment", Listed("deployments", "/apis/apps/v1", _WITHOUT)),
    Workload("apps", "StatefulSet", Listed("statefulsets", "/apis/apps/v1", _WITHOUT)),
    Workload("apps", "DaemonSet", Listed("daemonsets", "/apis/apps/v1", _WITHOUT)),
    Workload("batch", "CronJob", Listed("cronjobs", "/apis/batch/v1", _WITHOUT)),
)


class _OwnerReference(msgspec.Struct, gc=False):
    kind: str = ""
    name: str = ""
    controller: bool | None = None


class _Meta(msgspec.Struct, gc=False, rename="camel"):
    name: str
    namespace: str = ""
    owner_references: list[_OwnerReference] | None = None


class _Owned(msgspec.Struct, gc=False):
    metadata: _Meta


_OWNED = msgspec.json.Decoder(_Owned)


class Above(NamedTuple):
    """The controller of an object, and where the object is."""

    namespace: str
    name: str
    owner_kind: str
    owner_name: str


def above(raw: msgspec.Raw) -> Above | None:
    """Read who controls an object; None where nobody does. Raises msgspec.MsgspecError."""
    meta = _OWNED.decode(raw).metadata
    for owner in meta.owner_references or ():
        if owner.controller:
            return Above(meta.namespace, meta.name, owner.kind, owner.name)
    return None


class _Version(msgspec.Struct, rename="camel"):
    group_version: str


class _Group(msgspec.Struct, rename="camel"):
    """What an API group tells of itself."""

    preferred_version: _Version


class _Resource(msgspec.Struct):
    """A subresource has a slash in its name."""

    name: str
    kind: str


class _Resources(msgspec.Struct):
    """What a version of a group holds."""

    resources: list[_Resource]


async def custom_workloads(api: ApiServer, templates: Templates, problems: list[str]) -> list[Workload]:
    """The kinds that a configuration adds, as far as the cluster has them; what cannot be asked goes to the problems."""
    found: list[Workload] = []
    for group in sorted({group for group, _ in templates}):
        try:
            told = msgspec.json.decode(await api.get(f"/apis/{group}"), type=_Group)
            root = f"/apis/{told.preferred_version.group_version}"
            resources = msgspec.json.decode(await api.get(root), type=_Resources).resources
        except ApiError as error:
            if error.status != NOT_FOUND:
                problems.append(f"the kinds of {group} cannot be asked for ({error}): {_WITHOUT}")
        except msgspec.MsgspecError as error:
            problems.append(f"the kinds of {group} cannot be read ({error}): {_WITHOUT}")
        else:
            found += [
                Workload(group, each.kind, Listed(each.name, root, _WITHOUT))
                for each in resources
                if (group, each.kind) in templates and "/" not in each.name
            ]
    return found
