"""stand(): levels, the order of what is told, and pods of a wrong shape."""

import time
from types import MappingProxyType

import pytest

from hardener.errors import MisfitError
from hardener.pss import Level, Standing, Violation, stand
from tests.pods import STANDARD, document, run

RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod(**fields):
    """A pod with one container that has these fields."""
    return {"metadata": {"name": "web"}, "spec": {"containers": [{"name": "app", "image": "web:1", **fields}]}}


def test_the_weaker_of_two_levels_is_the_one_that_demands_less():
    weaker = {(one, other): one.weaker(other) for one in Level for other in Level}

    assert {pair: level for pair, level in weaker.items() if level is Level.RESTRICTED} == {
        (Level.RESTRICTED, Level.RESTRICTED): Level.RESTRICTED
    }
    assert {pair for pair, level in weaker.items() if level is Level.PRIVILEGED} == {
        pair for pair in weaker if Level.PRIVILEGED in pair
    }
    assert weaker[Level.BASELINE, Level.RESTRICTED] is weaker[Level.RESTRICTED, Level.BASELINE] is Level.BASELINE
    assert weaker[Level.BASELINE, Level.BASELINE] is Level.BASELINE


def test_a_level_is_spelt_as_in_the_label_of_a_namespace():
    assert [str(level) for level in Level] == ["privileged", "baseline", "restricted"]


def test_a_plain_pod_meets_baseline():
    standing = stand(pod())

    assert standing.level is Level.BASELINE
    assert [violation.check for violation in standing.violations] == [
        "allowPrivilegeEscalation",
        "capabilities_restricted",
        "runAsNonRoot",
        "seccompProfile_restricted",
    ]
    assert {violation.level for violation in standing.violations} == {Level.RESTRICTED}


def test_a_pod_with_all_that_restricted_demands_meets_it():
    assert stand(pod(securityContext=RESTRICTED)) == Standing()
    assert Standing().level is Level.RESTRICTED


def test_a_pod_that_breaks_baseline_is_privileged_even_where_it_meets_all_that_restricted_adds():
    standing = stand(pod(securityContext=RESTRICTED, ports=[{"containerPort": 80, "hostPort": 80}]))

    assert standing.level is Level.PRIVILEGED
    assert standing.violations == (
        Violation("hostPorts", Level.BASELINE, "container app must not take host port 80: remove hostPort"),
    )


def test_what_breaks_a_check_of_each_level_is_told_for_both_levels():
    added = {**RESTRICTED, "capabilities": {"drop": ["ALL"], "add": ["SYS_TIME"]}}

    assert [(each.check, each.level) for each in stand(pod(securityContext=added)).violations] == [
        ("capabilities_baseline", Level.BASELINE),
        ("capabilities_restricted", Level.RESTRICTED),
    ]


def test_hardening_lifts_a_plain_pod_to_restricted():
    hardened = run(document("spec: {containers: [{name: app, image: web}]}"), STANDARD)

    assert (stand(hardened.before).level, stand(hardened.after).level) == (Level.BASELINE, Level.RESTRICTED)


def test_a_template_is_judged_as_a_pod_and_nothing_is_written_to_it():
    template = MappingProxyType({"metadata": {"labels": {"app": "web"}}, "spec": pod()["spec"]})

    assert stand(template) == stand(pod())
    assert dict(template) == {"metadata": {"labels": {"app": "web"}}, "spec": pod()["spec"]}


@pytest.mark.parametrize("empty", [{}, {"metadata": None, "spec": None}, {"spec": {"containers": None}}])
def test_a_pod_without_containers_breaks_nothing(empty):
    assert stand(empty) == Standing()


def test_a_container_without_a_name_is_told_of_all_the_same():
    unnamed = {"spec": {"containers": [{"securityContext": {**RESTRICTED, "privileged": True}}]}}

    assert [violation.message for violation in stand(unnamed).violations] == [
        "container (unnamed) must not be privileged: remove securityContext.privileged"
    ]


@pytest.mark.parametrize(
    ("misfit", "path", "message"),
    [
        ([], (), "Expected object, got array"),
        ({"spec": []}, ("spec",), "spec: Expected object | null, got array"),
        ({"spec": {"containers": [None]}}, ("spec", "containers", 0), "spec.containers[0]: Expected object, got null"),
        ({"spec": {"hostUsers": "no"}}, ("spec", "hostUsers"), "spec.hostUsers: Expected bool | null, got str"),
        (
            pod(ports=[{"containerPort": 1}, {"hostPort": "80"}]),
            ("spec", "containers", 0, "ports", 1, "hostPort"),
            "spec.containers[0].ports[1].hostPort: Expected int | null, got str",
        ),
        (
            {"metadata": {"annotations": {"a": 1}}},
            ("metadata", "annotations"),
            "metadata.annotations: Expected str | null, got int",
        ),
        (
            {"metadata": {"annotations": {1: "a"}}},
            ("metadata", "annotations"),
            "metadata.annotations: Expected str, got int",
        ),
        (
            {"spec": {"volumes": [{"name": "data", "hostPath": "/"}]}},
            ("spec", "volumes", 0, "hostPath"),
            "spec.volumes[0].hostPath: Expected object | null, got str",
        ),
    ],
)
def test_a_pod_of_a_wrong_shape_is_an_error_that_names_the_place(misfit, path, message):
    with pytest.raises(MisfitError) as caught:
        stand(misfit)

    assert (caught.value.path, str(caught.value)) == (path, message)


def test_a_pod_with_very_many_containers_takes_no_long_time():
    many = {"spec": {"containers": [{"name": f"c{number}"} for number in range(16_000)]}}
    started = time.process_time()

    assert stand(many).level is Level.BASELINE
    assert time.process_time() - started < 5
