"""No volume may be a folder or file of the host.

Source: pod-security-admission, `policy/check_hostPathVolumes.go`.
"""

from collections.abc import Iterator

from hardener.pss.check import Check
from hardener.pss.level import Level
from hardener.pss.pod import UNNAMED, Pod, nouns


def _complaints(pod: Pod) -> Iterator[str]:
    names = [volume.name or UNNAMED for volume in pod.spec.volumes or () if volume.hostPath is not None]
    if names:
        yield f"{nouns('volume', names)} must not be of type hostPath: use one that does not belong to the node"


CHECK = Check("hostPathVolumes", Level.BASELINE, _complaints)
