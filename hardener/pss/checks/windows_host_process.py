"""Neither pod nor container may be a process of the Windows host.

Source: pod-security-admission, `policy/check_windowsHostProcess.go`.
"""

from collections.abc import Iterator

from hardener.pss.check import Check
from hardener.pss.level import Level
from hardener.pss.manifest import Security
from hardener.pss.pod import Pod, listed


def _complaints(pod: Pod) -> Iterator[str]:
    places = pod.places(_is_host_process)
    if places:
        yield f"{listed(places)} must not run on the host itself: remove securityContext.windowsOptions.hostProcess"


def _is_host_process(security: Security) -> bool:
    return security.windowsOptions is not None and security.windowsOptions.hostProcess is True


CHECK = Check("windowsHostProcess", Level.BASELINE, _complaints)
