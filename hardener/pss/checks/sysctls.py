"""Only kernel parameters that belong to the pod and harm nobody else may be set.

The spelling with dots is the only one that counts, though the API server takes slashes as well. Source:
pod-security-admission, `policy/check_sysctls.go` (the list of 1.32).
"""

from collections.abc import Iterator

from hardener.pss.check import Check
from hardener.pss.level import Level
from hardener.pss.pod import THE_POD, UNNAMED, Pod

ALLOWED = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    }
)


def _complaints(pod: Pod) -> Iterator[str]:
    names = [each.name or UNNAMED for each in pod.security.sysctls or () if each.name not in ALLOWED]
    if names:
        yield f"{THE_POD} must not have {', '.join(names)} in securityContext.sysctls"


CHECK = Check("sysctls", Level.BASELINE, _complaints)
