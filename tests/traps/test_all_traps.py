"""Each of the 88 traps of semantics.md 8 has one test that bears its number, or a reason in `later.py`."""

import ast
import re
from pathlib import Path

from tests.traps.later import LATER


def numbers():
    """The numbers in the names of all tests of this folder, as often as they occur."""
    return [
        int(match[1])
        for path in sorted(Path(__file__).parent.glob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and (match := re.match(r"test_trap_(\d\d)_", node.name))
    ]


def test_every_trap_has_one_test_or_a_reason():
    assert sorted([*numbers(), *LATER]) == list(range(1, 89))


def test_every_reason_says_something():
    assert all(len(reason.split()) >= 5 for reason in LATER.values())
