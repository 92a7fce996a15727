"""Of SELinux only the type may be chosen, among those for containers; user and role may not.

Types have been four since 1.31. Source: pod-security-admission, `policy/check_seLinuxOptions.go`.
"""

from collections.abc import Iterator

from hardener.pss.check import Check
from hardener.pss.level import Level
from hardener.pss.manifest import Security
from hardener.pss.pod import Pod, listed

ALLOWED = ("container_engine_t", "container_init_t", "container_kvm_t", "container_t")


def _complaints(pod: Pod) -> Iterator[str]:
    for is_forbidden, field, remedy in (
        (_has_forbidden_type, "type", f"remove it or set it to {', '.join(ALLOWED)}"),
        (_has_user, "user", "remove it"),
        (_has_role, "role", "remove it"),
    ):
        places = pod.places(is_forbidden)
        if places:
            yield f"{listed(places)} must not choose securityContext.seLinuxOptions.{field}: {remedy}"


def _has_forbidden_type(security: Security) -> bool:
    options = security.seLinuxOptions
    return options is not None and bool(options.type) and options.type not in ALLOWED


def _has_user(security: Security) -> bool:
    return security.seLinuxOptions is not None and bool(security.seLinuxOptions.user)


def _has_role(security: Security) -> bool:
    return security.seLinuxOptions is not None and bool(security.seLinuxOptions.role)


CHECK = Check("seLinuxOptions", Level.BASELINE, _complaints)
