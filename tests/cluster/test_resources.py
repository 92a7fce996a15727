"""Objects as the API server writes them -> rows."""

import json
from datetime import date
from decimal import Decimal

import msgspec
import pytest

from hardener.cluster.resources import (
    LIMIT_RANGES,
    NAMESPACES,
    RESOURCE_QUOTAS,
    SERVICE_ACCOUNTS,
)
from hardener.controls.resources import LIMIT_RANGE, QUOTA
from hardener.engine import harden
from hardener.model import Facts, LimitRange, Quota
from tests.pods import STANDARD, view

POD = {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "app", "image": "web:1"}]}}


def item(**fields):
    metadata = {"name": "it", "namespace": "shop", "resourceVersion": "42", **fields.pop("metadata", {})}
    return json.dumps({"metadata": metadata, **fields}).encode()


def limits(*items):
    return LIMIT_RANGES.read(item(spec={"limits": list(items)}))


def quota(**spec):
    return RESOURCE_QUOTAS.read(item(spec=spec)).row


def held_back(facts):
    """The reasons for which the pod gets no default requests and limits; none where it gets them."""
    outcome = harden(view(POD), STANDARD, facts, date(2026, 1, 1))
    verdict = next(verdict for verdict in outcome.verdicts if verdict.control == "resources")
    assert bool(verdict.writes) != bool(verdict.skips)
    return {skip.reason for skip in verdict.skips}


def test_a_namespace_is_its_labels():
    found = NAMESPACES.read(item(metadata={"name": "shop", "namespace": "", "labels": {"team": "a"}}))
    assert (found.namespace, found.name, found.position, found.row) == ("shop", "shop", 42, {"team": "a"})
    assert NAMESPACES.read(item(metadata={"labels": None})).row == {}
    assert NAMESPACES.read(item()).row == {}


def test_texts_that_repeat_are_one_object():
    rows = [
        NAMESPACES.read(item(metadata={"name": f"a-{end}", "labels": {"some/key": "some-value", "name": f"a-{end}"}}))
        for end in "xy"
    ]
    (first, second) = ([text for pair in found.row.items() for text in pair][:2] for found in rows)
    assert all(one is other for one, other in zip(first, second, strict=True))
    assert rows[0].row["name"] is rows[0].name


def test_a_limit_range_is_its_items_for_containers_and_pods():
    found = limits(
        {
            "type": "Container",
            "min": {"cpu": "100m"},
            "max": {"memory": "1Gi"},
            "maxLimitRequestRatio": {"cpu": "1500m"},
            "default": {"memory": "512Mi"},
            "defaultRequest": {"memory": "256Mi"},
        },
        {"type": "Pod", "max": {"cpu": 2}},
        {"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}},
    )
    assert found.row == (
        LimitRange("Container", {"cpu": Decimal("0.1")}, {"memory": 1024**3}, {"cpu": Decimal("1.5")}),
        LimitRange("Pod", max={"cpu": 2}),
    )
    assert found.problem == ""


@pytest.mark.parametrize(
    "spec", [{}, {"limits": None}, {"limits": []}, {"limits": [{"type": "PersistentVolumeClaim"}]}]
)
def test_a_limit_range_that_says_nothing_about_pods_is_not_kept(spec):
    assert LIMIT_RANGES.read(item(spec=spec)).row is None


@pytest.mark.parametrize(
    "spec",
    [
        {"limits": [{"type": "Container", "max": {"cpu": "much"}}]},
        {"limits": [{"type": "Pod", "min": {"hugepages-2Mi": "1e999999"}}]},
        {"limits": [{"type": "Container", "max": {"cpu": True}}]},
        {"limits": [{"type": "Container", "max": ["cpu"]}]},
        {"limits": [{"type": 7}]},
        {"limits": "none"},
        None,
    ],
)
def test_a_limit_range_that_cannot_be_read_holds_defaults_back(spec):
    found = LIMIT_RANGES.read(item(spec=spec))
    assert found.problem
    assert held_back(Facts(limit_ranges=found.row)) == {LIMIT_RANGE}


def test_scopes_come_from_both_places_and_resources_by_name():
    selector = {"matchExpressions": [{"scopeName": "NotBestEffort", "operator": "Exists"}]}
    row = quota(hard={"pods": "10", "requests.cpu": "4"}, scopes=["NotTerminating"], scopeSelector=selector)
    assert row == Quota(frozenset({"NotTerminating", "NotBestEffort"}), frozenset({"pods", "requests.cpu"}))
    assert held_back(Facts(quotas=(row,))) == {QUOTA}
    assert quota() == Quota()
    assert quota(hard=None, scopes=None, scopeSelector={"matchExpressions": None}) == Quota()


@pytest.mark.parametrize(
    "spec", [{"scopes": "BestEffort"}, {"hard": ["pods"]}, {"scopeSelector": {"matchExpressions": [{}]}}, None]
)
def test_a_quota_that_cannot_be_read_holds_defaults_back(spec):
    found = RESOURCE_QUOTAS.read(item(spec=spec))
    assert found.problem
    assert held_back(Facts(quotas=(found.row,))) == {QUOTA}


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"automountServiceAccountToken": True}, True),
        ({"automountServiceAccountToken": False}, None),
        ({"automountServiceAccountToken": None}, None),
        ({}, None),
        ({"automountServiceAccountToken": "yes"}, True),
    ],
)
def test_only_service_accounts_that_ask_for_their_token_are_kept(fields, kept):
    assert SERVICE_ACCOUNTS.read(item(secrets=[{"name": "x"}], **fields)).row is kept


def test_a_namespace_whose_labels_cannot_be_read_is_not_taken_for_one_without_labels():
    found = NAMESPACES.read(item(metadata={"labels": ["team"]}))
    assert found.row is None
    assert "labels" in found.problem


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"metadata": {}}',
        b'{"metadata": {"name": "a"}}',
        b'{"metadata": {"name": "a", "resourceVersion": ""}}',
        b'{"metadata": {"name": "a", "resourceVersion": "-1"}}',
        b'{"metadata": {"name": "a", "resourceVersion": "\xd9\xa1"}}',
        b'{"metadata": {"name": "a", "resourceVersion": 7}}',
        b'{"metadata": {"name": "a", "resourceVersion": "7"}',
    ],
)
@pytest.mark.parametrize(
    "resource", [NAMESPACES, LIMIT_RANGES, RESOURCE_QUOTAS, SERVICE_ACCOUNTS], ids=lambda it: it.name
)
def test_what_has_no_name_or_version_cannot_be_read_at_all(resource, data):
    with pytest.raises(msgspec.MsgspecError):
        resource.read(data)
