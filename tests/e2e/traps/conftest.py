"""The bench of these tests, and the namespaces of the tables."""

import pytest

from tests.e2e.traps.bench import set_up
from tests.e2e.webhook import Hardener
from tests.traps.rows import configuration, rows


@pytest.fixture(scope="session")
def bench(tmp_path_factory, control_plane):
    """With a policy and a hardened namespace for the rows that ask for one, and all rows' `plain` and `naive` ones."""
    config = tmp_path_factory.mktemp("traps") / "config.yaml"
    config.write_text(configuration(), encoding="utf-8")
    with Hardener(config) as hardener, set_up(control_plane, hardener) as made:
        made.namespace("plain")
        made.namespace("naive", naive="once")
        for name in sorted({row.namespace for row in rows()}):
            made.namespace(name, ours="pods")
        yield made


@pytest.fixture
def answers(bench):
    """The double's answers by path; it allows all again after the test."""
    yield bench.double.answers
    bench.double.answers.clear()
