"""Equal pods of one workload are one finding, and what has ended is left out."""

import copy

import yaml

from hardener.report.assessment import Owner, assess_pod
from hardener.report.report import State
from tests.pods import document
from tests.report.findings import BARE, SAFE, collecting

DEPLOYMENT, REPLICA_SET = Owner("Deployment", "web"), Owner("ReplicaSet", "web-6d5f")


def pod(name, text=BARE, owner=None, namespace="shop", **fields):
    made = copy.deepcopy(document(text))
    made["metadata"] |= {"name": name, "namespace": namespace, **fields.pop("metadata", {})}
    if owner is not None:
        made["metadata"]["ownerReferences"] = [{"kind": owner.kind, "name": owner.name, "controller": True}]
    made["spec"] |= fields.pop("spec", {})
    return made | fields


def findings(found, known=()):
    return {
        (namespace.name, each.kind, each.name): each
        for namespace in found.namespaces(frozenset(known))
        for each in namespace.findings
    }


def test_pods_of_one_template_are_one_finding_although_each_has_something_of_its_own():
    found = collecting()
    for number in range(5):
        token = f"kube-api-access-{number:05d}"
        made = pod(
            f"web-{number}",
            owner=REPLICA_SET,
            spec={
                "nodeName": f"node-{number}",
                "volumes": [{"name": token, "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}],
            },
            metadata={"annotations": {"cni.projectcalico.org/podIP": f"10.0.0.{number}"}},
        )
        found.pod(made)

    (finding,) = findings(found).values()
    assert (finding.kind, finding.name, finding.pods) == ("ReplicaSet", "web-6d5f", 5)
    assert finding.examples == ("web-0", "web-1", "web-2")


def test_pods_of_one_template_are_judged_once(monkeypatch):
    judged = []
    monkeypatch.setattr(
        "hardener.report.collecting.assess_pod",
        lambda *arguments: judged.append(arguments) or assess_pod(*arguments),
    )
    found = collecting()
    for number in range(5):
        field = {"key": "metadata.name", "operator": "In", "values": [f"node-{number}"]}
        terms = {"nodeSelectorTerms": [{"matchFields": [field]}]}
        affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
        found.pod(pod(f"web-{number}", owner=Owner("DaemonSet", "agent"), spec={"affinity": affinity}))

    assert len(judged) == 1


def test_an_annotation_that_decides_makes_another_finding():
    found = collecting()
    found.pod(pod("a", owner=REPLICA_SET))
    found.pod(pod("b", owner=REPLICA_SET, metadata={"annotations": {"openshift.io/scc": "restricted"}}))

    (namespace,) = found.namespaces(frozenset())
    assert {each.controls["seccompProfile"] for each in namespace.findings} == {State.UNHARDENED, State.HELD}


def test_hardened_and_unhardened_pods_of_one_workload_are_two_findings():
    found = collecting()
    found.pod(pod("a", owner=REPLICA_SET))
    found.pod(pod("b", SAFE, owner=REPLICA_SET))

    (namespace,) = found.namespaces(frozenset())
    assert [(each.state, each.pods) for each in namespace.findings] == [(State.UNHARDENED, 1), (State.IN_PLACE, 1)]
    assert namespace.pods == 2


def test_pods_that_differ_in_nothing_that_is_told_are_one_finding():
    found = collecting()
    found.pod(pod("db-0", owner=Owner("StatefulSet", "db"), spec={"subdomain": "a"}))
    found.pod(pod("db-1", owner=Owner("StatefulSet", "db"), spec={"subdomain": "b"}))

    assert [each.pods for each in findings(found).values()] == [2]


def test_pods_of_two_replica_sets_come_under_the_deployment_that_owns_both():
    found = collecting()
    other = Owner("ReplicaSet", "web-77aa")
    found.pod(pod("a", owner=REPLICA_SET))
    found.pod(pod("b", owner=other))
    assert found.owners("ReplicaSet", "Job") == {("shop", REPLICA_SET), ("shop", other)}

    found.adopt({("shop", REPLICA_SET): DEPLOYMENT, ("shop", other): DEPLOYMENT})

    (finding,) = findings(found).values()
    assert (finding.kind, finding.name, finding.pods, finding.examples) == ("Deployment", "web", 2, ("a", "b"))


def test_a_pod_without_a_controller_stands_for_itself():
    found = collecting()
    found.pod(pod("alone", metadata={"ownerReferences": [{"kind": "Node", "name": "n"}]}))

    assert list(findings(found)) == [("shop", "Pod", "alone")]


def test_pods_that_have_ended_and_mirror_pods_are_only_counted():
    found = collecting()
    found.pod(pod("done", status={"phase": "Succeeded"}))
    found.pod(pod("dead", status={"phase": "Failed"}))
    found.pod(pod("static", metadata={"annotations": {"kubernetes.io/config.mirror": "x"}}))
    found.pod(pod("alive", status={"phase": "Running"}))

    assert (found.finished, found.mirrors) == (2, 1)
    assert [key[2] for key in findings(found)] == ["alive"]


def test_a_template_counts_no_pods_and_steps_back_behind_pods():
    found = collecting()
    found.pod(pod("a", owner=DEPLOYMENT))
    for name in ("web", "idle"):
        workload = {"metadata": {"name": name, "namespace": "shop"}, "spec": {"template": yaml.safe_load(BARE)}}
        found.template(workload, Owner("Deployment", name), ("spec", "template"))

    told = findings(found)
    assert told["shop", "Deployment", "web"].pods == 1
    assert (told["shop", "Deployment", "idle"].pods, told["shop", "Deployment", "idle"].state) == (
        0,
        State.WOULD_CHANGE,
    )


def test_namespaces_without_anything_in_them_are_told_too():
    names = [namespace.name for namespace in collecting().namespaces(frozenset({"b", "a"}))]

    assert names == ["a", "b"]


def test_a_list_that_has_to_be_read_again_counts_nothing_twice():
    found = collecting()
    for namespace in ("shop", "other"):
        found.pod(pod("a", namespace=namespace))
        found.pod(pod("done", namespace=namespace, status={"phase": "Failed"}))

    found.forget("shop")
    assert ([key[0] for key in findings(found)], found.finished) == (["other"], 1)
    found.pod(pod("a"))
    assert [each.pods for each in findings(found).values()] == [1, 1]
    found.forget()
    assert (findings(found), found.finished) == ({}, 0)


def test_a_pod_that_cannot_be_judged_is_told_and_the_others_stand():
    found = collecting()
    for number in range(25):
        found.pod(pod(f"odd-{number}", "{spec: {containers: 7}}"))
    found.pod(pod("a"))

    problems = list(found.problems())
    assert problems[0] == "Pod shop/odd-0 cannot be judged: spec.containers: Expected array | null, got int"
    assert problems[-1] == "and 5 more objects cannot be judged"
    assert len(problems) == 21
    assert [each.pods for each in findings(found).values()] == [1]


def test_the_policy_of_a_namespace_and_doubts_about_it_are_told():
    (namespace,) = collecting("default: observe").namespaces(frozenset({"shop"}))

    assert (namespace.policy.partition("@")[0], namespace.mode.value, namespace.notes) == ("observe", "dry-run", ())
