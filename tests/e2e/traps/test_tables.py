"""Every row of `tests/traps/tables` on a real API server: the pod without us, with us, and with the naive patch."""

import json

import pytest

from tests.e2e.cluster import Json
from tests.e2e.double import patching
from tests.e2e.hardening import spec_sent_again
from tests.e2e.traps.bench import Bench
from tests.promises import broken
from tests.traps.expectation import compared, differs, expected, without_random
from tests.traps.rows import Row, rows

ACCEPTED = [row for row in rows() if row.refused is None]
REFUSED = [row for row in rows() if row.refused is not None]
NAIVE = [
    pytest.param(row, naive, id=f"{row}, {position}")
    for row in rows()
    for position, naive in enumerate(row.naive, start=1)
]


def require(bench: Bench, row: Row) -> None:
    """Skip a row whose fields the API server does not know."""
    if bench.minor < row.since:
        pytest.skip(f"the API server reads all fields of this pod as of version 1.{row.since}")


def as_written(pod: Json) -> Json:
    """What a person could have written of a pod, with the random name of the token volume made the same for all."""
    metadata = {key: pod["metadata"][key] for key in ("name", "annotations") if key in pod["metadata"]}
    return json.loads(without_random(json.dumps({"metadata": metadata, "spec": pod["spec"]})))


@pytest.mark.parametrize("row", ACCEPTED, ids=str)
def test_an_accepted_pod_is_accepted_hardened_with_just_what_its_row_leaves_alone(row, bench):
    require(bench, row)
    before, after = bench.send(row, "plain"), bench.send(row, row.namespace)

    assert (before.status, before.message) == (201, "")
    assert (after.status, after.message) == (201, "")
    assert compared(after.body, before.body) == expected(before.body, row)
    assert broken(as_written(before.body), as_written(after.body)) == []

    whole = {**after.body, "spec": spec_sent_again(row.document, after.body)}
    again = bench.create(as_written(whole), row.namespace)
    assert (again.status, again.message) == (201, "")
    assert as_written(again.body) == as_written(after.body)


@pytest.mark.parametrize("row", REFUSED, ids=str)
def test_a_refused_pod_is_refused_with_the_same_words_hardened(row, bench):
    require(bench, row)
    before, after = bench.send(row, "plain"), bench.send(row, row.namespace)

    assert (before.status, without_random(before.message)) == (row.refused.status, row.refused.message)
    assert (after.status, without_random(after.message)) == (before.status, without_random(before.message))


@pytest.mark.parametrize(("row", "naive"), NAIVE)
def test_the_naive_patch_comes_to_what_its_row_says(row, naive, bench, answers):
    require(bench, row)
    answers["/once"] = patching(*naive.patch)
    reply = bench.send(row, "naive")

    if naive.refused is not None:
        assert (reply.status, without_random(reply.message)) == (naive.refused.status, naive.refused.message)
    else:
        assert (reply.status, reply.message) == (201, "")
        assert differs(reply.body, naive.accepted) == []
