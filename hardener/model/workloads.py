"""The kinds that hold a pod template, and where it lies in them."""

from collections.abc import Mapping

POD = "Pod"

TEMPLATES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("", POD): (),
    ("", "PodTemplate"): ("template",),
    ("", "ReplicationController"): ("spec", "template"),
    ("apps", "Deployment"): ("spec", "template"),
    ("apps", "StatefulSet"): ("spec", "template"),
    ("apps", "DaemonSet"): ("spec", "template"),
    ("apps", "ReplicaSet"): ("spec", "template"),
    ("batch", "Job"): ("spec", "template"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
}
"""(API group, kind) to the path of the pod template; the empty path is the object itself."""

RETIRED_GROUPS = frozenset({"extensions"})
"""Groups that once served Deployments and their like; old files still name them."""


def template_path(api_version: str, kind: str) -> tuple[str, ...] | None:
    """Say where the pod template lies, or None for a kind that holds none."""
    group = api_version.rpartition("/")[0]
    if group in RETIRED_GROUPS:
        group = "apps"
    return TEMPLATES.get((group, kind))
