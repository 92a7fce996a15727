"""Traps 51 to 60 and 85: default requests and limits beside what is there (semantics.md 2.1, 3.5, 4.5, 4.7)."""

from decimal import Decimal

import pytest

from hardener.controls import CATALOGUE, resources
from hardener.model import Facts, LimitRange, Quota
from tests.pods import complete, run, standard

MEBIBYTE = Decimal(1024) ** 2
DEFAULTS = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "1Gi"}}


def asking(*named):
    """A pod with one container for each of these resources: c1, c2 and so on."""
    containers = [{"name": f"c{index}", "image": "web", "resources": each} for index, each in enumerate(named, start=1)]
    return complete({"spec": {"containers": containers}})


def resources_of(hardened):
    return [container["resources"] for container in hardened.after["spec"]["containers"]]


def assert_others_ran(hardened):
    """What holds back resources holds back nothing else."""
    for container in hardened.after["spec"]["containers"]:
        assert container["securityContext"]["runAsNonRoot"] is True


def test_trap_51_no_limit_is_put_below_a_request():
    policy = standard(resources={"limits": {"memory": "256Mi"}})
    hardened = run(asking({"requests": {"memory": "512Mi"}}, {}), policy)

    assert resources_of(hardened) == [
        {"requests": {"memory": "512Mi", "cpu": "50m"}},
        {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
    ]


def test_trap_52_a_request_that_another_webhook_raised_gets_no_limit_below_it():
    first = run(asking({}))
    raised = first.after
    raised["spec"]["containers"].append({"name": "c2", "image": "web", "resources": {"requests": {"memory": "2Gi"}}})
    second = run(raised)

    assert resources_of(first)[0] == DEFAULTS
    assert resources_of(second) == [DEFAULTS, {"requests": {"memory": "2Gi", "cpu": "50m"}}]


@pytest.mark.parametrize("requests", [{"cpu": "100m"}, {}], ids=["as the API server copies it", "as in a template"])
def test_trap_53_a_cpu_limit_gets_no_request_above_it(requests):
    policy = standard(resources={"requests": {"cpu": "200m", "memory": "64Mi"}})
    hardened = run(asking({"requests": requests, "limits": {"cpu": "0.1"}}), policy)

    assert resources_of(hardened) == [
        {"requests": {**requests, "memory": "64Mi"}, "limits": {"cpu": "0.1", "memory": "1Gi"}}
    ]


@pytest.mark.parametrize("field", ["limits", "requests"])
def test_trap_54_a_pod_with_resources_of_its_own_gets_no_others(field):
    pod = asking({}, {})
    pod["spec"]["resources"] = {field: {"memory": "1Gi"}}
    hardened = run(pod)

    assert resources_of(hardened) == [{}, {}]
    assert hardened.all_skips() == {"resources": {"pod": resources.POD_LEVEL}}
    assert_others_ran(hardened)


def test_trap_55_devices_and_claims_are_kept_beside_single_new_keys():
    gpu = {"nvidia.com/gpu": "1"}
    hardened = run(asking({"requests": gpu, "limits": gpu}, {"claims": [{"name": "fpga"}]}, {}))

    assert resources_of(hardened) == [
        {"requests": {**gpu, "cpu": "50m", "memory": "64Mi"}, "limits": gpu},
        {"claims": [{"name": "fpga"}], "requests": {"cpu": "50m", "memory": "64Mi"}},
        DEFAULTS,
    ]
    assert hardened.all_skips() == {"resources": {"c1": resources.DEVICES, "c2": resources.DEVICES}}


def test_trap_56_a_best_effort_pod_is_not_moved_under_a_quota():
    facts = Facts(quotas=(Quota(frozenset({"NotBestEffort"}), frozenset({"pods"})),))
    best_effort = run(asking({}, {}), facts=facts)
    burstable = run(asking({"requests": {"cpu": "1"}}, {}), facts=facts)

    assert resources_of(best_effort) == [{}, {}]
    assert best_effort.all_skips() == {"resources": {"pod": resources.QUOTA}}
    assert_others_ran(best_effort)
    assert resources_of(burstable)[1] == DEFAULTS


def test_trap_57_no_default_takes_the_pod_above_what_a_limit_range_allows_it():
    facts = Facts(limit_ranges=(LimitRange("Pod", max={"memory": 1024 * MEBIBYTE}),))
    c1 = {"requests": {"memory": "512Mi"}, "limits": {"memory": "512Mi"}}
    hardened = run(asking(c1, {}), facts=facts)
    exact = run(asking(c1, {}), standard(resources={"limits": {"memory": "512Mi"}}), facts)

    assert resources_of(hardened) == [
        {"requests": {**c1["requests"], "cpu": "50m"}, "limits": c1["limits"]},
        {"requests": {"cpu": "50m"}},
    ]
    assert hardened.all_skips() == {"resources": {"pod": resources.LIMIT_RANGE}}
    assert_others_ran(hardened)
    assert resources_of(exact)[1]["limits"] == {"memory": "512Mi"}


@pytest.mark.parametrize("stated", [{}, {"requests": {"memory": "256Mi"}}], ids=["silent", "with the minimum set"])
def test_trap_58_no_default_below_a_limit_range_s_minimum(stated):
    facts = Facts(limit_ranges=(LimitRange("Container", min={"memory": 256 * MEBIBYTE}),))
    policy = standard(resources={"limits": {"memory": "128Mi"}})
    hardened = run(asking(stated), policy, facts)

    assert resources_of(hardened) == [{"requests": {**stated.get("requests", {}), "cpu": "50m"}}]
    assert hardened.all_skips() == ({} if stated else {"resources": {"c1": resources.LIMIT_RANGE}})
    assert_others_ran(hardened)


def test_trap_59_a_default_limit_comes_with_its_request():
    hardened = run(asking({}))

    assert resources_of(hardened) == [DEFAULTS]
    assert DEFAULTS["requests"]["memory"] != DEFAULTS["limits"]["memory"]


def test_trap_60_a_limit_on_ephemeral_storage_is_for_all_containers_or_none():
    policy = standard(resources={"limits": {"memory": "1Gi", "ephemeral-storage": "2Gi"}})
    limited = {"limits": {"ephemeral-storage": "1Gi"}}
    some = run(asking(limited, {}), policy)
    every = run(asking({}, {}), policy)

    assert resources_of(some) == [
        {"requests": DEFAULTS["requests"], "limits": {"ephemeral-storage": "1Gi", "memory": "1Gi"}},
        DEFAULTS,
    ]
    assert some.all_skips() == {"resources": {"pod": resources.EPHEMERAL}}
    assert [each["limits"]["ephemeral-storage"] for each in resources_of(every)] == ["2Gi", "2Gi"]
    assert every.all_skips() == {}


@pytest.mark.parametrize("memory", ["8Mi", "15.99Mi", "16M", 8388608])
def test_trap_85_a_memory_limit_that_no_runtime_starts_with_is_refused_in_the_configuration(memory):
    with pytest.raises(ValueError, match=r"^limits\.memory: must be at least 16Mi, or container runtimes refuse"):
        CATALOGUE["resources"].settings(limits={"memory": memory})
