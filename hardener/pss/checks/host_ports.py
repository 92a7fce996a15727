"""No container may take a port of the host.

With `hostNetwork` the API server fills in the `hostPort` of every port of a pod before it judges
(`pkg/apis/core/v1/defaults.go`, defaultHostNetworkPorts); containers for debugging cannot have ports. Source:
pod-security-admission, `policy/check_hostPorts.go`.
"""

from collections.abc import Iterator

from hardener.pss.check import Check
from hardener.pss.level import Level
from hardener.pss.pod import Container, Pod, listed, nouns


def _complaints(pod: Pod) -> Iterator[str]:
    with_host_network = pod.spec.hostNetwork is True
    taking = [container for container in pod.containers if _host_ports(container, with_host_network)]
    if taking:
        ports = sorted({port for container in taking for port in _host_ports(container, with_host_network)})
        remedy = "remove hostNetwork and every hostPort" if with_host_network else "remove hostPort"
        yield f"{listed(taking)} must not take {nouns('host port', map(str, ports))}: {remedy}"


def _host_ports(container: Container, with_host_network: bool) -> set[int]:
    found = {
        port.hostPort or (port.containerPort if with_host_network else None) for port in container.manifest.ports or ()
    }
    return {number for number in found if number}


CHECK = Check("hostPorts", Level.BASELINE, _complaints)
