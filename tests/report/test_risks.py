"""Pods that were hardened, and show a trouble that a control is the likely cause of."""

import json

import pytest

from hardener.report.signs import Sign, Trouble, signs
from tests.report.findings import SAFE, assess

TROUBLES = {
    Trouble.USER: {
        "state": {
            "waiting": {
                "reason": "CreateContainerConfigError",
                "message": 'container has runAsNonRoot and image will run as root (pod: "web_shop(1)", container: app)',
            }
        }
    },
    Trouble.READ_ONLY: {
        "lastState": {"terminated": {"exitCode": 1, "message": "mkdir /var/cache/x: Read-only file system"}},
    },
    Trouble.MISSING_FILE: {
        "state": {"terminated": {"exitCode": 128, "message": 'exec: "/tmp/app/run.sh": no such file or directory'}},
    },
    Trouble.NOT_PERMITTED: {"lastState": {"terminated": {"exitCode": 126}}},
    Trouble.MEMORY: {"lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}},
}

CONTROLS = {
    Trouble.USER: "runAsNonRoot",
    Trouble.READ_ONLY: "readOnlyRootFilesystem",
    Trouble.MISSING_FILE: "readOnlyRootFilesystem",
    Trouble.NOT_PERMITTED: "capabilities",
    Trouble.MEMORY: "resources",
}


def hardened(status, applied="capabilities,readOnlyRootFilesystem,resources,runAsNonRoot"):
    metadata = json.dumps({"annotations": {"hardener.dev/applied": applied}})
    return f"{SAFE}metadata: {metadata}\nstatus: {json.dumps({'containerStatuses': [{'name': 'app', **status}]})}\n"


@pytest.mark.parametrize("trouble", Trouble)
def test_a_hardened_pod_in_trouble_names_the_control_that_is_the_likely_cause(trouble):
    (risk,) = assess(hardened(TROUBLES[trouble])).risks

    assert (risk.control, risk.container) == (CONTROLS[trouble], "app")
    assert risk.reason == f"{trouble.value}: {risk.control}, which the pod has, is the likely cause"


@pytest.mark.parametrize("trouble", Trouble)
def test_a_pod_that_nobody_has_hardened_has_other_reasons(trouble):
    assert assess(hardened(TROUBLES[trouble], applied="seccompProfile")).risks == ()


def test_restarts_for_other_reasons_tell_nothing():
    assert (
        assess(hardened({"restartCount": 7, "lastState": {"terminated": {"exitCode": 1, "message": "boom"}}})).risks
        == ()
    )


def test_the_user_of_the_first_process_is_read():
    assert signs({"containerStatuses": [{"name": "app", "user": {"linux": {"uid": 0}}}]}) == {"app": Sign(0)}


@pytest.mark.parametrize("status", [None, {}, 7, {"containerStatuses": 7}, {"containerStatuses": [{"name": 7}]}])
def test_a_status_of_another_shape_tells_nothing(status):
    assert signs(status) == {}
