"""The overview: what is to be done comes first, and lists end where nobody reads on."""

import re

import click

from hardener.cli.reports.as_table import ROWS, overview
from tests.cli.reports.reported import REPORT, finding, namespace, report
from tests.report.findings import BARE


def lines(whole=REPORT):
    return click.unstyle(overview(whole)).splitlines()


def section(heading, whole=REPORT):
    """The lines of one list."""
    found = lines(whole)
    (start,) = [number for number, line in enumerate(found) if line.startswith(f"{heading} (")]
    return [line.strip() for line in found[start + 1 :]][: ([*found[start + 1 :], ""].index(""))]


def row(first):
    (found,) = [line for line in lines() if re.match(rf"\s*{first}\s", line)]
    return found.split()


def test_totals_come_first():
    assert lines()[:6] == [
        "https://cluster, 2026-11-22 13:30 UTC, configuration: config.yaml",
        "after hardening, 2 of 3 namespaces can enforce restricted (1 as they are; 1 without workloads not counted)",
        "after hardening, 2 of 3 namespaces can enforce baseline (2 as they are; 1 without workloads not counted)",
        "6 of 14 pods lack what the policy enforces: make them anew, as with kubectl rollout restart",
        "left out: 2 pods that ended, 1 pod of the kubelets' own files",
        "",
    ]


def test_controls_and_namespaces_have_their_numbers():
    assert row("resources") == ["resources", "6", "5", "·", "·", "·", "3"]
    assert row("bare") == ["bare", "standard", "6", "6", "·", "·", "·", "·", "·", "privileged", "privileged"]
    assert row("trial") == [
        "trial",
        "observe",
        "(dry-run)",
        "5",
        "·",
        "5",
        "·",
        "·",
        "·",
        "·",
        "baseline",
        "restricted",
    ]


def test_the_largest_workloads_that_lack_something_come_first():
    assert section("un-hardened") == [
        "Deployment bare/web (4 pods) lacks all controls",
        "Deployment bare/late (2 pods) lacks all controls",
    ]


def test_words_of_one_opt_out_with_the_same_fate_stand_together():
    assert section("opt-outs that are refused or end soon") == [
        "Deployment bare/late (2 pods), resources, capabilities on the pod: it ended on 2020-01-01"
    ]


def test_a_reason_is_told_once_with_the_number_of_its_workloads():
    risks = section("what workloads may not bear, and what points to it")

    assert any(line.startswith("runAsNonRoot: nothing says which user its image has") for line in risks)
    assert any(line.endswith("4 workloads, as Deployment bare/web (4 pods)") for line in risks)
    assert any("port 80" in line and line.endswith(": Deployment bare/late (2 pods)") for line in risks)
    assert "capabilities: the container is privileged: Deployment bare/late (2 pods)" in section("held back")


def test_a_list_ends_where_nobody_reads_on():
    found = section("un-hardened", report(namespace("bare", *(finding(BARE, f"web-{n:02d}") for n in range(ROWS + 5)))))

    assert len(found) == ROWS + 1
    assert found[-1] == "and 5 more, which -o json and -o html show"


def test_a_cluster_without_anything_to_do_has_no_lists():
    text = overview(report(namespace("safe")))

    assert "0 of 0 pods lack what the policy enforces\n" in text
    assert "un-hardened (" not in text


def test_names_that_hold_control_characters_do_no_harm():
    odd = finding(BARE, "we\x1b[31mb\n")

    assert all(line.isprintable() for line in lines(report(namespace("a\x07b", odd), cluster="c\x1b]0;x")))
