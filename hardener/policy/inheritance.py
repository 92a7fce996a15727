"""The policies of a file, each merged with what it extends, and what is wrong with them."""

import re
from collections.abc import Iterator, Mapping, Sequence

from hardener.errors import Problem, QuantityError
from hardener.policy.builtin import BUILTIN_FLAT
from hardener.policy.compiling import MODE, control_settings, named_controls
from hardener.policy.document import Node
from hardener.policy.flat import CONTROLS, EXTENDS, Entry, Flat, KeyPath, flatten, merge
from hardener.policy.form import BASE
from hardener.policy.nearest import hint

_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_KEY_FIRST = re.compile(r"([A-Za-z.-]+): (.+)", re.DOTALL)


class Inheritance:
    """The policies of one file; `flat` is complete where `problems` stay empty.

    `earlier` are the problems that were found in the file before: what they concern is not judged again.
    """

    def __init__(self, policies: Mapping[str, Node], file: str, earlier: Sequence[Problem]) -> None:
        self.problems: list[Problem] = []
        self.flat: dict[str, Flat] = dict(BUILTIN_FLAT)
        self._file = file
        self._nodes = {name: node for name, node in policies.items() if self._has_own_name(name, node)}
        self._earlier = earlier
        self._spoilt: dict[str, frozenset[str]] = {name: frozenset() for name in BUILTIN_FLAT}
        self._broken: set[str] = set()
        for name in self._nodes:
            self._merge(name)

    def _has_own_name(self, name: str, node: Node) -> bool:
        if name in BUILTIN_FLAT:
            self._add(node.line, name, "is the name of a built-in policy: choose another, and extend this one")
        elif not _NAME.fullmatch(name):
            self._add(node.line, name, "is no name for a policy: use up to 63 letters, digits, -, _ and .")
        else:
            return True
        return False

    def _merge(self, name: str) -> None:
        """Merge a policy, after all that it extends; a loop and not a recursion, since a file can chain thousands."""
        chain: list[str] = []
        while name not in self.flat:
            if name in chain:
                self._report_cycle(chain[chain.index(name) :])
                self._broken.update(chain)
            if name in self._broken:
                self._broken.update(chain)
                return
            chain.append(name)
            base = self._base(name)
            if base is None:
                self._broken.update(chain)
                return
            name = base
        for name in reversed(chain):
            self._extend(name)

    def _base(self, name: str) -> str | None:
        """The policy that one extends, or None where there is no such policy."""
        said = self._children(name).get(EXTENDS)
        base = said.text if said is not None and said.value is not None else BASE
        if base in self._nodes or base in BUILTIN_FLAT:
            return base
        if said is not None:
            known = (*self._nodes, *BUILTIN_FLAT)
            self._add(said.line, f"{name}.{EXTENDS}", f"there is no policy {base!r}; {hint(base, known)}")
        return None

    def _report_cycle(self, members: Sequence[str]) -> None:
        said = self._children(members[0])[EXTENDS]
        self._add(said.line, f"{members[0]}.{EXTENDS}", f"leads back to itself: {' -> '.join((*members, members[0]))}")

    def _extend(self, name: str) -> None:
        base_name = self._base(name) or BASE
        base = self.flat[base_name]
        own = flatten(self._nodes[name], name, self._file)
        for path, entry in own.items():
            if entry.value is None and path[:-1] == (CONTROLS,) and path not in base:
                message = "null takes a control away, and what this policy extends does not run it; write {} to run it"
                self._add(entry.line, f"{name}.{'.'.join(path)}", message)
        self.flat[name] = merge(base, own)
        self._spoilt[name] = self._spoilt[base_name] | self._spoilt_by(name)
        for control in named_controls(self.flat[name]):
            if control not in self._spoilt[name]:
                self.problems += setting_problems(control, self.flat[name])

    def _spoilt_by(self, name: str) -> frozenset[str]:
        """The controls in whose settings a mistake was found already, in the policy itself."""
        start = f"policies.{name}.{CONTROLS}."
        keys = (problem.key.removeprefix(start) for problem in self._earlier if problem.key.startswith(start))
        return frozenset(key.partition(".")[0] for key in keys)

    def _children(self, name: str) -> Mapping[str, Node]:
        value = self._nodes[name].value
        return value if isinstance(value, dict) else {}

    def _add(self, line: int, key: str, message: str) -> None:
        self.problems.append(Problem(self._file, line, f"policies.{key}", message))


def setting_problems(control: str, flat: Flat) -> Iterator[Problem]:
    """Say what a control refuses of its settings, each with the entry that is most likely to blame."""
    left = {path: entry for path, entry in flat.items() if path[:2] == (CONTROLS, control) and path[2:] != (MODE,)}
    seen: set[str] = set()
    while (refusal := _refusal(control, left)) is not None and refusal not in seen:
        seen.add(refusal)
        path, message = _blame(control, left, refusal)
        entry = left.pop(path)
        yield Problem(entry.file, entry.line, f"policies.{entry.origin}.{'.'.join(path)}", message)


def _refusal(control: str, entries: Flat) -> str | None:
    try:
        control_settings(control, entries)
    except (ValueError, QuantityError) as error:
        return str(error)
    return None


def _blame(control: str, entries: Mapping[KeyPath, Entry], refusal: str) -> tuple[KeyPath, str]:
    """Find the entry by the key that the message begins with, or by trying each alone; else it is the last one.

    What is built in is never to blame: then it is what the file says beside it.
    """
    written = [path for path, entry in entries.items() if entry.file]
    match = _KEY_FIRST.fullmatch(refusal)
    if match is not None:
        path = (CONTROLS, control, *match[1].split("."))
        if path in written:
            return path, match[2]
        written = [path for path in written if ".".join(path[2:]) in match[2]] or written
    for path in written:
        if _refusal(control, {path: entries[path]}) == refusal:
            return path, refusal
    return written[-1], refusal
