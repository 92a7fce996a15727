"""The table of metrics, and the counting itself."""

import re
from dataclasses import replace

import pytest
from prometheus_client import generate_latest

from hardener.admission import Answer, Result
from hardener.engine import harden
from hardener.metrics import DURATION_BUCKETS, TABLE
from hardener.model import STANDALONE, Mode, OptOutCause, Pod
from hardener.policy.policy import OptOutRules
from hardener.server.counting import Metrics
from tests.counted import Counted
from tests.pods import STANDARD, TODAY, document, enabled, policy_of, view

PLAIN = view(document("{spec: {containers: [{name: app, image: x}]}}"))
MIXED = view(
    document("{spec: {containers: [{name: app, image: x}, {name: agent, securityContext: {privileged: true}}]}}")
)
BOUNDED_LABELS = {"control", "outcome", "policy", "cause", "result", "status", "endpoint", "line", "resource"}
YES_OR_NO = {"hardener_cluster_synced", "hardener_config_good"}


def answered(pod: Pod, policy=STANDARD, result=Result.PATCHED):
    return Answer("uid", result, policy=policy, outcome=harden(pod, policy, STANDALONE, TODAY))


def opting_out(words: str) -> Pod:
    text = f'{{metadata: {{annotations: {{hardener.dev/opt-out: "{words}"}}}}, spec: {{containers: [{{name: app}}]}}}}'
    return view(document(text))


@pytest.mark.parametrize("metric", TABLE, ids=lambda metric: metric.name)
def test_every_row_has_bounded_labels_and_a_unit_in_its_name(metric):
    assert set(metric.labels) <= (BOUNDED_LABELS | {"namespace"} if metric.flag else BOUNDED_LABELS)
    assert re.fullmatch(r"hardener_[a-z_]+_(total|seconds|bytes)", metric.name) or metric.name in YES_OR_NO
    assert metric.name.endswith("_total") == (metric.kind == "counter")


@pytest.mark.parametrize("metric", TABLE, ids=lambda metric: metric.name)
def test_every_row_says_in_whole_sentences_what_it_counts_and_what_a_rise_means(metric):
    assert re.fullmatch(r"[A-Z].+[.]", metric.help)
    assert re.fullmatch(r"([A-Z]|[a-z0-9-]+(, | or |: )).+[.]", metric.rise)
    for text in (metric.help, metric.rise):
        assert text.isprintable()
        assert "  " not in text
        assert len(text.split()) > 1


def test_no_metric_stands_twice():
    names = [metric.name for metric in TABLE]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize("by_namespace", [False, True])
def test_every_row_is_exposed_with_its_kind_and_nothing_else_is(by_namespace):
    metrics = Metrics(by_namespace=by_namespace)
    metrics.sample(lambda: {metric.name: [(metric.labels, 1)] for metric in TABLE if metric.sampled})
    text = generate_latest(metrics.registry).decode()
    exposed = dict(re.findall(r"^# TYPE (hardener_\w+) (\w+)$", text, re.MULTILINE))
    exposed = {name: kind for name, kind in exposed.items() if not name.endswith("_created")}

    assert exposed == {metric.name: metric.kind for metric in TABLE if by_namespace or not metric.flag}


def test_two_servers_count_apart():
    first, second = Counted(answered(PLAIN)), Counted()

    assert first["hardener_reviews_total"] == {(STANDARD.name, "patched"): 1}
    assert second["hardener_reviews_total"] == {}


def test_each_control_is_counted_by_what_it_did():
    counted = Counted(answered(MIXED))["hardener_controls_total"]

    assert counted["capabilities", "applied", STANDARD.name] == 1
    assert counted["capabilities", "held", STANDARD.name] == 1
    assert counted["automountServiceAccountToken", "applied", STANDARD.name] == 1
    assert ("automountServiceAccountToken", "held", STANDARD.name) not in counted


def test_a_control_with_nothing_to_do_is_unchanged():
    policy = policy_of(enabled("allowPrivilegeEscalation"))
    pod = view(document("{spec: {containers: [{name: app, securityContext: {allowPrivilegeEscalation: false}}]}}"))
    counted = Counted(answered(pod, policy, Result.UNCHANGED))

    assert counted["hardener_controls_total"] == {("allowPrivilegeEscalation", "unchanged", "test"): 1}


def test_what_a_dry_run_would_do_is_announced():
    policy = policy_of(enabled("capabilities", Mode.DRY_RUN))
    counted = Counted(answered(PLAIN, policy, Result.ANNOUNCED))

    assert counted["hardener_controls_total"] == {("capabilities", "announced", "test"): 1}


def test_a_failing_control_is_failed_and_an_internal_error():
    def fail(*_):
        raise RuntimeError

    broken = enabled("capabilities")
    broken = replace(broken, control=replace(broken.control, apply=fail))
    counted = Counted(answered(PLAIN, policy_of(broken), Result.FAILED))

    assert counted["hardener_controls_total"] == {("capabilities", "failed", "test"): 1}
    assert counted["hardener_internal_errors_total"] == {("capabilities",): 1}


def test_an_error_of_the_engine_is_an_internal_error():
    counted = Counted(Answer("uid", Result.FAILED, policy=STANDARD, error=RuntimeError()))

    assert counted["hardener_internal_errors_total"] == {("engine",): 1}
    assert counted["hardener_reviews_total"] == {(STANDARD.name, "failed"): 1}


def test_a_review_without_a_policy_is_counted_without_one():
    assert Counted(Answer("uid", Result.IGNORED))["hardener_reviews_total"] == {("", "ignored"): 1}


def test_words_that_are_no_control_share_one_label():
    counted = Counted(*(answered(opting_out(word)) for word in ("nonsense", "runAsNonRot", "x" * 200)))

    assert counted["hardener_opt_outs_total"] == {(OptOutCause.UNKNOWN_CONTROL, "unknown"): 3}


def test_opt_outs_are_counted_by_control_and_cause():
    locked = policy_of(enabled("capabilities"), opt_out=OptOutRules(frozenset({"resources"})))
    counted = Counted(answered(opting_out("capabilities")), answered(opting_out("capabilities"), locked))

    assert counted["hardener_opt_outs_total"] == {("accepted", "capabilities"): 1, ("locked", "capabilities"): 1}


def test_a_policy_of_the_same_name_counts_on_after_a_reload():
    counted = Counted(*(answered(PLAIN, replace(STANDARD, fingerprint=str(number))) for number in range(100)))

    assert counted["hardener_reviews_total"] == {(STANDARD.name, "patched"): 100}
    assert len(counted.metrics._reviews) == 1


def test_durations_go_from_a_tenth_of_a_millisecond_to_a_second():
    counted = Counted(answered(PLAIN))["hardener_review_duration_seconds_bucket"]

    assert (DURATION_BUCKETS[0], DURATION_BUCKETS[-1]) == (0.0001, 1.0)
    assert counted["0.0002",] == 0
    assert counted["0.0005",] == 1


def test_429_is_an_overload_too():
    counted = Counted()
    for status in (400, 429):
        counted.metrics.http_error(status)

    assert counted["hardener_http_errors_total"] == {("400",): 1, ("429",): 1}
    assert counted["hardener_overload_refusals_total"] == {(): 1}


def test_reads_of_files_are_counted_with_the_time_of_the_last_good_one():
    counted = Counted()
    counted.metrics.config_read(good=True, now=100.0)
    counted.metrics.config_read(good=False, now=200.0)
    counted.metrics.certificate_read(300.0)
    counted.metrics.certificate_read(None)

    assert counted["hardener_config_reloads_total"] == {("good",): 1, ("bad",): 1}
    assert counted["hardener_config_last_good_timestamp_seconds"] == {(): 100}
    assert counted["hardener_certificate_reloads_total"] == {("good",): 1, ("bad",): 1}
    assert counted["hardener_certificate_expiry_timestamp_seconds"] == {(): 300}


def test_bytes_in_flight_are_asked_for_when_they_are_scraped():
    counted = Counted()
    amount = [1.0]
    counted.metrics.watch_in_flight(lambda: amount[0])
    amount[0] = 7.0

    assert counted["hardener_in_flight_bytes"] == {(): 7}


def test_connections_that_are_closed_are_counted_by_the_bound_that_they_met():
    counted = Counted()
    for cause in ("silent", "crowded", "silent"):
        counted.metrics.connection_refused(cause)

    assert counted["hardener_connections_refused_total"] == {("silent",): 2, ("crowded",): 1}
