"""Others that change pods too: whatever they add, and whenever, it is hardened or held back with a reason, and it settles."""

import pytest

from tests.e2e.double import allow
from tests.e2e.hardening import TOKEN_PREFIX, held_back, lacking
from tests.e2e.neighbours import (
    INJECTED,
    POD,
    PRIVILEGED_INIT,
    ROOT_INIT,
    Neighbours,
    injection,
    is_read_only,
    names,
    once,
)
from tests.e2e.registration import LABEL
from tests.promises import broken

BEFORE_OURS, AFTER_OURS = "aa-injector", "zzz-injector"


@pytest.fixture
def neighbours(control_plane, hardener):
    with Neighbours(control_plane) as started:
        yield started


def with_volumes_in_order(pod):
    """The pod with volumes and mounts by name and the token's name as one: each webhook adds its own when it comes."""

    def ordered(rows):
        named = [{**row, "name": TOKEN_PREFIX if row["name"].startswith(TOKEN_PREFIX) else row["name"]} for row in rows]
        return sorted(named, key=lambda row: (row["name"].startswith("hardener-"), row["name"]))

    spec = {**pod["spec"], "volumes": ordered(pod["spec"].get("volumes", []))}
    for field in ("containers", "initContainers"):
        spec[field] = [{**each, "volumeMounts": ordered(each.get("volumeMounts", []))} for each in spec[field]]
    return {**pod, "spec": spec}


INITS = {"root": ROOT_INIT, "privileged": PRIVILEGED_INIT}


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("at", ["the end", "the front"])
@pytest.mark.parametrize("name", [BEFORE_OURS, AFTER_OURS])
def test_an_injected_sidecar_is_hardened_whether_its_webhook_comes_before_or_after(neighbours, name, at, init):
    neighbours.add(name, injection(at, INITS[init]))
    alone = neighbours.create(neighbours.namespace(name, with_ours=False))
    namespace = neighbours.namespace(name)

    pod = neighbours.create(namespace)

    order = (
        (["app", "proxy"], ["migrate", "proxy-init"])
        if at == "the end"
        else (["proxy", "app"], ["proxy-init", "migrate"])
    )
    assert (names(pod), names(pod, "initContainers")) == order
    assert lacking(pod) == set(held_back(pod)), "each control is there, or held back with a reason"
    assert {container for _, container in lacking(pod)} == {"proxy-init"}
    assert broken(with_volumes_in_order(alone), with_volumes_in_order(pod)) == []
    assert neighbours.calls_of_ours == (1 if name == BEFORE_OURS else 2)

    assert neighbours.create(namespace, pod) == pod, "it has settled"


def test_an_init_container_that_must_be_root_is_held_back_for_that_alone(neighbours):
    neighbours.add(AFTER_OURS, injection("the front"))

    pod = neighbours.create(neighbours.namespace(AFTER_OURS))

    assert held_back(pod) == {("runAsNonRoot", "proxy-init"): "runAsUser is 0"}
    capabilities = pod["spec"]["initContainers"][0]["securityContext"]["capabilities"]
    assert capabilities == {"add": ["NET_ADMIN", "NET_RAW"], "drop": ["ALL"]}


def test_two_injectors_on_both_sides_settle_too(neighbours):
    neighbours.add("aa-first", injection("the front"), label="both")
    neighbours.add("zzz-last", once("agent"), label="both")
    namespace = neighbours.namespace("both")

    pod = neighbours.create(namespace)

    assert names(pod) == ["proxy", "app", "agent"]
    assert lacking(pod) == set(held_back(pod)) == {("runAsNonRoot", "proxy-init")}
    assert neighbours.create(namespace, pod) == pod


def test_a_sidecar_that_comes_only_in_the_second_round_is_hardened_if_its_webhook_sorts_before_ours(neighbours):
    neighbours.add(BEFORE_OURS, once("late", is_read_only))

    pod = neighbours.create(neighbours.namespace(BEFORE_OURS))

    assert names(pod) == ["app", "late"]
    assert lacking(pod) == set()


def test_a_sidecar_of_the_second_round_from_a_webhook_that_sorts_after_ours_stays_as_it_is(neighbours):
    """The reason why `zz-hardener` should sort last: there is no third round in which it could be called."""
    neighbours.add("zzz-a", once("late", lambda pod: "early" in names(pod)), label="late")
    neighbours.add("zzz-b", once("early"), label="late")

    pod = neighbours.create(neighbours.namespace("late"))

    assert names(pod) == ["app", "early", "late"]
    assert {container for _, container in lacking(pod)} == {"late"}
    assert neighbours.calls_of_ours == 2


def test_a_namespace_that_enforces_pod_security_refuses_the_pod_with_such_a_sidecar(neighbours):
    neighbours.add("zzz-c", once("later", lambda pod: "early" in names(pod)), label="refused")
    neighbours.add("zzz-d", once("early"), label="refused")
    labels = {INJECTED: "refused", LABEL: "true", "pod-security.kubernetes.io/enforce": "restricted"}
    namespace = neighbours.control_plane.make_namespace(labels=labels)

    pod = {**POD, "metadata": {"name": "web"}}
    reply = neighbours.control_plane.request("POST", f"/api/v1/namespaces/{namespace}/pods", pod)

    assert reply.status == 403
    assert 'container "later" must set securityContext.allowPrivilegeEscalation=false' in reply.message
    assert '"app"' not in reply.message


def borrow(mount_path=None):
    """An injector that gives its sidecar the app's own mount of the token, as secret stores and meshes do."""

    def answer(review):
        pod = review["request"]["object"]
        mounts = pod["spec"]["containers"][0].get("volumeMounts", [])
        token = next((mount for mount in mounts if mount["name"].startswith(TOKEN_PREFIX)), None)
        if "agent" in names(pod) or token is None:
            return allow(review)
        mount = {**token, "mountPath": mount_path or token["mountPath"]}
        agent = {"name": "agent", "image": "agent:1", "volumeMounts": [mount]}
        return allow(review, [{"op": "add", "path": "/spec/containers/-", "value": agent}])

    return answer


def has_token(pod):
    return {
        container["name"]
        for container in pod["spec"]["containers"]
        if any(mount["name"].startswith(TOKEN_PREFIX) for mount in container.get("volumeMounts", []))
    }


@pytest.mark.parametrize(("name", "found"), [(BEFORE_OURS, True), (AFTER_OURS, False)])
def test_an_injector_that_looks_for_the_token_finds_it_only_before_us(neighbours, name, found):
    neighbours.add(name, borrow())

    pod = neighbours.create(neighbours.namespace(name))

    assert ("agent" in names(pod)) is found
    assert has_token(pod) == set(), "a sidecar that shares the app's mount loses it with the app"


def test_a_sidecar_that_mounts_the_token_elsewhere_keeps_it_and_so_does_the_pod(neighbours):
    neighbours.add(BEFORE_OURS, borrow("/var/run/secrets/agent"))

    pod = neighbours.create(neighbours.namespace(BEFORE_OURS))

    assert has_token(pod) == {"app", "agent"}
    assert held_back(pod)[("automountServiceAccountToken", "the pod")] == "the token volume is also used in another way"


@pytest.mark.parametrize("annotation", ["hardener.dev/opt-out", "opt-out.hardener.dev/agent"])
def test_with_the_opt_out_a_sidecar_keeps_the_token_that_it_borrows(neighbours, annotation):
    neighbours.add(BEFORE_OURS, borrow())
    opted_out = {**POD, "metadata": {**POD["metadata"], "annotations": {annotation: "automountServiceAccountToken"}}}

    pod = neighbours.create(neighbours.namespace(BEFORE_OURS), opted_out)

    assert has_token(pod) == ({"app", "agent"} if annotation == "hardener.dev/opt-out" else {"agent"})


def test_what_another_webhook_says_explicitly_is_kept(neighbours):
    """It cannot be told from what the author wrote; even when it comes after us, it has the last word."""
    value = {"op": "add", "path": "/spec/containers/0/securityContext/readOnlyRootFilesystem", "value": False}
    neighbours.add(AFTER_OURS, lambda review: allow(review, [value]))

    pod = neighbours.create(neighbours.namespace(AFTER_OURS))

    assert held_back(pod) == {("readOnlyRootFilesystem", "app"): "readOnlyRootFilesystem is explicitly false"}
    assert lacking(pod) == set(held_back(pod))
