"""Edits in a document with aliases: what is changed at one place does not reach another.

A change at an anchor reaches all its aliases. Where that is wanted the aliases stay; where it is not they give way to
what they stood for. A mapping with a merge key gets a key of its own where it shall differ from what it merges.
"""

import yaml

from hardener.cli.manifests.changes import ABSENT, Change, UnknownOperationError, applied
from hardener.cli.manifests.nodes import PLAIN, AliasNode
from hardener.model.workloads import step

NOTHING = Change()


def disentangled(root: yaml.Node, change: Change, value: object) -> Change:
    """The change of the text that makes the change of the value. Raises UnknownOperationError where there is none."""
    wanted: dict[int, Change] = {}
    _record(root, change, wanted)
    return _Disentangling(wanted).change(root, change, value)


def _record(node: yaml.Node, change: Change, wanted: dict[int, Change]) -> None:
    """Note what becomes of each node where it is written out, and so of every alias of it."""
    wanted[id(node)] = change
    for key, child in children(node):
        _record(child, change.within.get(key, NOTHING), wanted)


def children(node: yaml.Node) -> list[tuple[str | int, yaml.Node]]:
    """What a mapping or a list holds, by key or index."""
    if isinstance(node, yaml.MappingNode):
        return [(key.value, child) for key, child in node.value]
    return list(enumerate(node.value)) if isinstance(node, yaml.SequenceNode) else []


def is_merge(key: yaml.Node) -> bool:
    """Whether it is `<<`, without quotes."""
    return key.tag == PLAIN and bool(key.value == "<<")


class _Disentangling:
    def __init__(self, wanted: dict[int, Change]) -> None:
        self._wanted = wanted

    def change(self, node: yaml.Node, change: Change, value: object) -> Change:
        if isinstance(node, AliasNode):
            same = change == self._wanted.get(id(node.target), NOTHING)
            return NOTHING if same else Change(applied(change, value))
        if change.value is not ABSENT or change.removed or not isinstance(node, yaml.CollectionNode):
            return change
        within = dict(change.within)
        for key, child in children(node):
            if isinstance(node, yaml.MappingNode) and key == "<<" and isinstance(child, AliasNode | yaml.SequenceNode):
                continue
            inner = self.change(child, change.within.get(key, NOTHING), step(value, key))
            if inner.is_nothing:
                within.pop(key, None)
            else:
                within[key] = inner
        if isinstance(node, yaml.MappingNode):
            self._merged(node, change, value, within)
        return Change(appended=change.appended, within=within)

    def _merged(self, node: yaml.MappingNode, change: Change, value: object, within: dict[str | int, Change]) -> None:
        """Settle what comes of merge keys."""
        own = {key.value for key, _ in node.value if not is_merge(key)}
        seen: set[str | int] = set()
        for source in [each for key, child in node.value if is_merge(key) for each in _sources(child)]:
            theirs = self._wanted.get(id(source), NOTHING).within
            for key in (*_keys(source), *theirs):
                if key in own or key in seen:
                    continue
                seen.add(key)
                wanted, inherited = change.within.get(key, NOTHING), theirs.get(key, NOTHING)
                if wanted == inherited:
                    within.pop(key, None)
                elif wanted.removed or step(applied(change, value), key) is None:
                    raise UnknownOperationError(f"the key {key} comes of a merge (<<), and would have to go here only")
                else:
                    within[key] = Change(step(applied(change, value), key))


def _sources(child: yaml.Node) -> list[yaml.Node]:
    nodes = child.value if isinstance(child, yaml.SequenceNode) else [child]
    return [node.target if isinstance(node, AliasNode) else node for node in nodes]


def _keys(source: yaml.Node) -> list[str]:
    """The keys of a mapping, those that it merges itself too."""
    keys: list[str] = []
    for key, child in source.value if isinstance(source, yaml.MappingNode) else ():
        keys += [name for each in _sources(child) for name in _keys(each)] if is_merge(key) else [key.value]
    return keys
