"""The fields of a Pod that the Pod Security Standards speak of, shaped as the API server sends them.

Most of them mean nothing to a control, and the structs of `hardener.model.manifest` are filled for every request: what is
read only for a report does not belong there (docs/decisions/0016-the-standards-are-decided-again.md).
"""

from collections.abc import Mapping

from hardener.model.manifest import OS, Capabilities, Manifest
from hardener.model.shape import shaped

Source = dict[str, object]
"""What a volume is made of; only that it is there counts."""


class Target(Manifest):
    host: str | None = None


class Handler(Manifest):
    """A probe or a lifecycle hook."""

    httpGet: Target | None = None
    tcpSocket: Target | None = None


class Lifecycle(Manifest):
    postStart: Handler | None = None
    preStop: Handler | None = None


class Profile(Manifest):
    """Of seccomp or AppArmor."""

    type: str | None = None


class SELinuxOptions(Manifest):
    user: str | None = None
    role: str | None = None
    type: str | None = None


class WindowsOptions(Manifest):
    hostProcess: bool | None = None


class Security(Manifest):
    """What the security contexts of pods and containers have in common."""

    runAsUser: int | None = None
    runAsNonRoot: bool | None = None
    seccompProfile: Profile | None = None
    appArmorProfile: Profile | None = None
    seLinuxOptions: SELinuxOptions | None = None
    windowsOptions: WindowsOptions | None = None


class SecurityContext(Security):
    """A container's security context."""

    privileged: bool | None = None
    allowPrivilegeEscalation: bool | None = None
    capabilities: Capabilities | None = None
    procMount: str | None = None


class Sysctl(Manifest):
    name: str | None = None


class PodSecurityContext(Security):
    sysctls: list[Sysctl] | None = None


class Port(Manifest):
    containerPort: int | None = None
    hostPort: int | None = None


class ContainerManifest(Manifest):
    name: str | None = None
    ports: list[Port] | None = None
    livenessProbe: Handler | None = None
    readinessProbe: Handler | None = None
    startupProbe: Handler | None = None
    lifecycle: Lifecycle | None = None
    securityContext: SecurityContext | None = None


class Volume(Manifest):
    """The sources are all that Kubernetes 1.36 knows; it drops others while decoding, as it does any unknown field."""

    name: str | None = None
    awsElasticBlockStore: Source | None = None
    azureDisk: Source | None = None
    azureFile: Source | None = None
    cephfs: Source | None = None
    cinder: Source | None = None
    configMap: Source | None = None
    csi: Source | None = None
    downwardAPI: Source | None = None
    emptyDir: Source | None = None
    ephemeral: Source | None = None
    fc: Source | None = None
    flexVolume: Source | None = None
    flocker: Source | None = None
    gcePersistentDisk: Source | None = None
    gitRepo: Source | None = None
    glusterfs: Source | None = None
    hostPath: Source | None = None
    image: Source | None = None
    iscsi: Source | None = None
    nfs: Source | None = None
    persistentVolumeClaim: Source | None = None
    photonPersistentDisk: Source | None = None
    portworxVolume: Source | None = None
    projected: Source | None = None
    quobyte: Source | None = None
    rbd: Source | None = None
    scaleIO: Source | None = None
    secret: Source | None = None
    storageos: Source | None = None
    vsphereVolume: Source | None = None


class PodSpec(Manifest):
    containers: list[ContainerManifest] | None = None
    initContainers: list[ContainerManifest] | None = None
    ephemeralContainers: list[ContainerManifest] | None = None
    volumes: list[Volume] | None = None
    securityContext: PodSecurityContext | None = None
    hostNetwork: bool | None = None
    hostPID: bool | None = None
    hostIPC: bool | None = None
    hostUsers: bool | None = None
    os: OS | None = None


class ObjectMeta(Manifest):
    annotations: dict[str, str | None] | None = None


class PodManifest(Manifest):
    """A Pod or a pod template."""

    metadata: ObjectMeta | None = None
    spec: PodSpec | None = None


def read(pod: Mapping[str, object]) -> PodManifest:
    """Raise MisfitError, with the path that leads from the pod, where it has another shape than the API server wants."""
    return shaped(pod, PodManifest)
