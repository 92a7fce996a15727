"""The seccomp filter may not be switched off explicitly.

The old annotations have not counted since 1.19. Source: pod-security-admission, `policy/check_seccompProfile_baseline.go`.
"""

from collections.abc import Iterator

from hardener.pss.check import Check
from hardener.pss.level import Level
from hardener.pss.pod import Pod, is_unconfined, listed


def _complaints(pod: Pod) -> Iterator[str]:
    unconfined = pod.places(is_unconfined)
    if unconfined:
        yield (
            f"{listed(unconfined)} must not go without a seccomp profile: set securityContext.seccompProfile.type to "
            "RuntimeDefault or Localhost"
        )


CHECK = Check("seccompProfile_baseline", Level.BASELINE, _complaints)
