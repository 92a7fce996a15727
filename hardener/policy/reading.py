"""A configuration file -> Config, strictly: every mistake of a file is reported, each with its line and key.

YAML is read by PyYAML (`document.py`), its shape is checked against the form (`conform.py`), and values get their types
from msgspec.convert, the one library for that here. What the form cannot say is checked below.
"""

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

import msgspec
from msgspec import inspect

from hardener.errors import ConfigError, Problem
from hardener.policy.builtin import BUILTIN
from hardener.policy.compiling import compile_policy, in_dry_run
from hardener.policy.config import Config, OnError
from hardener.policy.conform import Conformer
from hardener.policy.document import Node, compose, dotted, plain
from hardener.policy.exempting import EXEMPT, exemption_mistakes, pod_exemptions, user_exemptions
from hardener.policy.form import API_VERSION, BASE, KIND, ConfigForm, ExemptForm, RuleForm, TemplateForm
from hardener.policy.inheritance import Inheritance
from hardener.policy.namespaces import make_rule, mistakes
from hardener.policy.nearest import hint
from hardener.policy.templates import template_mistakes, templates

EMBEDDED = "default.yaml"
SIZE_LIMIT = 1024 * 1024
"""Bytes; a ConfigMap holds no more."""

_STEP = re.compile(r"[^.\[\]]+")
_ITEM = re.compile(r"([^\[]*\[\d+\])(?:\.([^.\[]*))?")
"""An item of a list at the beginning of a key, and the key within it."""
_FORM = inspect.type_info(ConfigForm)
_RULE_KEYS = RuleForm.__struct_fields__
_EXEMPT_KEYS = ExemptForm.__struct_fields__


def load_config(path: Path) -> Config:
    """Read a configuration file; raises ConfigError with every mistake in it."""
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise _unusable(str(path), f"cannot be read: {error.strerror or error}") from error
    if len(data) > SIZE_LIMIT:
        raise _unusable(str(path), f"is larger than {SIZE_LIMIT // 1024} KiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unusable(str(path), f"is not UTF-8 text: byte {error.start} fits no character") from error
    return parse_config(text, str(path))


def embedded_config() -> Config:
    """Read the configuration that is in force where none is given."""
    packaged = files("hardener.policy") / EMBEDDED
    if packaged.is_file():
        return parse_config(packaged.read_text("utf-8"), EMBEDDED)
    # A source tree has the file where people read it; the wheel has it beside this module.
    source = Path(__file__).parents[2] / "config" / EMBEDDED
    return parse_config(source.read_text("utf-8"), EMBEDDED)


def parse_config(text: str, file: str) -> Config:
    """Read a configuration; `file` is its name in messages. Raises ConfigError with every mistake in it."""
    root, problems = compose(text, file)
    return _Reading(file, problems).config(root)


class _Reading:
    """One file on its way from nodes to a Config."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self._file = file
        self._problems = problems
        self._spoilt: dict[str, set[str]] = {}

    def config(self, root: Node) -> Config:
        self._check_header(root)
        conformer = Conformer(self._file)
        keys = _children(conformer.conform(root, _FORM))
        self._problems += conformer.problems
        self._spoilt = _spoilt_items(self._problems)
        written = _children(keys.get("policies"))
        inheritance = Inheritance(written, self._file, self._problems)
        self._problems += inheritance.problems
        # A policy with a mistake in it is known all the same: who names it makes no second one.
        known = tuple(dict.fromkeys((*_children(_children(root).get("policies")), *BUILTIN)))
        rules = self._rules(root, known)
        default = _choice(keys.get("default"), BASE)
        self._check_policy(default, known, keys.get("default"), "default")
        selectable = self._selectable(root, known)
        places = self._exempt_places(root)
        self._check_templates(root)
        self._raise_problems()
        exempt = msgspec.convert(plain(keys.get(EXEMPT, Node(None, 0))) or {}, ExemptForm)
        pods = pod_exemptions(exempt, places)
        policies = {name: compile_policy(name, flat, pods) for name, flat in inheritance.flat.items()}
        return Config(
            MappingProxyType(policies),
            MappingProxyType({name: in_dry_run(policy) for name, policy in policies.items()}),
            tuple(make_rule(form, line) for form, line in rules),
            policies[default],
            selectable,
            user_exemptions(exempt, places),
            OnError(_choice(keys.get("onError"), OnError.ALLOW)),
            templates(msgspec.convert(plain(item), TemplateForm) for item in _items(keys.get("templates"))),
            MappingProxyType(inheritance.flat),
            self._file,
        )

    def _check_header(self, root: Node) -> None:
        """Stop at a file that says it is something else: its other keys are no mistakes."""
        if not isinstance(root.value, dict):
            raise _unusable(self._file, f"must be a mapping that begins with apiVersion: {API_VERSION}", root.line)
        problems = []
        for key, wanted in (("apiVersion", API_VERSION), ("kind", KIND)):
            node = root.value.get(key)
            if node is None:
                problems.append(Problem(self._file, root.line, key, f"is missing: write {key}: {wanted}"))
            elif node.value != wanted:
                problems.append(Problem(self._file, node.line, key, f"must be {wanted}"))
        if problems:
            raise ConfigError(problems)

    def _rules(self, root: Node, known: Sequence[str]) -> list[tuple[RuleForm, int]]:
        """Check the rules, as far as no mistake is known in them yet."""
        checked = []
        for index, node in enumerate(_items(_children(root).get("namespaces"))):
            key = f"namespaces[{index}]"
            spoilt = self._spoilt.get(key, frozenset[str]())
            sound = {part: child for part in _RULE_KEYS if (child := _children(node).get(part)) and part not in spoilt}
            policy = sound.get("policy")
            if policy is not None:
                self._check_policy(policy.text, known, policy, f"{key}.policy")
            form = msgspec.convert({"policy": "", **{part: plain(child) for part, child in sound.items()}}, RuleForm)
            for part, message in mistakes(form):
                if part or not spoilt:
                    self._add(_line(node, part), f"{key}.{part}" if part else key, message)
            checked.append((form, node.line))
        return checked

    def _selectable(self, root: Node, known: Sequence[str]) -> frozenset[str]:
        items = _items(_children(root).get("selectable"))
        for index, item in enumerate(items):
            key = f"selectable[{index}]"
            if key not in self._spoilt:
                self._check_policy(item.text, known, item, key)
        return frozenset(item.text for item in items)

    def _exempt_places(self, root: Node) -> Mapping[str, str]:
        """Check each exemption in which no mistake is known yet; file and line of all of them, by their keys."""
        parts = _children(_children(root).get(EXEMPT))
        places = {}
        for part in _EXEMPT_KEYS:
            for index, item in enumerate(_items(parts.get(part))):
                key = f"{EXEMPT}.{part}[{index}]"
                places[key] = f"{self._file}:{item.line}"
                for below, message in () if key in self._spoilt else exemption_mistakes(part, plain(item)):
                    self._add(_line(item, below), dotted(key, below) if below else key, message)
        return places

    def _check_templates(self, root: Node) -> None:
        for index, item in enumerate(_items(_children(root).get("templates"))):
            key = f"templates[{index}]"
            for below, message in () if key in self._spoilt else template_mistakes(plain(item)):
                self._add(_line(item, below), dotted(key, below) if below else key, message)

    def _check_policy(self, name: str, known: Sequence[str], node: Node | None, key: str) -> None:
        if name not in known:
            self._add(node.line if node else 0, key, f"there is no policy {name!r}; {hint(name, known)}")

    def _add(self, line: int, key: str, message: str) -> None:
        self._problems.append(Problem(self._file, line, key, message))

    def _raise_problems(self) -> None:
        if self._problems:
            raise ConfigError(sorted(dict.fromkeys(self._problems), key=lambda problem: problem.line))


def _spoilt_items(problems: Sequence[Problem]) -> dict[str, set[str]]:
    """Items in which a mistake is known, and the keys within them that it concerns; an empty one is the item itself."""
    spoilt: dict[str, set[str]] = {}
    for problem in problems:
        match = _ITEM.match(problem.key)
        if match is not None:
            spoilt.setdefault(match[1], set()).add(match[2] or "")
    return spoilt


def _choice(node: Node | None, default: str) -> str:
    return default if node is None or node.value is None else node.text


def _children(node: Node | None) -> Mapping[str, Node]:
    return node.value if node is not None and isinstance(node.value, dict) else {}


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.value if node is not None and isinstance(node.value, tuple) else ()


def _line(node: Node, part: str) -> int:
    """The line of a part such as `matchLabels.tier` or `names[1]`, or of the nearest thing around it."""
    for step in _STEP.findall(part):
        if isinstance(node.value, tuple) and step.isdigit() and int(step) < len(node.value):
            node = node.value[int(step)]
        elif step in _children(node):
            node = _children(node)[step]
        else:
            break
    return node.line


def _unusable(file: str, message: str, line: int = 0) -> ConfigError:
    return ConfigError([Problem(file, line, "", message)])
