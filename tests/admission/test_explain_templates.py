"""`/explain` for kinds that the configuration adds, of which one object can hold several pod templates."""

from hardener.admission import Explained
from tests.admission.asking import EMBEDDED, ask_explain, config
from tests.admission.reviews import workload_request

CONFIG = config("""
templates:
- {group: argoproj.io, kind: Rollout, path: spec.template}
- {group: jobset.x-k8s.io, kind: JobSet, path: "spec.replicatedJobs[*].template.spec.template"}
policies:
  ours: {controls: {resources: null, readOnlyRootFilesystem: null, runAsNonRoot: null, seccompProfile: null}}
default: ours
""")


def template(name, **metadata):
    return {"metadata": metadata, "spec": {"containers": [{"name": name, "image": f"{name}:1"}]}}


def job_set(*templates, **metadata):
    jobs = [{"name": "job", "template": {"spec": {"template": each}}} for each in templates]
    return {
        "apiVersion": "jobset.x-k8s.io/v1",
        "kind": "JobSet",
        "metadata": metadata,
        "spec": {"replicatedJobs": jobs},
    }


def rollout(**spec):
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web"}, "spec": spec}


def test_an_added_kind_is_told_what_its_pods_will_receive():
    assert ask_explain(workload_request(rollout(template=template("web"))), CONFIG) == (
        Explained.EXPLAINED,
        [
            "hardener: will set allowPrivilegeEscalation, capabilities on web",
            "hardener: will set automountServiceAccountToken on the pod",
        ],
    )


def test_without_its_line_nothing_is_said_about_it():
    assert ask_explain(workload_request(rollout(template=template("web"))), EMBEDDED) == (Explained.IGNORED, [])


def test_an_object_without_its_template_has_nothing_to_be_told():
    body = workload_request(rollout(workloadRef={"kind": "Deployment", "name": "web"}))

    assert ask_explain(body, CONFIG) == (Explained.IGNORED, [])


def test_every_template_of_an_object_is_explained():
    result, told = ask_explain(workload_request(job_set(template("leader"), template("worker"))), CONFIG)

    assert result is Explained.EXPLAINED
    assert told == [
        "hardener: will set allowPrivilegeEscalation, capabilities on leader",
        "hardener: will set automountServiceAccountToken on the pod",
        "hardener: will set allowPrivilegeEscalation, capabilities on worker",
    ]


def test_of_an_update_only_the_templates_that_changed_are_told():
    before, after = template("worker"), template("worker")
    after["spec"]["containers"][0]["image"] = "worker:2"
    old, new = job_set(template("leader"), before), job_set(template("leader"), after)

    _, told = ask_explain(workload_request(new, operation="UPDATE", oldObject=old), CONFIG)

    assert told[0] == "hardener: will set allowPrivilegeEscalation, capabilities on worker"
    assert not any("leader" in line for line in told)
    assert ask_explain(workload_request(old, operation="UPDATE", oldObject=old), CONFIG) == (Explained.UNCHANGED, [])


def test_an_opt_out_above_the_template_is_pointed_out_by_its_place():
    obj = job_set(template("worker"), annotations={"hardener.dev/opt-out": "capabilities"})
    obj["spec"]["replicatedJobs"][0]["template"]["metadata"] = {"annotations": {"hardener.dev/opt-out": "resources"}}

    _, told = ask_explain(workload_request(obj), CONFIG)

    assert told[:2] == [
        "hardener: hardener.dev/opt-out in metadata does nothing: move it to the pod template",
        "hardener: hardener.dev/opt-out in spec.replicatedJobs[0].template.metadata does nothing: move it to the pod "
        "template",
    ]


def test_a_template_of_another_shape_is_named_and_nothing_is_refused():
    result, told = ask_explain(workload_request(rollout(template="text")), CONFIG)

    assert result is Explained.MISFIT
    assert told == ["hardener: not explained, the object is no Rollout: spec.template: must be a mapping"]
