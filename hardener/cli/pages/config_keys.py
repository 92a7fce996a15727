"""Every key of a configuration file: where it stands, what it may hold, its default, and what it means.

All of it is derived: from the form of the file, from the controls' settings, and, for defaults, from the built-in
policy that others extend.
"""

import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import yaml
from msgspec.inspect import (
    BoolType,
    DictType,
    EnumType,
    Field,
    IntType,
    LiteralType,
    Metadata,
    NoneType,
    StructType,
    Type,
    UnionType,
    VarTupleType,
    type_info,
)

from hardener.cli.controls import settings_of
from hardener.cli.pages.markdown import anchor, code, escaped
from hardener.controls import CATALOGUE
from hardener.model import Mode
from hardener.policy.builtin import BUILTIN, BUILTIN_FLAT
from hardener.policy.compiling import MODE, written_settings
from hardener.policy.document import dotted
from hardener.policy.flat import CONTROLS
from hardener.policy.form import BASE, SHARED_SETTINGS, ConfigForm
from hardener.policy.policy import Enabled

BY_NAME = ".<name>"
"""What stands in a path for a name that the author chooses."""
RUNS = "runs"
NONE = "none"

_IF_ABSENT = re.compile(r"; (\S+) if absent\.$")
"""How a description ends that says what the key's absence means."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key: `path` is dotted, and below a policy as `hardener config resolve` prints it.

    `values` and `meaning` are Markdown; so is `default`, what holds where the key is absent.
    """

    path: str
    values: str
    default: str
    meaning: str


@dataclass(frozen=True, slots=True)
class KeyTable:
    """The keys of one mapping: `place` is its own path, empty for the file itself; `about` is Markdown."""

    place: str
    about: str
    keys: tuple[Key, ...]


def key_tables() -> Iterator[KeyTable]:
    """The keys of the form, mapping by mapping, each after the one that holds it."""
    return _tables(type_info(ConfigForm), "", "", {})


def written(value: object) -> str:
    """A value as a file may hold it, in one line."""
    text: str = yaml.safe_dump([msgspec.to_builtins(value)], default_flow_style=True, sort_keys=False, width=1000)
    return text.strip()[1:-1]


def _tables(form: Type, place: str, prefix: str, defaults: Mapping[str, str]) -> Iterator[KeyTable]:
    """Walk through the mapping at a place, if it is one with known keys; the paths of these begin with `prefix`."""
    if not isinstance(form, StructType):
        return
    fields = [(dotted(prefix, field.encode_name), field) for field in form.fields]
    yield KeyTable(place, _about(form, place), tuple(_key(path, field, defaults) for path, field in fields))
    for path, field in fields:
        for option in _options(field.type):
            if isinstance(option, DictType):
                yield from _tables(option.value_type, path + BY_NAME, "", _policy_defaults())
            elif isinstance(option, VarTupleType):
                yield from _tables(option.item_type, f"{path}[]", f"{path}[]", defaults)
            else:
                yield from _tables(option, path, path, defaults)


def _about(form: StructType, place: str) -> str:
    """What a mapping is for; of a control also what its settings mean, which their own docstring says."""
    about = _one_line(form.cls)
    control = CATALOGUE.get(place.removeprefix(f"{CONTROLS}."))
    if control is None:
        return about
    return f"{about} ([More](controls.md{anchor(control.name)}).) {_one_line(control.settings)}"


def _one_line(documented: type) -> str:
    return escaped(" ".join((inspect.getdoc(documented) or "").split()))


def _key(path: str, field: Field, defaults: Mapping[str, str]) -> Key:
    description = _description(field.type)
    absence = _IF_ABSENT.search(description)
    options = _options(field.type)
    if field.required:
        default = "must be given"
    elif path in defaults:
        default = defaults[path]
    elif absence is not None and not any(isinstance(option, VarTupleType) for option in options):
        default = code(absence[1])
    else:
        default = "" if any(isinstance(option, StructType) for option in options) else NONE
    meaning = _IF_ABSENT.sub(".", description)
    if path.startswith(f"{CONTROLS}.") and field.encode_name in defaults:
        meaning = f"For this control what {code(field.encode_name)} is for the policy."
    elif path.startswith(f"{CONTROLS}.") and not meaning:
        meaning = "See above."
    return Key(path, _setting_words(path) or _values(field.type, path), default, meaning)


def _policy_defaults() -> Mapping[str, str]:
    """What holds under the policy that others extend, by path, as Markdown."""
    running = {enabled.control.name: enabled for enabled in BUILTIN[BASE].controls}
    said = BUILTIN_FLAT[BASE].items()
    defaults = {".".join(path): code(written(entry.value)) for path, entry in said if path[0] != CONTROLS}
    for name, control in CATALOGUE.items():
        enabled = running.get(name, Enabled(control, control.settings(), Mode.ENFORCE))
        defaults[f"{CONTROLS}.{name}"] = RUNS if name in running else "does not run"
        for setting, value in {MODE: enabled.mode, **written_settings(enabled)}.items():
            default = NONE if value is None else code(written(value))
            defaults[f"{CONTROLS}.{name}.{setting}"] = default
            if setting in SHARED_SETTINGS:
                defaults.setdefault(setting, default)
    return defaults


def _setting_words(path: str) -> str:
    """What a control's setting may hold, in the words of the control's page; empty for any other key."""
    start, _, setting = path.rpartition(".")
    control = CATALOGUE.get(start.removeprefix(f"{CONTROLS}."))
    words = {} if control is None else {name: kind for name, kind, _ in settings_of(control)}
    return _or([word for word in words.get(setting, "").split(" | ") if word != "null"])


def _values(kind: Type, path: str) -> str:
    """Say what a value may be; null is left out, since the page says once what it means."""
    options = _options(kind)
    names = [word for option in options for word in _words(option)]
    return _or(names + [name for option in options if (name := _name(option, path))])


def _or(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _name(kind: Type, path: str) -> str:
    """Name a type that is not made of words."""
    match kind:
        case StructType():
            return f"[{'mappings' if path.endswith(('[]', BY_NAME)) else 'mapping'}]({anchor(path)})"
        case DictType(value_type=value):
            return f"{_values(value, path + BY_NAME)} by name"
        case VarTupleType(item_type=item) if set(_words(item)) == set(CATALOGUE):
            return "list of [controls](controls.md)"
        case VarTupleType(item_type=item):
            return f"list of {_values(item, f'{path}[]')}"
        case IntType(ge=least, le=most):
            return f"whole number from {least} to {most}"
        case BoolType():
            return "true or false"
        case LiteralType() | EnumType():
            return ""
    return "text"


def _words(kind: Type) -> Sequence[str]:
    """The words that a type is made of, if it is."""
    match kind:
        case LiteralType(values=values):
            return [str(value) for value in values]
        case EnumType(cls=enum):
            return [str(member.value) for member in enum]
    return ()


def _options(kind: Type) -> Sequence[Type]:
    """The alternatives of a type, without wrappers and null."""
    match kind:
        case Metadata(type=inner):
            return _options(inner)
        case UnionType(types=types):
            return [option for part in types for option in _options(part)]
        case NoneType():
            return ()
    return (kind,)


def _description(kind: Type) -> str:
    """What the form says about a key, or about the mapping that stands there."""
    if isinstance(kind, Metadata) and kind.extra_json_schema and "description" in kind.extra_json_schema:
        return escaped(str(kind.extra_json_schema["description"]))
    return next((_one_line(option.cls) for option in _options(kind) if isinstance(option, StructType)), "")
