"""What pods lack, and opt-outs that are refused, as results about workloads."""

import json

from hardener.cli.reports.as_sarif import encode_sarif
from tests.cli.output.sarif_schema import mistakes
from tests.cli.reports.reported import REPORT, finding, namespace, report
from tests.report.findings import BARE


def results(whole=REPORT, **fields):
    found = json.loads(encode_sarif(whole))["runs"][0]["results"]
    return [each for each in found if fields.items() <= each.items()]


def places(found):
    return {each["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] for each in found}


def test_what_is_enforced_is_a_warning_and_what_is_tried_or_not_made_yet_is_a_note():
    assert places(results(ruleId="runAsNonRoot", level="warning")) == {
        "bare/Deployment/web/app",
        "bare/Deployment/late/app",
    }
    assert places(results(ruleId="runAsNonRoot", level="note")) == {
        "bare/Deployment/idle/app",
        "trial/Deployment/web/app",
    }


def test_the_log_is_as_the_published_schema_wants_it():
    assert list(mistakes(json.loads(encode_sarif(REPORT)))) == []


def test_a_message_says_what_of_which_pods():
    (result,) = results(report(namespace("bare", finding(BARE, "web", 4))), ruleId="runAsNonRoot")

    assert result["message"]["text"].startswith(
        "securityContext.runAsNonRoot of app is not as the policy says (4 pods): "
    )


def test_a_refused_opt_out_is_an_error():
    found = results(ruleId="optOut")

    assert [(each["level"], each["message"]["text"]) for each in found] == [
        ("error", "the opt-out of resources on the pod is refused (2 pods): it ended on 2020-01-01"),
        ("error", "the opt-out of capabilities on the pod is refused (2 pods): it ended on 2020-01-01"),
    ]


def test_what_could_not_be_read_makes_the_run_unsuccessful():
    (run,) = json.loads(encode_sarif(REPORT))["runs"]
    (invocation,) = run["invocations"]

    assert invocation["executionSuccessful"] is False
    assert [each["message"]["text"] for each in invocation["toolExecutionNotifications"]] == list(REPORT.problems)


def test_a_result_is_the_same_one_when_the_number_of_pods_changes():
    def fingerprints(pods):
        found = results(report(namespace("bare", finding(BARE, "web", pods))))
        return {each["partialFingerprints"]["hardenerIdentity/v1"] for each in found}

    assert fingerprints(4) == fingerprints(9)
    assert len(fingerprints(4)) == len(results(report(namespace("bare", finding(BARE, "web", 4)))))
