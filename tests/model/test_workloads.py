"""Where pod templates lie."""

import pytest

from hardener.errors import MisfitError
from hardener.model.workloads import ANY, MOST_TEMPLATES, NO_OTHERS, TEMPLATES, template_path, template_paths


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


OTHERS = {
    ("argoproj.io", "Rollout"): (("spec", "template"),),
    ("jobset.x-k8s.io", "JobSet"): (("spec", "replicatedJobs", ANY, "template", "spec", "template"),),
    ("kubeflow.org", "PyTorchJob"): (("spec", "pytorchReplicaSpecs", ANY, "template"),),
}
TEMPLATE = {"spec": {}}


def paths(api_version, kind, spec):
    return template_paths({"spec": spec}, api_version, kind, OTHERS)


def test_a_kind_of_kubernetes_has_its_one_template_also_where_an_object_lacks_it():
    assert template_paths({}, "apps/v1", "Deployment", NO_OTHERS) == (("spec", "template"),)
    assert template_paths({}, "v1", "Pod", OTHERS) == ((),)
    assert template_paths({}, "v1", "Service", OTHERS) is None


def test_a_kind_that_the_configuration_adds_is_known_in_every_version():
    assert paths("argoproj.io/v1alpha1", "Rollout", {"template": TEMPLATE}) == (("spec", "template"),)
    assert paths("argoproj.io/v2", "Rollout", {"template": TEMPLATE}) == (("spec", "template"),)
    assert paths("example.org/v1", "Rollout", {"template": TEMPLATE}) is None


def test_an_object_of_such_a_kind_may_lack_its_template():
    assert paths("argoproj.io/v1alpha1", "Rollout", {"workloadRef": {"kind": "Deployment"}}) == ()
    assert paths("argoproj.io/v1alpha1", "Rollout", None) == ()


def test_a_pattern_stands_for_every_item_of_a_list():
    jobs = [
        {"template": {"spec": {"template": TEMPLATE}}},
        {"template": None},
        {"template": {"spec": {"template": {}}}},
    ]

    assert paths("jobset.x-k8s.io/v1", "JobSet", {"replicatedJobs": jobs}) == tuple(
        ("spec", "replicatedJobs", index, "template", "spec", "template") for index in (0, 2)
    )


def test_a_pattern_stands_for_every_value_of_a_mapping():
    roles = {"Master": {"template": TEMPLATE}, "Worker": {"template": TEMPLATE}}

    assert paths("kubeflow.org/v1", "PyTorchJob", {"pytorchReplicaSpecs": roles}) == tuple(
        ("spec", "pytorchReplicaSpecs", role, "template") for role in roles
    )


@pytest.mark.parametrize("spec", ["text", 7, [1], {"template": "text"}])
def test_where_an_object_has_another_shape_the_path_leads_there_and_says_so(spec):
    assert paths("argoproj.io/v1alpha1", "Rollout", spec) == (("spec", "template"),)


def test_an_object_with_too_many_templates_is_refused():
    jobs = [{"template": {"spec": {"template": TEMPLATE}}}] * (MOST_TEMPLATES + 1)

    with pytest.raises(MisfitError, match="more than 256 pod templates"):
        paths("jobset.x-k8s.io/v1", "JobSet", {"replicatedJobs": jobs})
    assert len(paths("jobset.x-k8s.io/v1", "JobSet", {"replicatedJobs": jobs[1:]})) == MOST_TEMPLATES
