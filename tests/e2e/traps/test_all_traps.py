"""Each of the 88 traps of semantics.md 8 is judged by the API server here, or it is known who judges it instead."""

import ast
import re
from pathlib import Path

from tests.traps.rows import Naive, rows

BY_OTHERS = {
    14: "the kubelet refuses to create the sidecar, which runs as user 0",
    78: "a connection that is closed while it is idle: tests/server looks at how long the webhook keeps one",
    85: "the runtime refuses so low a memory limit, and hardener's configuration does: tests/traps/test_resources.py",
}
"""Those that are in no table: one of two webhooks, one of time, one of hardener's configuration."""


def with_a_test() -> set[int]:
    """The numbers in the names of the tests of this folder."""
    return {
        int(match[1])
        for path in Path(__file__).parent.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef) and (match := re.match(r"test_trap_(\d\d)_", node.name))
    }


def is_shown(naive: Naive) -> bool:
    """Whether the API server's answer shows the harm."""
    return naive.refused is not None or not naive.seen_by


def test_every_trap_is_judged_by_the_api_server_or_by_another(record_property):
    shown = {row.trap for row in rows() if row.refused or any(map(is_shown, row.naive))}
    judged = (with_a_test() | shown) - set(BY_OTHERS)
    elsewhere = {row.trap: naive.seen_by for row in rows() for naive in row.naive if not is_shown(naive)}
    others = BY_OTHERS | {number: text for number, text in elsewhere.items() if number not in judged}

    assert sorted([*judged, *others]) == list(range(1, 89))
    assert all(len(reason.split()) >= 5 for reason in others.values())
    lines = [
        f"{len(judged)} of 88 traps are judged by the API server. Others are sent through it and judged by others:"
    ]
    record_property("summary", "\n".join([*lines, *(f"{number}: {text}" for number, text in sorted(others.items()))]))
