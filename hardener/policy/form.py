"""The form of a configuration file: each key, its type, and its meaning, as msgspec types.

`conform.py` reads files by it and `schema.py` prints it, so that neither can know a key that the other does not. What
depends on the catalogue is derived: a mapping of settings per control, and a policy-wide default for each setting that
several controls share. In a policy null is a value everywhere: it removes what the policy extends (design.md 4).
"""

from collections import Counter
from collections.abc import Mapping
from functools import cache
from types import GenericAlias, MappingProxyType
from typing import Annotated, Any, Literal, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from hardener.controls import CATALOGUE
from hardener.model import Mode
from hardener.policy.policy import Warnings

API_VERSION = "hardener.dev/v1"
KIND = "HardenerConfig"
BASE = "standard"
"""What a policy extends that does not say, and what decides where no rule matches and no default is given."""

TypeForm = Any
"""A type as a value; no static type describes one."""


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A requirement on one label, as in a Kubernetes label selector."""

    key: Annotated[str, Meta(description="The label's key.")]
    operator: Annotated[
        Literal["In", "NotIn", "Exists", "DoesNotExist"],
        Meta(description="What the label must be; one that is absent meets NotIn too, as in Kubernetes."),
    ]
    values: Annotated[tuple[str, ...], Meta(description="For In and NotIn: the values.")] = ()


class RuleForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule that chooses the policy of namespaces: everything that it gives must match."""

    policy: Annotated[str, Meta(description="The policy of the namespaces that match.")]
    names: Annotated[tuple[str, ...] | None, Meta(description="Names of namespaces, with the globs * and ?.")] = None
    matchLabels: Annotated[dict[str, str] | None, Meta(description="Labels that the namespace must carry.")] = None  # noqa: N815
    matchExpressions: Annotated[  # noqa: N815
        tuple[Requirement, ...] | None, Meta(description="Requirements on the namespace's labels.")
    ] = None


class ContainerForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A container that others inject; both name and image must match."""

    name: Annotated[str | None, Meta(description="The container's name; must be given.")] = None
    image: Annotated[
        str | None,
        Meta(
            description="Its image, which must be given too, in full form, such as docker.io/istio/proxyv2:*; the registry "
            "is named literally, and * stands for any text, but stays within a folder, the name, or the tag."
        ),
    ] = None


class ExemptForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who and what is left alone, whatever the policy; names are compared as they are."""

    usernames: Annotated[
        tuple[str, ...] | None, Meta(description="Creators of pods; for workloads that is a controller's account.")
    ] = None
    groups: Annotated[tuple[str, ...] | None, Meta(description="Groups of the pod's creator.")] = None
    runtimeClasses: Annotated[  # noqa: N815
        tuple[str, ...] | None, Meta(description="Values of a pod's runtimeClassName.")
    ] = None
    priorityClasses: Annotated[  # noqa: N815
        tuple[str, ...] | None, Meta(description="Values of a pod's priorityClassName.")
    ] = None
    containers: Annotated[
        tuple[ContainerForm, ...] | None, Meta(description="Sidecars that others inject, by name and image.")
    ] = None


class TemplateForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of a custom resource whose objects hold a pod template; one that holds several has a line for each."""

    group: Annotated[str, Meta(description="The API group, without a version, such as argoproj.io.")]
    kind: Annotated[str, Meta(description="The kind, such as Rollout.")]
    path: Annotated[
        str,
        Meta(
            description="Where the template lies, which has metadata and spec as a pod has, such as spec.template; [*] "
            "stands for every item of a list, and * between dots for every value of a mapping."
        ),
    ]


@cache
def setting_types(control: str) -> Mapping[str, TypeForm]:
    """The settings of a control, and their types."""
    return get_type_hints(CATALOGUE[control].settings)


def _shared_settings() -> dict[str, TypeForm]:
    """Settings that several controls have: a policy may say them once for all of these."""
    counts = Counter(name for control in CATALOGUE for name in setting_types(control))
    shared: dict[str, TypeForm] = {}
    for control in CATALOGUE:
        for name, of_type in setting_types(control).items():
            if counts[name] > 1 and shared.setdefault(name, of_type) != of_type:
                raise TypeError(f"{control}: the setting {name} has another type in another control")
    return shared


SHARED_SETTINGS = _shared_settings()

_SHARED_MEANINGS = {
    "explicit": "keep leaves an explicit insecure value of the author's as it is, override replaces it unless an accepted "
    "opt-out covers it.",
    "hostAgents": "Containers that work on the host (hostPath, hostPID, hostIPC): hold leaves them alone, harden does not.",
}


def _written(of_type: TypeForm) -> TypeForm:
    """The type of a setting as a file may hold it: null removes a value, and a quantity may be a plain number."""
    arguments = get_args(of_type)
    origin: object = get_origin(of_type)
    if origin is Mapping:
        return GenericAlias(dict, (arguments[0], _optional(str | int | float)))
    return of_type | float if str in arguments and int in arguments else of_type


def _optional(of_type: TypeForm, description: str = "") -> TypeForm:
    nullable = of_type | None
    return Annotated[nullable, Meta(description=description)] if description else nullable


def _form(
    name: str, doc: str, fields: Mapping[str, TypeForm], elsewhere: Mapping[str, str] = MappingProxyType({})
) -> type[msgspec.Struct]:
    """A mapping with these optional keys and no others; `elsewhere` says of other keys where they belong."""
    return msgspec.defstruct(
        name,
        [(key, of_type, None) for key, of_type in fields.items()],
        forbid_unknown_fields=True,
        namespace={"__doc__": doc, "elsewhere": elsewhere},
        module=__name__,
    )


_CONTROL_NAMES = GenericAlias(tuple, (cast("TypeForm", Literal)[tuple(CATALOGUE)], ...))

_MODE = "enforce, dry-run or disabled; a control may have its own, and the weaker of the two counts."


def _control_form(name: str) -> TypeForm:
    settings = {setting: _optional(_written(of_type)) for setting, of_type in setting_types(name).items()}
    elsewhere = {setting: _owners(setting) for control in CATALOGUE for setting in setting_types(control)}
    form = _form(name, CATALOGUE[name].summary, {"mode": _optional(Mode, _MODE), **settings}, elsewhere)
    return _optional(form, CATALOGUE[name].summary)


def _owners(setting: str) -> str:
    controls = [control for control in CATALOGUE if setting in setting_types(control)]
    return f"{setting} is a setting of {', '.join(controls)}"


_Controls = _form("Controls", "The controls that run, with their settings.", {n: _control_form(n) for n in CATALOGUE})

_OptOut = _form(
    "OptOut",
    "Which controls a pod may opt out of, and what it must say to do so.",
    {
        "controls": _optional(
            Literal["all", "none"] | _CONTROL_NAMES,
            "all, none, or a list of controls; a control that is not listed is locked.",
        ),
        "requireReason": _optional(bool, "Whether an opt-out counts only with hardener.dev/opt-out-reason."),
        "maxDays": _optional(
            Annotated[int, Meta(ge=1, le=36500)],
            "An opt-out must carry hardener.dev/opt-out-until, within so many days.",
        ),
    },
)

_Policy = _form(
    "Policy",
    "A policy: what differs from the one it extends. Maps merge, lists and scalars replace, null removes.",
    {
        "extends": _optional(str, f"The policy that this one starts from; {BASE} if absent."),
        "mode": _optional(Mode, _MODE),
        "warnings": _optional(
            Warnings,
            "What the sender of a pod is told: problems (refused opt-outs, internal errors), changes (also what is or "
            "would be changed and held back), or none. Who applies a workload is told all of it, but under none.",
        ),
        **{
            name: _optional(_written(of_type), f"{_SHARED_MEANINGS[name]} The default for each control that has it.")
            for name, of_type in SHARED_SETTINGS.items()
        },
        "controls": _optional(_Controls),
        "optOut": _optional(_OptOut),
    },
)

ConfigForm = msgspec.defstruct(
    "HardenerConfig",
    [
        (
            "apiVersion",
            Annotated[cast("TypeForm", Literal)[API_VERSION], Meta(description="The version of the format.")],
        ),
        ("kind", Annotated[cast("TypeForm", Literal)[KIND], Meta(description="What the file is.")]),
        (
            "policies",
            _optional(GenericAlias(dict, (str, _Policy)), "Policies by name, beside the built-in ones."),
            None,
        ),
        ("namespaces", _optional(tuple[RuleForm, ...], "Rules; the first that matches a namespace decides."), None),
        ("default", _optional(str, f"The policy where no rule matches; {BASE} if absent."), None),
        (
            "selectable",
            _optional(
                tuple[str, ...],
                "Policies that the label hardener.dev/policy of a namespace may choose, before the rules; none if absent.",
            ),
            None,
        ),
        ("exempt", _optional(ExemptForm, "Who and what is left alone, whatever the policy."), None),
        (
            "templates",
            _optional(
                tuple[TemplateForm, ...],
                "Custom resources that hold pod templates, for preview, fix, scan and /explain; pods need no line here.",
            ),
            None,
        ),
        (
            "onError",
            _optional(Literal["allow", "deny"], "The answer when a control or the engine fails; allow if absent."),
            None,
        ),
    ],
    forbid_unknown_fields=True,
    namespace={"__doc__": "The configuration of hardener."},
    module=__name__,
)
