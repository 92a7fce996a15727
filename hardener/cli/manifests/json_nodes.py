"""JSON text -> the same nodes as YAML's, so that one piece of code finds the place of an edit in both."""

import json
import re
from collections.abc import Iterator

import yaml

from hardener.cli.manifests.nodes import MAP, PLAIN, SEQ, STR

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


def compose_json(text: str, start: int) -> yaml.Node:
    """Make the node tree of the JSON value that begins at `start`, in a text that can be read."""
    tokens = _TOKEN.finditer(text, start)
    return _node(next(tokens), tokens)


def _mark(index: int) -> yaml.Mark:
    return yaml.Mark("", index, 0, 0, None, 0)


def _node(token: re.Match[str], tokens: Iterator[re.Match[str]]) -> yaml.Node:
    word, start = token[0], _mark(token.start())
    if word == "{":
        pairs, end = _pairs(tokens)
        return yaml.MappingNode(MAP, pairs, start, _mark(end), flow_style=True)
    if word == "[":
        items, end = _items(tokens)
        return yaml.SequenceNode(SEQ, items, start, _mark(end), flow_style=True)
    end_mark = _mark(token.end())
    if word[0] == '"':
        return yaml.ScalarNode(STR, json.loads(word, strict=False), start, end_mark, style='"')
    return yaml.ScalarNode(PLAIN, word, start, end_mark)


def _pairs(tokens: Iterator[re.Match[str]]) -> tuple[list[tuple[yaml.Node, yaml.Node]], int]:
    pairs = []
    token = next(tokens)
    while token[0] != "}":
        if token[0] != ",":
            key = _node(token, tokens)
            next(tokens)
            pairs.append((key, _node(next(tokens), tokens)))
        token = next(tokens)
    return pairs, token.end()


def _items(tokens: Iterator[re.Match[str]]) -> tuple[list[yaml.Node], int]:
    items = []
    token = next(tokens)
    while token[0] != "]":
        if token[0] != ",":
            items.append(_node(token, tokens))
        token = next(tokens)
    return items, token.end()
