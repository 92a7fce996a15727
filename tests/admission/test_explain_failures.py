"""`/explain` where something is wrong: with the object, the body, or hardener itself. It refuses none of them."""

import orjson
import pytest

from hardener.admission import Explained, decode_workload, explain
from hardener.admission.review import MOST_CONTAINERS
from hardener.errors import ReviewError
from hardener.model import STANDALONE, Mode
from hardener.policy.config import OnError
from hardener.server.counting import Metrics
from tests.admission.asking import BUG, ask_explain, broken_config, failing_engine
from tests.admission.reviews import workload, workload_request
from tests.admission.test_explain import APP, CONTROLLER, EVERY_CHANGE, spec
from tests.admission.test_review import NOT_A_REVIEW, NOT_JSON
from tests.pods import TODAY

MISFITS = {
    "null": (None, "it must be a mapping"),
    "a list": ([], "it must be a mapping"),
    "a text": ("Deployment", "it must be a mapping"),
    "a spec that is a text": ({**workload(), "spec": "none"}, "spec: must be a mapping"),
    "a template that is a number": (workload(template=7), "spec.template: must be a mapping"),
    "containers that are a mapping": (
        workload({"spec": {"containers": {}}}),
        "spec.template.spec.containers: Expected array",
    ),
    "a user that is a text": (
        workload(spec({**APP, "securityContext": {"runAsUser": "root"}})),
        "spec.template.spec.containers[0].securityContext.runAsUser: Expec",
    ),
    "metadata that is a list": ({**workload(), "metadata": []}, "metadata: must be a mapping"),
    "a name that is a number": ({**workload(), "metadata": {"name": 7}}, "metadata.name: must be a text"),
}


@pytest.mark.parametrize(("obj", "reason"), MISFITS.values(), ids=MISFITS)
def test_an_object_of_another_shape_is_told_where_it_does_not_fit(obj, reason):
    result, told = ask_explain(workload_request(workload(), object=obj))

    assert result is Explained.MISFIT
    assert len(told) == 1
    assert told[0].startswith(f"hardener: not explained, the object is no Deployment: {reason}")


@pytest.mark.parametrize(
    "template", [None, {}, {"spec": None}, {"spec": {}}, {"metadata": None}, {"spec": {"containers": []}}]
)
def test_a_template_without_containers_is_explained_as_far_as_it_goes(template):
    obj = workload()
    obj["spec"]["template"] = template

    result, told = ask_explain(workload_request(obj))

    assert (result, told) == (Explained.EXPLAINED, [])


def test_what_a_workload_with_more_containers_than_etcd_can_store_will_receive_is_not_asked():
    crowd = [{"name": f"app-{index}"} for index in range(MOST_CONTAINERS + 1)]
    too_many = {"spec": {"containers": crowd[:1], "initContainers": crowd[:-1]}}

    result, told = ask_explain(workload_request(workload(too_many)))

    assert result is Explained.MISFIT
    assert told[0].startswith(
        f"hardener: not explained, the object is no Deployment: spec.template.spec: it has {MOST_CONTAINERS + 1} containers"
    )
    assert ask_explain(workload_request(workload(spec(*crowd[:-1]))))[0] is Explained.EXPLAINED


@pytest.mark.parametrize("on_error", OnError)
def test_a_failing_control_is_told_counted_and_never_refused(on_error):
    review = decode_workload(workload_request(workload()))
    explanation = explain(review, broken_config(on_error), STANDALONE, TODAY)
    metrics = Metrics()
    metrics.observe_explanation(explanation, 0.001)

    assert explanation.result is Explained.FAILED
    assert explanation.warnings == ["hardener: internal error in broken: it was left out", *EVERY_CHANGE]
    assert [(verdict.control, verdict.error) for verdict in explanation.failures] == [("broken", BUG)]
    assert metrics.registry.get_sample_value("hardener_internal_errors_total", {"control": "broken"}) == 1
    assert ask_explain(workload_request(workload()), broken_config(on_error))[0] is Explained.FAILED


@pytest.mark.parametrize("on_error", OnError)
def test_a_failing_engine_is_told_counted_and_never_refused(on_error):
    broken = failing_engine(on_error)
    explanation = explain(decode_workload(workload_request(workload())), broken, STANDALONE, TODAY)
    metrics = Metrics()
    metrics.observe_explanation(explanation, 0.001)

    assert explanation.error is BUG
    assert metrics.registry.get_sample_value("hardener_internal_errors_total", {"control": "engine"}) == 1
    assert ask_explain(workload_request(workload()), broken) == (
        Explained.FAILED,
        ["hardener: internal error: nothing is explained"],
    )


def test_a_controller_is_spared_a_failing_engine_too():
    body = workload_request(workload(), userInfo=CONTROLLER)

    assert ask_explain(body, failing_engine(OnError.DENY)) == (Explained.SPARED, [])


def test_a_failing_control_in_dry_run_is_told_as_well():
    result, told = ask_explain(workload_request(workload()), broken_config(OnError.DENY, Mode.DRY_RUN))

    assert result is Explained.FAILED
    assert told[0] == "hardener: internal error in broken: it was left out"


@pytest.mark.parametrize(("body", "reason"), NOT_JSON.values(), ids=NOT_JSON.keys())
def test_what_is_not_json_is_refused_as_for_pods(body, reason):
    with pytest.raises(ReviewError) as raised:
        decode_workload(body)

    assert str(raised.value).startswith("the body is not")
    assert reason.lower() in str(raised.value).lower()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("body", NOT_A_REVIEW.values(), ids=NOT_A_REVIEW.keys())
def test_json_that_is_no_review_is_refused_as_for_pods(body):
    with pytest.raises(ReviewError, match=r"AdmissionReview"):
        decode_workload(body)


def test_nested_objects_are_compared_however_deep_they_are():
    deep = orjson.loads(b"[" * 200 + b"]" * 200)
    obj = workload(spec(APP, junk=deep))

    assert ask_explain(workload_request(obj, operation="UPDATE", oldObject=obj)) == (Explained.UNCHANGED, [])
