"""Where pod templates lie."""

import pytest

from hardener.model.workloads import TEMPLATES, template_path


@pytest.mark.parametrize(
    ("api_version", "kind", "path"),
    [
        ("v1", "Pod", ()),
        ("v1", "PodTemplate", ("template",)),
        ("v1", "ReplicationController", ("spec", "template")),
        ("apps/v1", "Deployment", ("spec", "template")),
        ("apps/v1beta2", "StatefulSet", ("spec", "template")),
        ("extensions/v1beta1", "DaemonSet", ("spec", "template")),
        ("apps/v1", "ReplicaSet", ("spec", "template")),
        ("batch/v1", "Job", ("spec", "template")),
        ("batch/v1beta1", "CronJob", ("spec", "jobTemplate", "spec", "template")),
    ],
)
def test_a_workload_s_template_is_found(api_version, kind, path):
    assert template_path(api_version, kind) == path


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [("v1", "Service"), ("serving.knative.dev/v1", "Deployment"), ("apps/v1", "Pod"), ("batch/v1", "pod"), ("", "")],
)
def test_another_kind_or_group_holds_none(api_version, kind):
    assert template_path(api_version, kind) is None


def test_a_group_without_a_slash_is_the_core_group():
    assert template_path("v1", "Pod") == TEMPLATES["", "Pod"]
