"""Probes and hooks may not name a host: the kubelet would send them to it from the node's network.

Since 1.34. Source: pod-security-admission, `policy/check_hostProbesAndhostLifecycle.go`.
"""

from collections.abc import Iterator

from hardener.pss.check import Check
from hardener.pss.level import Level
from hardener.pss.manifest import Lifecycle
from hardener.pss.pod import Container, Pod, listed, nouns

_NO_LIFECYCLE = Lifecycle()


def _complaints(pod: Pod) -> Iterator[str]:
    naming = [container for container in pod.containers if _hosts(container)]
    if naming:
        hosts = sorted({host for container in naming for host in _hosts(container)})
        yield (
            f"{listed(naming)} must not have probes or hooks that name {nouns('host', hosts)}: remove host from httpGet "
            "and tcpSocket"
        )


def _hosts(container: Container) -> set[str]:
    own = container.manifest
    lifecycle = own.lifecycle or _NO_LIFECYCLE
    handlers = (own.livenessProbe, own.readinessProbe, own.startupProbe, lifecycle.postStart, lifecycle.preStop)
    targets = [target for each in handlers if each is not None for target in (each.httpGet, each.tcpSocket)]
    return {target.host for target in targets if target is not None and target.host}


CHECK = Check("hostProbesAndHostLifecycle", Level.BASELINE, _complaints)
