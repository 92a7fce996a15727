"""A container may add capabilities of the runtimes' default set only, and NET_RAW not even of that.

The spelling counts: `CAP_CHOWN` and `chown` are none of these. Source: pod-security-admission,
`policy/check_capabilities_baseline.go`.
"""

from collections.abc import Iterator

from hardener.pss.check import Check
from hardener.pss.level import Level
from hardener.pss.pod import Pod, adding_beyond

ALLOWED = frozenset(
    {
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    }
)


def _complaints(pod: Pod) -> Iterator[str]:
    yield from adding_beyond(pod, ALLOWED)


CHECK = Check("capabilities_baseline", Level.BASELINE, _complaints)
