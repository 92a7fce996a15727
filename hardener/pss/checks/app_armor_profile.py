"""The AppArmor profile may be the runtime's default or one of the node's, but not be switched off.

The fields and the old annotations count alike, an annotation even where no container has its name. Source:
pod-security-admission, `policy/check_appArmorProfile.go`.
"""

from collections.abc import Iterator

from hardener.pss.check import Check
from hardener.pss.level import Level
from hardener.pss.manifest import Security
from hardener.pss.pod import Pod, is_confined, listed, nouns

ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"
OLD_DEFAULT = "runtime/default"
OLD_LOCALHOST = "localhost/"


def _complaints(pod: Pod) -> Iterator[str]:
    places = pod.places(_is_forbidden)
    if places:
        yield (
            f"{listed(places)} must not go without an AppArmor profile: set securityContext.appArmorProfile.type to "
            "RuntimeDefault or Localhost"
        )
    annotations = sorted(key for key, text in pod.annotations.items() if _is_forbidden_annotation(key, text or ""))
    if annotations:
        yield f"{nouns('annotation', annotations)} must be {OLD_DEFAULT}, or {OLD_LOCALHOST} and a profile"


def _is_forbidden(security: Security) -> bool:
    return security.appArmorProfile is not None and not is_confined(security.appArmorProfile.type)


def _is_forbidden_annotation(key: str, text: str) -> bool:
    return key.startswith(ANNOTATION) and text not in ("", OLD_DEFAULT) and not text.startswith(OLD_LOCALHOST)


CHECK = Check("appArmorProfile", Level.BASELINE, _complaints)
