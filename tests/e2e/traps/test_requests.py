"""Traps that no single new pod shows: other operations, the form of requests and answers (semantics.md 2, 6)."""

import pytest
from aiohttp import web

from hardener.controls import CATALOGUE
from hardener.controls.read_only_root_filesystem import SAFE_TO_EVICT
from hardener.policy.builtin import BUILTIN
from tests.e2e.double import allow, patching
from tests.e2e.registration import CONFIGURATIONS, webhook_configuration
from tests.e2e.traps.bench import OUR_WEBHOOK, pod, pods
from tests.e2e.waiting import eventually
from tests.traps.expectation import without_random

MERGE = "application/strategic-merge-patch+json"
NON_ROOT = {"op": "add", "path": "/spec/containers/0/securityContext", "value": {"runAsNonRoot": True}}

FAILED = 'Internal error occurred: failed calling webhook "naive-once.traps.hardener.dev": failed to call webhook: '
TROUBLE = (
    f'{FAILED}an error on the server ("500 Internal Server Error\\n\\nServer got itself in trouble") '
    "has prevented the request from succeeding"
)


@pytest.fixture(scope="module")
def places(bench):
    """Namespaces by who is asked about whatever is done to a pod `web` that is in each of them."""
    found = {
        "nobody": bench.namespace("requests-nobody"),
        "hardener": bench.namespace("requests-hardener", ours="all"),
        "naive": bench.namespace("requests-naive", naive="all"),
    }
    bench.double.answers["/all"] = allow
    for namespace in found.values():
        assert bench.create(pod(), namespace, dry_run=False).status == 201
    return found


def test_trap_61_a_debug_container_comes_as_it_is(bench, places, answers):
    debug = {"spec": {"ephemeralContainers": [{"name": "debug", "image": "busybox"}]}}
    first = "/spec/ephemeralContainers/0"
    volume = {"op": "add", "path": "/spec/volumes/-", "value": {"name": "tmp", "emptyDir": {}}}
    mount = {"op": "add", "path": f"{first}/volumeMounts", "value": [{"name": "tmp", "mountPath": "/tmp"}]}

    def send(place):
        path = f"{pods(places[place])}/web/ephemeralcontainers"
        return bench.cluster.request("PATCH", path, debug, query={"dryRun": "All"}, content_type=MERGE)

    plain, ours = send("nobody"), send("hardener")
    answers["/all"] = patching({"op": "add", "path": f"{first}/resources/limits", "value": {"memory": "1Gi"}})
    limited = send("naive")
    answers["/all"] = patching(volume, mount)
    mounted = send("naive")

    assert (plain.status, ours.status) == (200, 200)
    assert ours.body["spec"]["ephemeralContainers"] == plain.body["spec"]["ephemeralContainers"]
    assert (limited.status, limited.message) == (
        422,
        'Pod "web" is invalid: spec.ephemeralContainers[0].resources: Forbidden: '
        "cannot be set for an Ephemeral Container",
    )
    assert (mounted.status, mounted.message) == (
        422,
        'Pod "web" is invalid: spec.ephemeralContainers[0].volumeMounts[0].name: Not found: "tmp"',
    )


def test_trap_62_an_old_pod_can_be_labelled(bench, places, answers):
    def send(place):
        path = f"{pods(places[place])}/web"
        return bench.cluster.request("PATCH", path, {"metadata": {"labels": {"a": "b"}}}, content_type=MERGE)

    ours = send("hardener")
    answers["/all"] = patching(NON_ROOT)
    naive = send("naive")

    assert (ours.status, ours.body["metadata"]["labels"]) == (200, {"a": "b"})
    # What follows in the message is the difference of the whole specs.
    assert (naive.status, naive.message.partition("\n")[0]) == (
        422,
        'Pod "web" is invalid: spec: Forbidden: pod updates may not change fields other than '
        "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` "
        "(only additions to existing tolerations),`spec.terminationGracePeriodSeconds` "
        "(allow it to be set to 1 if it was previously negative)",
    )


EVICTION = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web"}}
BINDING = {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "web"}, "target": {"kind": "Node", "name": "n1"}}
DRY_RUN = {"dryRun": "All"}
NO_LABELS = (
    'Internal error occurred: add operation does not apply: doc is missing path: "/metadata/labels": missing value'
)
NOT_MODIFIED = (
    'Internal error occurred: admission webhook "naive-all.traps.hardener.dev" attempted to modify the object, '
    "which is not supported for this operation"
)
# What is done: method, path, query, body; and what comes of a patch that adds a label to whatever there is. Against
# semantics.md 8, only a DELETE and the options of a CONNECT cannot take it.
OTHERS = {
    "resize": ("PATCH", "/resize", DRY_RUN, {"spec": {"containers": [{"name": "app", "resources": {}}]}}, 200, ""),
    "status": ("PATCH", "/status", DRY_RUN, {"status": {"message": "as told"}}, 200, ""),
    "eviction": ("POST", "/eviction", DRY_RUN, EVICTION, 201, ""),
    "binding": ("POST", "/binding", DRY_RUN, BINDING, 201, ""),
    "exec": ("GET", "/exec", {"command": "true"}, None, 500, NO_LABELS),
    "attach": ("GET", "/attach", {}, None, 500, NO_LABELS),
    "port-forward": ("GET", "/portforward", {}, None, 500, NO_LABELS),
    "proxy": ("GET", "/proxy/", {}, None, 500, NO_LABELS),
    "delete": ("DELETE", "", DRY_RUN, None, 500, NOT_MODIFIED),
}


@pytest.mark.parametrize("what", OTHERS)
def test_trap_63_what_else_is_done_to_a_pod_passes(what, bench, places, answers):
    method, rest, query, body, status, message = OTHERS[what]

    def send(place):
        content_type = MERGE if method == "PATCH" else "application/json"
        path = f"{pods(places[place])}/web{rest}"
        return bench.cluster.request(method, path, body, query=query, content_type=content_type)

    plain, ours = send("nobody"), send("hardener")
    answers["/all"] = patching({"op": "add", "path": "/metadata/labels", "value": {"naive": "yes"}})
    naive = send("naive")

    # The pod is on no node, so that what needs one fails, and with the same words.
    assert (ours.status, ours.message) == (plain.status, plain.message)
    assert plain.message in ("", "pod web does not have a host assigned", "address not allowed")
    assert (naive.status, naive.message) == (status, message)


def test_trap_65_what_is_ours_is_left_out_where_annotations_would_grow_too_big(bench, answers):
    # One letter of two bytes, since bytes are counted; 20 are left.
    big = pod(annotations={"note": "ü" + "x" * (262_144 - len("note") - 2 - 20)})
    plain, ours = bench.create(big, "plain"), bench.create(big, "traps")
    answers["/once"] = patching(
        {"op": "add", "path": "/metadata/annotations/naive.example~1hardened-by", "value": "naive"}
    )
    naive = bench.create(big, "naive")

    assert (plain.status, ours.status) == (201, 201)
    assert ours.body["metadata"]["annotations"] == big["metadata"]["annotations"]
    assert ours.body["spec"]["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    assert SAFE_TO_EVICT in bench.create(pod(annotations={"note": "x"}), "traps").body["metadata"]["annotations"]
    assert (naive.status, naive.message) == (
        422,
        'Pod "web" is invalid: metadata.annotations: Too long: may not be more than 262144 bytes',
    )


def test_trap_67_our_own_annotations_buy_nothing(bench, answers):
    marked = pod(annotations={"hardener.dev/applied-policy": "standard@c9523138", "naive.example/done": "yes"})

    def trusting(review):
        is_done = "naive.example/done" in review["request"]["object"]["metadata"].get("annotations", {})
        return allow(review, [] if is_done else [NON_ROOT])

    answers["/once"] = trusting
    ours, naive = bench.create(marked, "traps"), bench.create(marked, "naive")

    assert without_random(str(ours.body["spec"])) == without_random(str(bench.create(pod(), "traps").body["spec"]))
    assert ours.body["spec"]["containers"][0]["securityContext"]["runAsNonRoot"] is True
    assert "securityContext" not in naive.body["spec"]["containers"][0]


def test_trap_68_a_pod_without_a_name_stops_a_webhook_that_asks_for_one(bench, answers):
    answers["/once"] = lambda review: allow(review, [], name=review["request"]["name"])
    nameless = {"metadata": {"generateName": "web-"}, "spec": pod()["spec"]}
    ours, naive = bench.create(nameless, "traps"), bench.create(nameless, "naive")

    # Without a name, the key is absent and not empty (semantics.md 9.3).
    assert "name" not in bench.double.calls[-1].review["request"]
    assert bench.double.calls[-1].pod["metadata"]["namespace"] == "naive"
    assert ours.status == 201
    assert ours.body["metadata"]["name"].startswith("web-")
    assert ours.body["spec"]["containers"][0]["securityContext"]["runAsNonRoot"] is True
    assert (naive.status, naive.message) == (500, TROUBLE)


def test_trap_64_containers_that_are_null_stop_a_webhook_that_counts_them(bench, answers):
    answers["/once"] = lambda review: allow(review, [NON_ROOT] * len(review["request"]["object"]["spec"]["containers"]))
    nothing = {"metadata": {"name": "web"}, "spec": {"containers": None}}
    ours, naive = bench.create(nothing, "traps"), bench.create(nothing, "naive")

    assert bench.double.calls[-1].pod["spec"]["containers"] is None
    assert (ours.status, ours.message) == (422, 'Pod "web" is invalid: spec.containers: Required value')
    assert (naive.status, naive.message) == (500, TROUBLE)


def test_trap_74_warnings_are_short_single_lines(bench, answers):
    answers["/once"] = lambda review: allow(review, warnings=["new\nline", "tab\tstop", "plain"])
    broken = bench.create(pod(), "naive")
    answers["/once"] = lambda review: allow(review, warnings=[f"{number:02}" + "x" * 298 for number in range(20)])
    many = bench.create(pod(), "naive")
    ours = bench.create(pod(annotations={"hardener.dev/opt-out": "new\nline\ttab " + "x" * 30}), "traps")

    # Lines with control characters are lost; where all together are too long, each is cut, and then the rest goes.
    assert broken.warnings == ["plain"]
    assert {len(warning) for warning in many.warnings} == {256}
    assert len(many.warnings) == 4096 // 256
    assert ours.warnings != []
    assert all(len(warning) <= 120 and warning.isprintable() for warning in ours.warnings)
    assert ours.warnings[0].startswith("hardener: opt-out ")


def test_trap_75_audit_annotations_have_plain_keys(bench, answers):
    answers["/once"] = lambda review: allow(review, auditAnnotations={"with/slash": "lost", "plain": "kept"})
    naive, ours = bench.create(pod(), "naive"), bench.create(pod(), "traps")

    def written(reply):
        events = [event for event in bench.cluster.audit() if event["auditID"] == reply.audit_id]
        return events and {key: text for key, text in events[0]["annotations"].items() if "traps.hardener.dev/" in key}

    name = "naive-once.traps.hardener.dev"
    assert eventually(lambda: written(naive)) == {f"{name}/plain": "kept"}
    assert eventually(lambda: written(ours)) == {
        f"{OUR_WEBHOOK}/applied": ",".join(sorted(CATALOGUE)),
        f"{OUR_WEBHOOK}/mode": "enforce",
        f"{OUR_WEBHOOK}/policy": f"standard@{BUILTIN['standard'].fingerprint}",
    }


def test_trap_76_a_server_dry_run_gives_the_same_pod(bench):
    real = bench.create(pod(name="real"), "traps", dry_run=False)
    dry = bench.create(pod(name="dry"), "traps")
    effects = webhook_configuration("effects", bench.double.url, bench.double.ca_bundle)
    effects["webhooks"][0]["sideEffects"] = "Some"
    registered = bench.cluster.request("POST", CONFIGURATIONS, effects)

    assert (dry.status, real.status) == (201, 201)
    assert without_random(str(dry.body["spec"])) == without_random(str(real.body["spec"]))
    assert bench.cluster.request("GET", f"{pods('traps')}/dry").status == 404
    # What has effects in a dry run is not even registered; by semantics.md 2.3 its requests would be refused.
    assert (registered.status, registered.message) == (
        422,
        'MutatingWebhookConfiguration.admissionregistration.k8s.io "effects" is invalid: '
        'webhooks[0].sideEffects: Unsupported value: "Some": supported values: "None", "NoneOnDryRun"',
    )


def test_trap_77_a_pod_of_a_megabyte_and_a_half_passes(bench, answers):
    def too_small(review):
        raise web.HTTPRequestEntityTooLarge(max_size=2**20, actual_size=3 * 2**19)

    answers["/once"] = too_small
    big = pod()
    big["spec"]["containers"][0]["env"] = [{"name": "BIG", "value": "x" * (3 * 2**19)}]
    ours, naive = bench.create(big, "traps"), bench.create(big, "naive")

    assert ours.status == 201
    assert ours.body["spec"]["containers"][0]["securityContext"]["runAsNonRoot"] is True
    assert (naive.status, naive.message) == (
        500,
        f"{FAILED}the server responded with the status code 413 but did not return more information",
    )


def test_trap_88_a_busy_webhook_is_asked_the_same_again(bench, answers):
    asked = []

    def busy_at_first(review):
        asked.append(review)
        if len(asked) == 1:
            raise web.HTTPTooManyRequests(headers={"Retry-After": "0"})
        return allow(review, [NON_ROOT])

    answers["/once"] = busy_at_first
    reply = bench.create(pod(), "naive")

    assert reply.status == 201
    assert len(asked) == 2
    assert asked[0] == asked[1]
