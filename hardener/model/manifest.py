"""The fields of a Pod that hardener reads, shaped as the API server sends them.

Each struct is partial: what no control reads is skipped while decoding and never leaves the bytes. Every field may be
absent or null, since admission comes before validation (semantics.md 1.1) and templates are read from files as well.
Attributes carry the API's own names, so that a path of keys leads through them unchanged.
"""

import msgspec

QuantityValue = str | int | float | None
"""A quantity as JSON holds it; the decoder of the API server takes numbers too (semantics.md 3.5)."""

Resources = dict[str, QuantityValue]


class Manifest(msgspec.Struct, eq=False, gc=False):
    """What all the structs here share: read and never written, compared by identity, and free of reference cycles."""


class Exec(Manifest):
    command: list[str | None] | None = None


class Probe(Manifest):
    exec: Exec | None = None


class Lifecycle(Manifest):
    postStart: Probe | None = None
    preStop: Probe | None = None


class Capabilities(Manifest):
    add: list[str | None] | None = None
    drop: list[str | None] | None = None


class SeccompProfile(Manifest):
    type: str | None = None
    localhostProfile: str | None = None


class SecurityContext(Manifest):
    """A container's security context."""

    privileged: bool | None = None
    runAsUser: int | None = None
    runAsNonRoot: bool | None = None
    allowPrivilegeEscalation: bool | None = None
    readOnlyRootFilesystem: bool | None = None
    capabilities: Capabilities | None = None
    seccompProfile: SeccompProfile | None = None
    windowsOptions: dict[str, object] | None = None


class PodSecurityContext(Manifest):
    runAsUser: int | None = None
    runAsNonRoot: bool | None = None
    seccompProfile: SeccompProfile | None = None
    windowsOptions: dict[str, object] | None = None


class FileKeyRef(Manifest):
    volumeName: str | None = None


class EnvVarSource(Manifest):
    fileKeyRef: FileKeyRef | None = None


class EnvVar(Manifest):
    valueFrom: EnvVarSource | None = None


class VolumeMount(Manifest):
    name: str | None = None
    mountPath: str | None = None
    subPath: str | None = None
    subPathExpr: str | None = None


class VolumeDevice(Manifest):
    devicePath: str | None = None


class ResourceRequirements(Manifest):
    requests: Resources | None = None
    limits: Resources | None = None
    claims: list[object] | None = None


class ContainerManifest(Manifest):
    name: str | None = None
    image: str | None = None
    command: list[str | None] | None = None
    args: list[str | None] | None = None
    workingDir: str | None = None
    env: list[EnvVar] | None = None
    resources: ResourceRequirements | None = None
    volumeMounts: list[VolumeMount] | None = None
    volumeDevices: list[VolumeDevice] | None = None
    livenessProbe: Probe | None = None
    readinessProbe: Probe | None = None
    startupProbe: Probe | None = None
    lifecycle: Lifecycle | None = None
    terminationMessagePath: str | None = None
    restartPolicy: str | None = None
    securityContext: SecurityContext | None = None


class TokenSource(Manifest):
    path: str | None = None
    audience: str | None = None


class ConfigMapSource(Manifest):
    name: str | None = None


class FieldRef(Manifest):
    fieldPath: str | None = None


class DownwardItem(Manifest):
    path: str | None = None
    fieldRef: FieldRef | None = None


class DownwardSource(Manifest):
    items: list[DownwardItem] | None = None


class ProjectedSource(Manifest):
    serviceAccountToken: TokenSource | None = None
    configMap: ConfigMapSource | None = None
    downwardAPI: DownwardSource | None = None


class Projected(Manifest):
    sources: list[ProjectedSource] | None = None


class Volume(Manifest):
    name: str | None = None
    hostPath: dict[str, object] | None = None
    projected: Projected | None = None


class NodeSelectorRequirement(Manifest):
    key: str | None = None
    operator: str | None = None
    values: list[str | None] | None = None


class NodeSelectorTerm(Manifest):
    matchExpressions: list[NodeSelectorRequirement] | None = None


class NodeSelector(Manifest):
    nodeSelectorTerms: list[NodeSelectorTerm] | None = None


class NodeAffinity(Manifest):
    requiredDuringSchedulingIgnoredDuringExecution: NodeSelector | None = None


class Affinity(Manifest):
    nodeAffinity: NodeAffinity | None = None


class OS(Manifest):
    name: str | None = None


class PodSpec(Manifest):
    containers: list[ContainerManifest] | None = None
    initContainers: list[ContainerManifest] | None = None
    ephemeralContainers: list[ContainerManifest] | None = None
    volumes: list[Volume] | None = None
    securityContext: PodSecurityContext | None = None
    serviceAccountName: str | None = None
    serviceAccount: str | None = None
    automountServiceAccountToken: bool | None = None
    hostPID: bool | None = None
    hostIPC: bool | None = None
    hostUsers: bool | None = None
    runtimeClassName: str | None = None
    priorityClassName: str | None = None
    nodeSelector: dict[str, str | None] | None = None
    affinity: Affinity | None = None
    os: OS | None = None
    resources: ResourceRequirements | None = None


class OwnerReference(Manifest):
    kind: str | None = None
    name: str | None = None
    controller: bool | None = None


class ObjectMeta(Manifest):
    name: str | None = None
    generateName: str | None = None
    namespace: str | None = None
    annotations: dict[str, str | None] | None = None
    ownerReferences: list[OwnerReference] | None = None


class PodManifest(Manifest):
    """A Pod, or the pod template of a workload: the two differ in nothing that is read here."""

    metadata: ObjectMeta | None = None
    spec: PodSpec | None = None
