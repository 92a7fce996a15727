"""Nodes -> the part of them that fits a form, and a problem for each that does not.

msgspec stops at the first mistake and knows no lines; this walk finds all of them. It goes by msgspec's own account of
the types (`msgspec.inspect`), so that whatever it lets through, `msgspec.convert` takes.
"""

from collections.abc import Mapping, Sequence

from msgspec import inspect

from hardener.errors import Problem
from hardener.policy.document import Node, dotted
from hardener.policy.nearest import hint

_QUANTITY = {inspect.StrType, inspect.FloatType}
"""What only a text that may be written as a plain number takes."""

_KINDS: Mapping[type[inspect.Type], str] = {
    inspect.StructType: "a mapping",
    inspect.DictType: "a mapping",
    inspect.VarTupleType: "a list",
    inspect.BoolType: "true or false",
    inspect.StrType: "a text",
}


class Conformer:
    """One walk through one file; `problems` grow as it goes."""

    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file

    def conform(self, node: Node, form: inspect.Type, key: str = "") -> Node | None:
        """The node without what is wrong in it, or None where it is wrong itself."""
        options = _options(form)
        value = node.value
        for option in options:
            if isinstance(value, dict):
                if isinstance(option, inspect.StructType):
                    return self._struct(node, value, option, key)
                if isinstance(option, inspect.DictType):
                    return self._dict(node, value, option, key)
            elif isinstance(value, tuple) and isinstance(option, inspect.VarTupleType):
                return self._list(node, value, option, key)
        fitting = _fit(node, options)
        if isinstance(fitting, Node):
            return fitting
        self._add(node.line, key, fitting)
        return None

    def _struct(self, node: Node, children: dict[str, Node], form: inspect.StructType, key: str) -> Node:
        fields = {field.encode_name: field for field in form.fields}
        kept: dict[str, Node] = {}
        for name, child in children.items():
            below = dotted(key, name)
            if name not in fields:
                elsewhere: Mapping[str, str] = getattr(form.cls, "elsewhere", {})
                self._add(child.line, below, f"unknown key; {elsewhere.get(name) or hint(name, fields)}")
            elif (good := self.conform(child, fields[name].type, below)) is not None:
                kept[name] = good
        for name, field in fields.items():
            if field.required and name not in children:
                self._add(node.line, dotted(key, name), f"is missing: it must be {_names(_options(field.type))}")
        return Node(kept, node.line)

    def _dict(self, node: Node, children: dict[str, Node], form: inspect.DictType, key: str) -> Node:
        words = _words([form.key_type])
        kept: dict[str, Node] = {}
        for name, child in children.items():
            below = dotted(key, name)
            if words and name not in words:
                self._add(child.line, below, f"unknown key; {hint(name, words)}")
            elif (good := self.conform(child, form.value_type, below)) is not None:
                kept[name] = good
        return Node(kept, node.line)

    def _list(self, node: Node, items: tuple[Node, ...], form: inspect.VarTupleType, key: str) -> Node:
        checked = [self.conform(item, form.item_type, f"{key}[{index}]") for index, item in enumerate(items)]
        return Node(tuple(item for item in checked if item is not None), node.line)

    def _add(self, line: int, key: str, message: str) -> None:
        self.problems.append(Problem(self._file, line, key, message))


def _fit(node: Node, options: Sequence[inspect.Type]) -> Node | str:
    """A scalar as its type wants it, or what is wrong with it."""
    value = node.value
    takes = {type(option) for option in options}
    words = _words(options)
    if isinstance(value, bool):
        fits = inspect.BoolType in takes and not node.is_boolean_word
    elif isinstance(value, int | float):
        # A quantity is what was written: 0.10 as a float would be another text, and another fingerprint.
        if takes >= _QUANTITY:
            return Node(node.text, node.line, node.text)
        fits = any(isinstance(option, inspect.IntType) and _within(value, option) for option in options)
    elif isinstance(value, str):
        fits = inspect.StrType in takes or value in words
    else:
        fits = value is None and inspect.NoneType in takes
    if fits:
        return node
    if isinstance(value, str) and words:
        other = " or ".join(name for option in options if (name := _KINDS.get(type(option))))
        return f"{value!r} is not known here; {hint(value, words)}{f', or {other}' if other else ''}"
    return f"must be {_names(options)}, not {_found(node, may_be_text=inspect.StrType in takes)}"


def _found(node: Node, *, may_be_text: bool) -> str:
    """Say what stands there, as people see it and as YAML does."""
    if isinstance(node.value, dict):
        return "a mapping"
    if isinstance(node.value, tuple):
        return "a list"
    quote = ": quote it to mean the word" if may_be_text else ""
    if isinstance(node.value, bool):
        return f"{node.text}, which YAML reads as a boolean{quote}"
    if isinstance(node.value, int | float):
        return f"the number {node.text}{quote}"
    return "null" if node.value is None else f"the text {node.value!r}"


def _options(form: inspect.Type) -> list[inspect.Type]:
    """The alternatives of a type, without wrappers."""
    if isinstance(form, inspect.Metadata):
        return _options(form.type)
    if isinstance(form, inspect.UnionType):
        return [option for part in form.types for option in _options(part)]
    return [form]


def _words(options: Sequence[inspect.Type]) -> list[str]:
    """The words that a type is made of, if it is."""
    words: list[str] = []
    for option in options:
        if isinstance(option, inspect.LiteralType):
            words += [str(value) for value in option.values]
        elif isinstance(option, inspect.EnumType):
            words += [str(member.value) for member in option.cls]
    return words


def _within(value: float, form: inspect.IntType) -> bool:
    return isinstance(value, int) and (form.ge is None or value >= form.ge) and (form.le is None or value <= form.le)


def _names(options: Sequence[inspect.Type]) -> str:
    """Say in words what a value may be."""
    takes = {type(option) for option in options}
    words = _words(options)
    names = [words[0] if len(words) == 1 else f"one of {', '.join(words)}"] if words else []
    if takes >= _QUANTITY:
        return "a quantity"
    for option in options:
        if isinstance(option, inspect.IntType) and option.ge is not None:
            names.append(f"a whole number from {option.ge} to {option.le}")
        elif type(option) in _KINDS:
            names.append(_KINDS[type(option)])
    return " or ".join(names)
