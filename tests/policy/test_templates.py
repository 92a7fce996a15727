"""The lines that say where custom resources hold pod templates."""

import pytest

from hardener.model.workloads import ANY
from tests.policy.configs import mistakes, read


def lines(*items):
    return "templates:\n" + "".join(f"- {{{item}}}\n" for item in items)


def test_without_a_line_only_kubernetes_own_kinds_are_known():
    assert read("default: standard").templates == {}
    assert read("templates: null").templates == {}


def test_a_kind_may_hold_templates_in_several_places():
    config = read(
        lines(
            "group: ray.io, kind: RayCluster, path: spec.headGroupSpec.template",
            'group: ray.io, kind: RayCluster, path: "spec.workerGroupSpecs[*].template"',
            'group: kubeflow.org, kind: PyTorchJob, path: "spec.pytorchReplicaSpecs.*.template"',
            'group: ray.io, kind: RayCluster, path: "spec.workerGroupSpecs[*].template"',
        )
    )

    assert config.templates == {
        ("ray.io", "RayCluster"): (
            ("spec", "headGroupSpec", "template"),
            ("spec", "workerGroupSpecs", ANY, "template"),
        ),
        ("kubeflow.org", "PyTorchJob"): (("spec", "pytorchReplicaSpecs", ANY, "template"),),
    }


@pytest.mark.parametrize(
    ("item", "mistake"),
    [
        ("kind: Rollout, path: spec.template", "4: templates[0].group: is missing: it must be a text"),
        (
            "group: argoproj.io/v1alpha1, kind: Rollout, path: spec.template",
            "4: templates[0].group: 'argoproj.io/v1alpha1' names a version: write the group alone, 'argoproj.io'",
        ),
        (
            'group: "", kind: Rollout, path: spec.template',
            "4: templates[0].group: '' is no API group: it is what stands before the slash of apiVersion",
        ),
        (
            "group: apps, kind: Deployment, path: spec.template",
            "4: templates[0]: Deployment of apps is known without it: leave this line out",
        ),
        (
            "group: extensions, kind: Deployment, path: spec.template",
            "4: templates[0]: Deployment of extensions is known without it: leave this line out",
        ),
        (
            "group: argoproj.io, kind: rollouts, path: spec.template",
            "4: templates[0].kind: 'rollouts' is no kind: it is written as in manifests, with a capital letter",
        ),
        (
            "group: argoproj.io, kind: Rollout, path: /spec/template",
            "4: templates[0].path: '/spec/template' is no path: write keys with dots between them, as in spec.template",
        ),
        (
            "group: argoproj.io, kind: Rollout, path: spec..template",
            "4: templates[0].path: 'spec..template' is no path: write keys with dots between them, as in spec.template",
        ),
        (
            'group: argoproj.io, kind: Rollout, path: "spec.items[0].template"',
            "4: templates[0].path: 'spec.items[0].template' is no path: write keys with dots between them, "
            "as in spec.template",
        ),
        (
            "group: argoproj.io, kind: Rollout, paths: spec.template",
            "4: templates[0].paths: unknown key; did you mean path?",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line_and_key(item, mistake):
    assert mistake in mistakes(lines(item))


def test_all_mistakes_of_all_lines_are_named():
    found = mistakes(lines("group: a/b, kind: c, path: d.", "group: g, kind: K, path: p", "group: G, kind: K, path: p"))

    assert [each.partition(": ")[2].partition(":")[0] for each in found] == [
        "templates[0].group",
        "templates[0].kind",
        "templates[0].path",
        "templates[2].group",
    ]
