"""Governed opt-outs at the edges of their days, and who is told what."""

from datetime import date

import pytest

from hardener.admission import decode, decode_workload, explain, respond
from hardener.model import STANDALONE
from hardener.server.counting import Metrics
from tests.admission.asking import EMBEDDED, annotated, ask, ask_explain, config, hardened
from tests.admission.opt_out_cases import NOBODY, OF_APP, OF_NOBODY, OPT_OUT, REASON, UNTIL, day
from tests.admission.reviews import POD, patch, request, workload, workload_request
from tests.pods import TODAY

APP = {"name": "app", "image": "web:1"}
SIDECAR = {"name": "sidecar", "image": "sidecar:1"}
STRICT = config("policies:\n  p: {optOut: {requireReason: true, maxDays: 30}}\ndefault: p\n")


def dropped(pod, answer):
    """Which containers drop all capabilities."""
    return [
        container["name"]
        for container in hardened(pod, answer)["spec"]["containers"]
        if container.get("securityContext", {}).get("capabilities", {}).get("drop") == ["ALL"]
    ]


def explained(annotations, with_config=EMBEDDED, today=TODAY):
    """What is told at `kubectl apply` of a Deployment whose template carries the annotations."""
    template = {"metadata": {"annotations": annotations}, "spec": POD["spec"]}
    return ask_explain(workload_request(workload(template)), with_config, today=today)[1]


def test_a_pod_opts_out_for_all_its_containers_and_a_container_for_itself():
    for_all = annotated({OPT_OUT: "capabilities"}, APP, SIDECAR)
    for_one = annotated({OF_APP: "capabilities"}, APP, SIDECAR)

    assert dropped(for_all, ask(request(for_all))[1]) == []
    assert dropped(for_one, ask(request(for_one))[1]) == ["sidecar"]


def test_a_refused_word_takes_no_other_with_it():
    pod = annotated({OPT_OUT: "capabilites, resources", OF_APP: "seccompProfile, nonsense"})

    _, answer = ask(request(pod))

    container = hardened(pod, answer)["spec"]["containers"][0]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert "seccompProfile" not in container["securityContext"]
    assert container["resources"] == {}
    assert answer["warnings"] == [
        "hardener: opt-out capabilites(the pod) refused: did you mean capabilities?",
        "hardener: opt-out nonsense(app) refused: no such control",
    ]
    assert answer["auditAnnotations"]["opt-out"] == (
        "capabilites(the pod): did you mean capabilities?; resources(the pod): accepted; "
        "seccompProfile(app): accepted; nonsense(app): no such control"
    )


@pytest.mark.parametrize(
    ("until", "accepted"), [(-1, False), (0, True), (1, True), (29, True), (30, True), (31, False), (9999, False)]
)
def test_the_last_day_counts_and_maxdays_is_counted_from_today(until, accepted):
    pod = annotated({OPT_OUT: "capabilities", REASON: "starts as root", UNTIL: day(until)})

    _, answer = ask(request(pod), STRICT)

    assert (dropped(pod, answer) == []) is accepted
    assert ("warnings" not in answer) is accepted


def test_reason_and_last_day_speak_for_containers_too():
    pod = annotated({OF_APP: "capabilities", REASON: "starts as root", UNTIL: day(30)}, APP, SIDECAR)

    assert dropped(pod, ask(request(pod), STRICT)[1]) == ["sidecar"]


def test_a_star_takes_what_is_not_locked():
    text = "policies:\n  p: {optOut: {controls: [resources, seccompProfile]}}\ndefault: p\n"
    pod = annotated({OPT_OUT: "*"})

    _, answer = ask(request(pod), config(text))

    after = hardened(pod, answer)["spec"]["containers"][0]
    assert after["resources"] == {}
    assert set(after["securityContext"]) == {
        "allowPrivilegeEscalation",
        "capabilities",
        "readOnlyRootFilesystem",
        "runAsNonRoot",
    }
    assert "warnings" not in answer


def test_a_container_that_does_not_exist_is_told_before_the_pod_is_made_and_not_when_it_is():
    pod = annotated({OF_NOBODY: "capabilities"})

    _, answer = ask(request(pod))

    assert dropped(pod, answer) == ["app"]
    assert "warnings" not in answer
    assert f"hardener: {NOBODY}" in explained({OF_NOBODY: "capabilities"})


def test_an_opt_out_on_the_workload_itself_is_told_to_do_nothing():
    obj = workload(metadata={"name": "web", "annotations": {OPT_OUT: "*"}})

    _, warnings = ask_explain(workload_request(obj))

    assert warnings[0] == "hardener: hardener.dev/opt-out in metadata does nothing: move it to the pod template"
    assert len(warnings) > 1


def test_of_a_cron_job_the_metadata_of_its_jobs_does_nothing_either():
    obj = workload(kind="CronJob")
    obj["spec"]["jobTemplate"]["metadata"] = {"annotations": {OF_APP: "resources"}}

    _, warnings = ask_explain(workload_request(obj))

    assert warnings[0] == (
        "hardener: opt-out.hardener.dev/app in spec.jobTemplate.metadata does nothing: move it to the pod template"
    )


ENDING = "the opt-out of capabilities on the pod ends on {until}: pods made later are hardened"


@pytest.mark.parametrize(("until", "told"), [(0, True), (1, True), (14, True), (15, False), (-1, False)])
def test_an_opt_out_that_ends_within_fourteen_days_is_named_and_counted(until, told):
    annotations = {OPT_OUT: "capabilities", UNTIL: day(until)}
    metrics = Metrics()
    metrics.observe(respond(decode(request(annotated(annotations))), EMBEDDED, STANDALONE, TODAY), "shop", 0.001)
    counted = metrics.registry.get_sample_value("hardener_opt_outs_ending_total", {"control": "capabilities"})

    assert (f"hardener: {ENDING.format(until=day(until))}" in explained(annotations)) is told
    assert (counted == 1) is told


def test_the_day_is_an_argument_and_no_clock_is_read():
    annotations = {OPT_OUT: "capabilities", UNTIL: "2031-05-05"}

    assert "ends on 2031-05-05" in explained(annotations, today=date(2031, 5, 1))[0]
    assert "it ended on 2031-05-05" in explained(annotations, today=date(2031, 5, 6))[0]
    assert "2031" not in " ".join(explained(annotations, today=date(2031, 1, 1)))


def test_the_controllers_pod_is_counted_though_nobody_is_warned():
    body = request(annotated({OPT_OUT: "capabilites"}), userInfo={"username": "system:kube-controller-manager"})
    answer = respond(decode(body), EMBEDDED, STANDALONE, TODAY)
    metrics = Metrics()
    metrics.observe(answer, "shop", 0.001)

    assert answer.warnings == []
    assert (
        metrics.registry.get_sample_value("hardener_opt_outs_total", {"control": "unknown", "cause": "unknown-control"})
        == 1
    )


def test_a_dry_run_twin_judges_opt_outs_alike():
    template = {"metadata": {"annotations": {OPT_OUT: "capabilities"}}, "spec": POD["spec"]}
    review = decode_workload(workload_request(workload(template)))

    told = [explain(review, each, STANDALONE, TODAY).warnings for each in (STRICT, STRICT.capped())]

    assert told[0][0] == told[1][0]
    assert told[0][0] == "hardener: opt-out capabilities(the pod) refused: hardener.dev/opt-out-reason must say why"
    assert patch(ask(request(annotated({OPT_OUT: "capabilities"})), STRICT.capped())[1]) == []
