"""Keep the service account token out of pods that never asked for it.

Why: whoever breaks into a container can talk to the API server with the token that lies there.
Changes: `automountServiceAccountToken: false` on the pod; the token volume that the API server has already injected goes,
    with its mounts.
Opt out when: the program talks to the API server as the account `default`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from hardener.model import Container, Control, Facts, Finding, Pod, Skip, Write
from hardener.model.manifest import ContainerManifest, DownwardSource, Volume, VolumeMount

PATH = ("spec", "automountServiceAccountToken")
REASON = "the API server adds no token"
REASON_VOLUME = "the token that the API server injected"

EXPLICIT = "automountServiceAccountToken is explicitly true"
NAMED_ACCOUNT = "the pod names a service account"
UNKNOWN_ACCOUNT = "what the service account itself says is not known yet"
ACCOUNT_SAYS_TRUE = "the service account itself asks for its token"
USED = "the token volume is also used in another way"

Names = frozenset[str | None]
"""Names of the volumes that the API server injected."""

TOKEN_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105
_VOLUME_PREFIX = "kube-api-access-"
_ROOT_CA = "kube-root-ca.crt"
_CONFIG_MAPS = (_ROOT_CA, "openshift-service-ca.crt")


@dataclass(frozen=True, slots=True)
class Settings:
    """`serviceAccounts`: default leaves pods alone that name another account; all does not."""

    serviceAccounts: Literal["default", "all"] = "default"


def apply(pod: Pod, containers: Sequence[Container], settings: Settings, facts: Facts) -> Iterator[Finding]:
    """Both field and volume: without the field the API server would inject it again (semantics.md 1.3)."""
    explicit = pod.spec.automountServiceAccountToken
    if explicit is False or not containers:
        return
    injected = {index: volume.name for index, volume in enumerate(pod.spec.volumes or ()) if _is_injected(volume)}
    names = frozenset(injected.values())
    reason = EXPLICIT if explicit is True else _hold(pod, settings, facts, names)
    if reason:
        yield Skip(pod, reason)
        return
    yield Write(pod, PATH, False, REASON)
    if len(containers) == len(pod.containers):
        for index in injected:
            yield Write(pod, ("spec", "volumes", index), None, REASON_VOLUME, "remove")
    for container in containers if names else ():
        for position, mount in enumerate(container.manifest.volumeMounts or ()):
            if mount.name in names:
                yield Write(container, ("volumeMounts", position), None, REASON_VOLUME, "remove")


def _hold(pod: Pod, settings: Settings, facts: Facts, names: Names) -> str | None:
    account = pod.service_account
    if account != "default" and settings.serviceAccounts == "default":
        return NAMED_ACCOUNT
    if not facts.known:
        return UNKNOWN_ACCOUNT
    if account in facts.token_accounts:
        return ACCOUNT_SAYS_TRUE
    return USED if names and _is_used_otherwise(pod, names) else None


def _is_injected(volume: Volume) -> bool:
    """Tell the volume of the ServiceAccount plugin from what an author may call alike (semantics.md 1.3, item 4)."""
    if volume.projected is None or not (volume.name or "").startswith(_VOLUME_PREFIX):
        return False
    has_token = has_ca = False
    for source in volume.projected.sources or ():
        if source.serviceAccountToken is not None:
            has_token = True
            if source.serviceAccountToken.path != "token" or source.serviceAccountToken.audience:
                return False
        elif source.configMap is not None:
            has_ca = has_ca or source.configMap.name == _ROOT_CA
            if source.configMap.name not in _CONFIG_MAPS:
                return False
        elif not _is_namespace_file(source.downwardAPI):
            return False
    return has_token and has_ca


def _is_namespace_file(source: DownwardSource | None) -> bool:
    if source is None or not source.items:
        return False
    for item in source.items:
        if item.path != "namespace" or item.fieldRef is None or item.fieldRef.fieldPath != "metadata.namespace":
            return False
    return True


def _is_used_otherwise(pod: Pod, names: Names) -> bool:
    """Any reference but a plain mount at the usual folder is the author's own (semantics.md 1.3, item 5; trap 84)."""
    for container in pod.containers:
        if _refers(container.manifest, names, plain=True):
            return True
    debuggers = pod.spec.ephemeralContainers
    return bool(debuggers) and any(_refers(container, names, plain=False) for container in debuggers or ())


def _refers(container: ContainerManifest, names: Names, *, plain: bool) -> bool:
    for mount in container.volumeMounts or ():
        if mount.name in names and not (plain and _is_plain(mount)):
            return True
    for variable in container.env or ():
        source = variable.valueFrom
        if source is not None and source.fileKeyRef is not None and source.fileKeyRef.volumeName in names:
            return True
    return False


def _is_plain(mount: VolumeMount) -> bool:
    return mount.mountPath == TOKEN_FOLDER and not mount.subPath and not mount.subPathExpr


CONTROL = Control(apply, Settings, holds=(EXPLICIT, NAMED_ACCOUNT, UNKNOWN_ACCOUNT, ACCOUNT_SAYS_TRUE, USED))
