"""What the tables say comes out, with the API server's part played by `tests/admission_chain.py`."""

from copy import deepcopy

import jsonpatch
import pytest

from hardener.admission import decode, respond
from hardener.controls import CATALOGUE
from hardener.controls.resources import KNOWN_RESOURCES
from hardener.model import STANDALONE
from hardener.policy.reading import parse_config
from tests.admission_chain import admitted, defaulted, review
from tests.pod_json import Json, table
from tests.pods import TODAY
from tests.promises import broken
from tests.provenance import applied_of, skipped_of
from tests.traps.expectation import compared, expected
from tests.traps.rows import EVERYTHING, Row, configuration, rows

CONFIG = parse_config(configuration(), "tables.yaml")
ACCEPTED = [row for row in rows() if row.refused is None]


def hardened(pod: Json, namespace: str) -> Json:
    """The pod with the webhook's patch in it, decoded and defaulted again."""
    answer = respond(decode(review(pod, namespace)), CONFIG, STANDALONE, TODAY)
    return defaulted(jsonpatch.apply_patch(deepcopy(pod), answer.operations))


def as_the_webhook_sees_it(row: Row) -> Json:
    pod = admitted(row.document, row.namespace)
    assert pod is not None
    for each in row.needs:
        # Of what a row needs, only a RuntimeClass changes the pod that names it.
        selector = table(table(each.get("scheduling")).get("nodeSelector"))
        if selector:
            pod["spec"]["nodeSelector"] = {**table(pod["spec"].get("nodeSelector")), **selector}
    return pod


def told_of(row: Row) -> tuple[set[str], set[str]]:
    """The controls that the annotations should name as applied, and those that left anything alone."""
    words = set(" ".join(row.held.values()).split())
    if EVERYTHING in words:
        return set(), set()
    if row.limits_held or words & {*KNOWN_RESOURCES}:
        words.add("resources")
    return set(CATALOGUE) - words, set(CATALOGUE) & words


@pytest.mark.parametrize("row", ACCEPTED, ids=str)
def test_what_a_row_says_is_left_alone_is_all_that_is_left_alone(row):
    before = as_the_webhook_sees_it(row)
    after = hardened(before, row.namespace)

    assert compared(after, before) == expected(before, row)
    assert broken(before, after) == []
    assert hardened(after, row.namespace) == after
    assert ({*applied_of(after)}, {entry.control for entry in skipped_of(after)}) == told_of(row)


@pytest.mark.parametrize("row", rows(), ids=str)
def test_a_row_is_whole(row):
    assert all((naive.refused is None) != (naive.accepted is None) for naive in row.naive)
    assert row.naive == [] or row.refused is None
    policies = [other.policy for other in rows() if other.namespace == row.namespace]
    assert all(policy == policies[0] for policy in policies)
