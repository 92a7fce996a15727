"""What a pod asks for in all (`PodRequests` in component-helpers/resource/helpers.go)."""

from decimal import Decimal

import pytest

from hardener.errors import QuantityError
from hardener.model.demand import Addition, is_best_effort, limit_of, named, request_of, totals_with
from tests.pods import complete, view


def container(name, requests=None, limits=None, **fields):
    return {"name": name, "resources": {"requests": requests or {}, "limits": limits or {}}, **fields}


def pod_with(*containers, init=()):
    return view(complete({"spec": {"containers": [*containers], "initContainers": [*init]}}))


def cpu(amount):
    return {"cpu": amount}


def test_containers_and_sidecars_run_together():
    pod = pod_with(
        container("a", cpu("100m"), cpu("1")),
        container("b", cpu("200m"), cpu("2")),
        init=[container("side", cpu("0.05"), cpu("500m"), restartPolicy="Always")],
    )

    assert totals_with(pod, "cpu", []) == (Decimal("0.35"), Decimal("3.5"))


@pytest.mark.parametrize(("setup", "expected"), [("100m", "0.2"), ("1", "1.05"), ("150m", "0.2"), ("151m", "0.201")])
def test_an_init_container_runs_beside_the_sidecars_that_started_before_it(setup, expected):
    pod = pod_with(
        container("app", cpu("100m")),
        init=[
            container("first", cpu("50m"), restartPolicy="Always"),
            container("setup", cpu(setup)),
            container("last", cpu("50m"), restartPolicy="Always"),
        ],
    )

    assert totals_with(pod, "cpu", [])[0] == Decimal(expected)


def test_of_several_init_containers_the_greatest_counts():
    pod = pod_with(container("app", cpu("1")), init=[container("x", cpu("2")), container("y", cpu("1500m"))])

    assert totals_with(pod, "cpu", [])[0] == 2


def test_a_resource_that_nobody_names_has_no_total():
    pod = pod_with(container("app", cpu("1")))

    assert totals_with(pod, "memory", []) == (None, None)
    assert totals_with(pod, "cpu", []) == (Decimal(1), None)


def test_zero_is_named_and_nothing_is_not():
    assert totals_with(pod_with(container("app", cpu("0"))), "cpu", []) == (Decimal(0), None)


def test_what_would_be_added_counts_in_the_total():
    pod = pod_with(container("a", cpu("100m")), container("b"), container("c"))
    _, b, c = pod.containers
    additions = [
        Addition(b, "cpu", Decimal("0.05"), Decimal(1)),
        Addition(c, "cpu", None, Decimal(2)),
        Addition(c, "memory", Decimal(7), None),
    ]

    assert totals_with(pod, "cpu", additions) == (Decimal("2.15"), Decimal(3))
    assert totals_with(pod, "memory", additions) == (Decimal(7), None)


def test_a_limit_alone_is_the_request_as_well():
    (app,) = pod_with(container("app", limits=cpu("0.1"))).containers

    assert request_of(app, "cpu") == limit_of(app, "cpu") == Decimal("0.1")
    assert Addition(app, "memory", None, Decimal(3)).request == 3


def test_a_container_names_what_is_in_either_table():
    (app,) = pod_with(container("app", cpu("1"), {"memory": None})).containers

    assert sorted(named(app)) == ["cpu", "memory"]


@pytest.mark.parametrize("resources", [None, {}, {"requests": None, "limits": None}])
def test_a_container_without_resources_names_and_asks_for_nothing(resources):
    (app,) = view(complete({"spec": {"containers": [{"name": "app", "resources": resources}]}})).containers

    assert "cpu" not in named(app)
    assert request_of(app, "cpu") is None
    assert limit_of(app, "cpu") is None
    assert is_best_effort([app]) is True


@pytest.mark.parametrize(
    ("requests", "limits", "expected"),
    [
        ({}, {}, True),
        ({"cpu": "0"}, {"memory": "0"}, True),
        ({"ephemeral-storage": "1Gi", "nvidia.com/gpu": "1"}, {"nvidia.com/gpu": "1"}, True),
        ({"cpu": "1m"}, {}, False),
        ({}, {"memory": "1"}, False),
    ],
)
def test_best_effort_is_who_asks_for_neither_cpu_nor_memory(requests, limits, expected):
    pod = pod_with(container("app", requests, limits), container("other"))

    assert is_best_effort(pod.containers) is expected


def test_an_unreadable_amount_is_an_error():
    (app,) = pod_with(container("app", cpu("much"))).containers

    with pytest.raises(QuantityError, match=r"^'much' is not a quantity"):
        request_of(app, "cpu")
