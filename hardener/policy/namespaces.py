"""Rules that choose a policy by the name and the labels of a namespace."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import translate

from hardener.policy.form import Requirement, RuleForm

Labels = Mapping[str, str]

_GLOB = re.compile(r"[a-z0-9*?-]{1,63}")
_LABEL_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_DNS_SUBDOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, ready to be matched: all parts that it has must match. `line` is where it begins in its file."""

    policy: str
    names: re.Pattern[str] | None
    labels: tuple[Requirement, ...]
    line: int

    def matches(self, namespace: str, labels: Labels | None) -> bool:
        """Say whether it decides for a namespace; labels that are not known match no rule that asks for any."""
        if not self.fits_name(namespace):
            return False
        if not self.labels:
            return True
        return labels is not None and all(_meets(requirement, labels) for requirement in self.labels)

    def fits_name(self, namespace: str) -> bool:
        """Say whether it may decide for a namespace of this name, if the labels are right."""
        return self.names is None or self.names.fullmatch(namespace) is not None

    def asks_for(self, label: str) -> bool:
        """Say whether it matches by a value that this label has, so that who set the label has chosen the rule."""
        return any(each.key == label and each.operator in ("In", "Exists") for each in self.labels)


def make_rule(form: RuleForm, line: int) -> Rule:
    """Compile a rule in which `mistakes` finds nothing."""
    equal = (Requirement(key, "In", (value,)) for key, value in (form.matchLabels or {}).items())
    names = re.compile("|".join(translate(glob) for glob in form.names)) if form.names else None
    return Rule(form.policy, names, (*equal, *(form.matchExpressions or ())), line)


def mistakes(form: RuleForm) -> Iterator[tuple[str, str]]:
    """Each mistake in a rule, as the key within the rule and a message."""
    for part in ("names", "matchLabels", "matchExpressions"):
        if getattr(form, part) is not None and not getattr(form, part):
            yield part, "is empty: leave it out, or say what must match"
    if form.names is None and form.matchLabels is None and form.matchExpressions is None:
        yield "", "names no namespaces: give names, matchLabels or matchExpressions, or use default for all others"
    for index, glob in enumerate(form.names or ()):
        if not _GLOB.fullmatch(glob):
            yield f"names[{index}]", f"{glob!r} fits no namespace: use lower-case letters, digits, -, and the globs * ?"
    for key, value in (form.matchLabels or {}).items():
        yield from _label_mistakes(f"matchLabels.{key}", key, (value,), f"matchLabels.{key}")
    for index, requirement in enumerate(form.matchExpressions or ()):
        yield from _requirement_mistakes(f"matchExpressions[{index}]", requirement)


def _requirement_mistakes(where: str, requirement: Requirement) -> Iterator[tuple[str, str]]:
    yield from _label_mistakes(f"{where}.key", requirement.key, requirement.values, f"{where}.values")
    needs_values = requirement.operator in ("In", "NotIn")
    if needs_values and not requirement.values:
        yield f"{where}.values", f"operator {requirement.operator} needs at least one value"
    elif requirement.values and not needs_values:
        yield f"{where}.values", f"operator {requirement.operator} takes no values"


def label_mistake(key: str, value: str) -> str:
    """Say what is wrong with one label, or nothing."""
    return next((message for _, message in _label_mistakes("", key, (value,), "")), "")


def _label_mistakes(key_at: str, key: str, values: tuple[str, ...], values_at: str) -> Iterator[tuple[str, str]]:
    """The syntax of labels is Kubernetes' own: apimachinery `pkg/util/validation/validation.go`."""
    prefix, slash, name = key.rpartition("/")
    if not _LABEL_NAME.fullmatch(name) or (slash and not _DNS_SUBDOMAIN.fullmatch(prefix)):
        yield key_at, f"{key!r} is not a label key such as environment or example.com/tier"
    for value in values:
        if value and not _LABEL_NAME.fullmatch(value):
            yield values_at, f"{value!r} is not a label value: up to 63 letters, digits, -, _ and ."


def _meets(requirement: Requirement, labels: Labels) -> bool:
    """As `Requirement.Matches` in apimachinery `pkg/labels/selector.go`: NotIn is also met by a label that is absent."""
    present = requirement.key in labels
    match requirement.operator:
        case "In":
            return present and labels[requirement.key] in requirement.values
        case "NotIn":
            return not present or labels[requirement.key] not in requirement.values
        case "Exists":
            return present
        case "DoesNotExist":
            return not present
