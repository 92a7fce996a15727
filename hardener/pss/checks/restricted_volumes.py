"""A volume must be of a type that belongs to the pod or is claimed: no hostPath, and no network storage named in the pod.

A volume without a type becomes an emptyDir (`pkg/apis/core/v1/defaults.go`, SetDefaults_Volume). Source:
pod-security-admission, `policy/check_restrictedVolumes.go`.
"""

from collections.abc import Iterator

from hardener.pss.check import Check
from hardener.pss.level import Level
from hardener.pss.manifest import Volume
from hardener.pss.pod import UNNAMED, Pod, nouns

ALLOWED = (
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
)
_TYPES = frozenset(Volume.__struct_fields__) - {"name"}


def _complaints(pod: Pod) -> Iterator[str]:
    forbidden = [volume for volume in pod.spec.volumes or () if _forbidden_types(volume)]
    if forbidden:
        names = [volume.name or UNNAMED for volume in forbidden]
        types = sorted({each for volume in forbidden for each in _forbidden_types(volume)})
        yield f"{nouns('volume', names)} must not be of {nouns('type', types)}: use one of {', '.join(ALLOWED)}"


def _forbidden_types(volume: Volume) -> frozenset[str]:
    """The types of a volume unless one of them is allowed; the API server refuses volumes with two."""
    types = frozenset(each for each in _TYPES if getattr(volume, each) is not None)
    return types if types.isdisjoint(ALLOWED) else frozenset()


CHECK = Check("restrictedVolumes", Level.RESTRICTED, _complaints)
