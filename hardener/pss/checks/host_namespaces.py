"""A pod may not share the host's network, processes or IPC.

Source: pod-security-admission, `policy/check_hostNamespaces.go`.
"""

from collections.abc import Iterator

from hardener.pss.check import Check
from hardener.pss.level import Level
from hardener.pss.pod import THE_POD, Pod


def _complaints(pod: Pod) -> Iterator[str]:
    spec = pod.spec
    shared = {"hostNetwork": spec.hostNetwork, "hostPID": spec.hostPID, "hostIPC": spec.hostIPC}
    fields = [field for field, is_shared in shared.items() if is_shared]
    if fields:
        yield f"{THE_POD} must not share namespaces with the host: remove {', '.join(fields)}"


CHECK = Check("hostNamespaces", Level.BASELINE, _complaints)
