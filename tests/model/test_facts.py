"""What a LimitRange refuses (`limitranger/admission.go`)."""

from decimal import Decimal

import pytest

from hardener.model import STANDALONE, UNKNOWN, LimitRange, Quota


def amount(value):
    return None if value is None else Decimal(value)


@pytest.mark.parametrize(
    ("request_", "limit", "refused"),
    [
        (None, None, True),
        (None, 5, True),
        (1, None, True),
        (2, None, False),
        (2, 1, True),
        (2, 2, False),
        (3, 9, False),
    ],
)
def test_a_minimum_wants_a_request_and_bounds_both(request_, limit, refused):
    limit_range = LimitRange("Container", min={"memory": Decimal(2)})

    assert limit_range.refuses("memory", amount(request_), amount(limit)) is refused


@pytest.mark.parametrize(
    ("request_", "limit", "refused"),
    [
        (None, None, True),
        (1, None, True),
        (None, 2, False),
        (None, 3, True),
        (2, 2, False),
        (3, 2, True),
        (0, 0, False),
    ],
)
def test_a_maximum_wants_a_limit_and_bounds_both(request_, limit, refused):
    limit_range = LimitRange("Container", max={"memory": Decimal(2)})

    assert limit_range.refuses("memory", amount(request_), amount(limit)) is refused


@pytest.mark.parametrize(
    ("request_", "limit", "refused"),
    [
        (None, 2, True),
        (1, None, True),
        (0, 2, True),
        (1, 0, True),
        (1, 2, False),
        (1, "2.0000000000000000000000001", True),
        ("0.1", "0.2", False),
    ],
)
def test_a_ratio_wants_both_and_is_exact(request_, limit, refused):
    limit_range = LimitRange("Container", max_limit_request_ratio={"cpu": Decimal(2)})

    assert limit_range.refuses("cpu", amount(request_), amount(limit)) is refused


def test_a_limit_range_says_nothing_about_other_resources():
    limit_range = LimitRange("Container", min={"memory": Decimal(2)}, max={"memory": Decimal(2)})

    assert limit_range.refuses("cpu", None, None) is False


def test_only_a_quota_of_pods_with_requests_counts_a_pod_for_getting_some():
    assert Quota(frozenset({"NotBestEffort"})).counts_only_pods_with_requests is True
    assert Quota(frozenset({"BestEffort"})).counts_only_pods_with_requests is False
    assert Quota().counts_only_pods_with_requests is False


def test_without_a_cluster_all_is_known_and_in_one_nothing_is_at_first():
    assert STANDALONE.known is True
    assert UNKNOWN.known is False
    assert STANDALONE.limit_ranges == UNKNOWN.limit_ranges == ()
