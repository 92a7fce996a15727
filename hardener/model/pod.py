"""Pod and Container: views of a manifest that answer the questions controls ask.

A view holds what is effective (container over pod, semantics.md 5.1) and where it stands in the object, and copies nothing.
"""

from collections.abc import Iterable, Mapping, Sequence

from hardener.model.manifest import (
    ContainerManifest,
    ObjectMeta,
    PodManifest,
    PodSecurityContext,
    PodSpec,
    SeccompProfile,
    SecurityContext,
)
from hardener.model.path import clean

OS_LABELS = ("kubernetes.io/os", "beta.kubernetes.io/os")
WINDOWS = "windows"

MIRROR = "kubernetes.io/config.mirror"

APPLIED_POLICY = "hardener.dev/applied-policy"
APPLIED = "hardener.dev/applied"
SKIPPED = "hardener.dev/skipped"
PROVENANCE = (APPLIED_POLICY, APPLIED, SKIPPED)
"""The annotations that say what was done (design.md 4). They are ours: written anew each time, and never trusted."""

_OURS = frozenset(PROVENANCE)

ANNOTATIONS_LIMIT = 256 * 1024
"""Bytes of all annotations' keys and values together (`ValidateAnnotationsSize`, semantics.md 3.7)."""
ALL_CAPABILITIES = "ALL"

Annotations = Mapping[str, str | None]
"""A file may say null where the API server would have made it an empty text."""

_NO_ANNOTATIONS: Annotations = {}
_NO_METADATA = ObjectMeta()
_NO_SPEC = PodSpec()
_NO_POD_SECURITY = PodSecurityContext()
_NO_SECURITY = SecurityContext()


class Container:
    """One entry of `containers` or `initContainers`, with what its pod means for it.

    It holds no reference to its Pod: a cycle would leave every request to the garbage collector.
    """

    __slots__ = ("field", "host_agent", "index", "manifest", "name", "pod_security", "privileged", "security")

    def __init__(
        self,
        manifest: ContainerManifest,
        field: str,
        index: int,
        pod_security: PodSecurityContext,
        host_namespaces: bool,
        host_paths: frozenset[str | None],
    ) -> None:
        self.manifest = manifest
        self.field = field
        self.index = index
        self.pod_security = pod_security
        self.name = manifest.name or ""
        security = self.security = manifest.securityContext or _NO_SECURITY
        self.privileged = security.privileged is True
        self.host_agent = host_namespaces or (
            bool(host_paths) and any(mount.name in host_paths for mount in manifest.volumeMounts or ())
        )
        """Whether it mounts a hostPath, or its pod shares the host's process or IPC namespace (design.md 3)."""

    @property
    def run_as_user(self) -> int | None:
        """The user id that applies; None where only the image says it."""
        own = self.security.runAsUser
        return own if own is not None else self.pod_security.runAsUser

    @property
    def run_as_non_root(self) -> bool | None:
        own = self.security.runAsNonRoot
        return own if own is not None else self.pod_security.runAsNonRoot

    @property
    def seccomp_profile(self) -> SeccompProfile | None:
        own = self.security.seccompProfile
        return own if own is not None else self.pod_security.seccompProfile

    @property
    def added_capabilities(self) -> frozenset[str]:
        """The names in `add` without spelling differences: upper case, no `CAP_` (semantics.md 3.1)."""
        capabilities = self.security.capabilities
        if capabilities is None or not capabilities.add:
            return frozenset()
        return frozenset((name or "").upper().removeprefix("CAP_") for name in capabilities.add)

    def mount_paths(self) -> list[str]:
        """Where volumes are mounted, as clean paths."""
        mounts = self.manifest.volumeMounts
        return [clean(mount.mountPath or "") for mount in mounts] if mounts else []

    def programs(self) -> list[str]:
        """The files that it may be started with, as clean paths.

        These are all words of the command, of probes and of hooks, and the first argument. A relative one is looked for
        where the container starts, if the pod says where that is.
        """
        words, folder = self._words(), self.manifest.workingDir
        if not words:
            return []
        return [
            clean(word if word[0] == "/" else f"{folder}/{word}")
            for word in words
            if word and "/" in word and (folder or word[0] == "/")
        ]

    def _words(self) -> list[str | None]:
        manifest = self.manifest
        words = [*manifest.command] if manifest.command else []
        if manifest.args:
            words.append(manifest.args[0])
        handlers = [manifest.livenessProbe, manifest.readinessProbe, manifest.startupProbe]
        if manifest.lifecycle is not None:
            handlers += (manifest.lifecycle.postStart, manifest.lifecycle.preStop)
        for handler in handlers:
            if handler is not None and handler.exec is not None:
                words += handler.exec.command or ()
        return words

    @property
    def is_sidecar(self) -> bool:
        """A native sidecar: an init container that keeps running (semantics.md 4.7)."""
        return self.field == "initContainers" and self.manifest.restartPolicy == "Always"


def _bytes(texts: Iterable[str]) -> int:
    """What they take in UTF-8, as `ANNOTATIONS_LIMIT` counts."""
    whole = "".join(texts)
    return len(whole) if whole.isascii() else len(whole.encode())


class Pod:
    """A pod, or a pod template, read once.

    `containers` holds the app containers first, then the init containers, native sidecars among them.
    """

    __slots__ = ("_kept_bytes", "annotations", "containers", "is_windows", "manifest", "metadata", "security", "spec")

    def __init__(self, manifest: PodManifest) -> None:
        self.manifest = manifest
        self.metadata = manifest.metadata or _NO_METADATA
        self.annotations: Annotations = self.metadata.annotations or _NO_ANNOTATIONS
        spec = self.spec = manifest.spec or _NO_SPEC
        security = self.security = spec.securityContext or _NO_POD_SECURITY
        host_namespaces = spec.hostPID is True or spec.hostIPC is True
        host_paths = frozenset([volume.name for volume in spec.volumes or () if volume.hostPath is not None])
        self.containers: Sequence[Container] = [
            Container(container, field, index, security, host_namespaces, host_paths)
            for field, containers in (("containers", spec.containers), ("initContainers", spec.initContainers))
            for index, container in enumerate(containers or ())
        ]
        self.is_windows = self._runs_on_windows()
        self._kept_bytes: int | None = None

    @property
    def is_mirror(self) -> bool:
        """Whether it shows a pod that the kubelet runs from a file of its own (semantics.md 1.4)."""
        return MIRROR in self.annotations

    @property
    def service_account(self) -> str:
        """The account it runs as: a template may use the old alias, or say nothing (design.md 3)."""
        return self.spec.serviceAccountName or self.spec.serviceAccount or "default"

    def annotation_bytes(self, changed: Annotations = _NO_ANNOTATIONS) -> int:
        """What the annotations take of `ANNOTATIONS_LIMIT` once those in `changed` have these texts; None takes one away.

        Those of ours are written anew, and count only where they are among the changed ones.
        """
        present = self.annotations
        size = self._kept_bytes
        # It is asked for twice in each decision.
        if size is None:
            # Joined as a whole, since there may be thousands.
            size = _bytes(present) + _bytes(filter(None, present.values()))
            if not _OURS.isdisjoint(present):
                size -= self._bytes_of(_OURS & present.keys())
            self._kept_bytes = size
        if not changed.keys().isdisjoint(present):
            size -= self._bytes_of((changed.keys() & present.keys()) - _OURS)
        return size + _bytes([key + text for key, text in changed.items() if text is not None])

    def _bytes_of(self, keys: Iterable[str]) -> int:
        """What these annotations take, which are there."""
        return _bytes([key + (self.annotations[key] or "") for key in keys])

    def _runs_on_windows(self) -> bool:
        """Semantics.md 3.2; RuntimeClass has merged its node selector before us (trap 19)."""
        spec = self.spec
        if spec.os is not None and spec.os.name == WINDOWS:
            return True
        if spec.nodeSelector and any(spec.nodeSelector.get(label) == WINDOWS for label in OS_LABELS):
            return True
        if self.security.windowsOptions is not None:
            return True
        if spec.affinity is not None and self._affinity_requires_windows():
            return True
        return bool([True for container in self.containers if container.security.windowsOptions is not None])

    def _affinity_requires_windows(self) -> bool:
        """The terms are alternatives, so that all of them must ask for Windows."""
        affinity = self.spec.affinity
        if affinity is None or affinity.nodeAffinity is None:
            return False
        required = affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution
        if required is None or not required.nodeSelectorTerms:
            return False
        return all(
            any(
                rule.key in OS_LABELS and rule.operator == "In" and rule.values == [WINDOWS]
                for rule in term.matchExpressions or ()
            )
            for term in required.nodeSelectorTerms
        )
