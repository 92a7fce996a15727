"""A server that knows its cluster: what it asks the API server for, what it does with it, and what without."""

import asyncio
import json
from dataclasses import replace

import pytest

from hardener.cluster import Bounds, credentials
from hardener.controls.automount_service_account_token import ACCOUNT_SAYS_TRUE, UNKNOWN_ACCOUNT
from hardener.controls.resources import LIMIT_RANGE, QUOTA, UNKNOWN_NAMESPACE
from hardener.errors import StartError
from tests.admission.asking import HEADER, hardened
from tests.admission.reviews import workload
from tests.cluster.api_double import RESOURCES, ApiDouble
from tests.cluster.faults import held, status
from tests.cluster.parts import credentials_for, fill, limit_range, watching
from tests.server.processes import FREE, files, process
from tests.server.serving import POD, QUICK, until

PATIENT = Bounds(ask_seconds=5.0, first_delay_seconds=0.02, longest_delay_seconds=0.1)
"""A busy machine must not look like an API server that does not answer, and a failing one is tried again soon."""

ROLL_OUT = f"""{HEADER}\
policies:
  payment: {{extends: compatible, warnings: changes}}
namespaces:
- names: [kube-system]
  policy: none
- matchLabels: {{team: payment}}
  policy: payment
default: observe
selectable: [observe, compatible, standard]
"""

NOT_KNOWN = "the namespace's labels are not known yet: nothing is enforced"


@pytest.fixture
async def api():
    async with ApiDouble() as double:
        yield double


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text(ROLL_OUT)
    return file


@pytest.fixture
def follow(serve, api):
    """Starts servers that know the double's cluster, and waits until they are ready unless told otherwise."""

    async def start(wait=True, limits=QUICK, **options):
        webhook = await serve(cluster=credentials_for(api.url), bounds=PATIENT, limits=limits, **options)
        if wait:
            await until(lambda: not webhook.server.state.syncing)
        return webhook

    return start


async def chosen(webhook, namespace):
    """Which policy decided about a pod, and in which mode."""
    audit = (await webhook.ask(namespace=namespace))["response"]["auditAnnotations"]
    return audit["policy"].partition("@")[0], audit["mode"]


async def given(webhook, pod=POD, namespace="shop"):
    """The only container of a pod as it was hardened, and what was held back."""
    response = (await webhook.ask(pod=pod, namespace=namespace))["response"]
    after = hardened(pod, response)
    return after["spec"], response["auditAnnotations"].get("skipped", "")


async def test_it_is_ready_once_every_resource_has_been_listed(api, follow):
    last = asyncio.Event()
    api.on_list["resourcequotas"].append(held(last))
    webhook = await follow(wait=False)
    await until(lambda: webhook.count("hardener_cluster_synced", resource="serviceaccounts"))

    assert await webhook.get("/readyz") == (503, "the facts of the cluster are still being read\n")
    assert webhook.count("hardener_cluster_synced", resource="resourcequotas") == 0
    last.set()
    await until(lambda: not webhook.server.state.syncing)

    assert await webhook.get("/readyz") == (200, "ok\n")
    assert [line["level"] for line in webhook.logged("the facts of the cluster are there")] == ["info"]


async def test_it_does_not_wait_for_good_and_then_says_what_is_not_known(api, follow, config):
    """One resource may not be read: what is known counts, and what is not is held back."""
    api.on_list["limitranges"].extend([status(403, "may not list limitranges")] * 1000)
    await api.namespace("shop", team="payment")
    webhook = await follow(limits=replace(QUICK, sync_seconds=0.3), config=config)

    (line,) = webhook.logged("the facts of the cluster are not known yet")
    assert line["level"] == "error"
    assert line["waiting"] == {"limitranges": "/api/v1/limitranges: 403 may not list limitranges"}
    assert await webhook.get("/readyz") == (
        200,
        "ok, but these facts of the cluster are not known yet: limitranges\n",
    )
    api.on_one["limitranges"].append(status(403, "may not list limitranges"))
    spec, skipped = await given(webhook)
    assert await chosen(webhook, "shop") == ("payment", "enforce")
    assert spec["containers"][0]["securityContext"]["allowPrivilegeEscalation"] is False
    assert "resources" not in spec["containers"][0]
    assert "automountServiceAccountToken" not in spec
    assert UNKNOWN_ACCOUNT in skipped
    assert UNKNOWN_NAMESPACE in skipped

    api.on_list["limitranges"].clear()
    await until(lambda: webhook.logged("the facts of the cluster are there"))
    assert await webhook.get("/readyz") == (200, "ok\n")
    spec, skipped = await given(webhook)
    assert spec["containers"][0]["resources"]["requests"] == {"cpu": "50m", "memory": "64Mi"}
    assert skipped == ""


async def test_where_nobody_answers_it_serves_and_enforces_nothing_that_labels_could_have_prevented(
    serve, config, unused_tcp_port
):
    webhook = await serve(
        cluster=credentials_for(f"http://127.0.0.1:{unused_tcp_port}"),
        bounds=PATIENT,
        limits=replace(QUICK, sync_seconds=0.1),
        config=config,
    )
    await until(lambda: not webhook.server.state.syncing)

    response = (await webhook.ask())["response"]
    assert response["allowed"]
    assert "patch" not in response
    assert response["warnings"][0] == f"hardener: {NOT_KNOWN}"
    assert response["auditAnnotations"]["doubt"] == NOT_KNOWN
    assert response["auditAnnotations"]["mode"] == "dry-run"
    (line,) = webhook.logged("reviewed")
    assert (line["level"], line["doubt"]) == ("warning", NOT_KNOWN)
    assert webhook.count("hardener_doubts_total", cause="unknown-labels") == 1
    status_code, text = await webhook.get("/readyz")
    assert (status_code, text.startswith("ok, but")) == (200, True)
    assert all(resource in text for resource in RESOURCES)
    assert webhook.count("hardener_cluster_questions_total", result="unanswered") == 1
    assert (await webhook.explain(workload()))["warnings"][0] == f"hardener: {NOT_KNOWN}"


async def test_where_nobody_answers_and_no_label_can_decide_the_rest_is_enforced(serve, unused_tcp_port):
    webhook = await serve(
        cluster=credentials_for(f"http://127.0.0.1:{unused_tcp_port}"),
        bounds=PATIENT,
        limits=replace(QUICK, sync_seconds=0.1),
    )

    spec, skipped = await given(webhook)
    assert spec["containers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    assert "resources" not in spec["containers"][0]
    assert UNKNOWN_ACCOUNT in skipped
    assert UNKNOWN_NAMESPACE in skipped
    # Meanwhile it is not ready, so that a Service sends to others.
    await until(lambda: not webhook.server.state.syncing)


async def test_labels_choose_the_policy_and_a_new_label_another_one(api, follow, config):
    await api.namespace("shop")
    await api.namespace("bank", team="payment")
    webhook = await follow(config=config)
    assert await chosen(webhook, "shop") == ("observe", "dry-run")
    assert await chosen(webhook, "bank") == ("payment", "enforce")

    for label, mode in (("compatible", "enforce"), ("standard", "enforce"), ("observe", "dry-run")):
        await api.namespace("shop", **{"hardener.dev/policy": label})
        await until(
            lambda now=label: webhook.server.state.cluster.facts("shop").labels.get("hardener.dev/policy") == now
        )
        assert await chosen(webhook, "shop") == (label, mode)
    await api.namespace("bank", **{"hardener.dev/policy": "payment"})
    await until(lambda: "team" not in webhook.server.state.cluster.facts("bank").labels)

    response = (await webhook.ask(namespace="bank"))["response"]
    refused = "the namespace's hardener.dev/policy=payment is not selectable: policy observe applies"
    assert response["auditAnnotations"]["doubt"] == refused
    assert response["warnings"][0] == f"hardener: {refused}"
    assert webhook.count("hardener_doubts_total", cause="refused-label") == 1
    assert webhook.count("hardener_doubts_total", cause="unknown-labels") == 0


async def test_limits_quotas_and_accounts_hold_defaults_back(api, follow):
    """One of each; the other namespace has none of them."""
    await fill(api)
    await api.namespace("bank")
    await api.put("limitranges", "shop", "limits", spec=limit_range(max={"memory": "512Mi"}))
    await api.put("resourcequotas", "bank", "quota", spec={"scopes": ["NotBestEffort"], "hard": {"pods": "3"}})
    await api.put("serviceaccounts", "shop", "default", automountServiceAccountToken=True)
    webhook = await follow()

    shop, shop_skipped = await given(webhook)
    bank, bank_skipped = await given(webhook, namespace="bank")

    # The request and the limit of a resource go together, and CPU is not limited.
    assert shop["containers"][0]["resources"] == {"requests": {"cpu": "50m"}}
    assert f"resources(app): {LIMIT_RANGE}" in shop_skipped
    assert "automountServiceAccountToken" not in shop
    assert f"automountServiceAccountToken(the pod): {ACCOUNT_SAYS_TRUE}" in shop_skipped
    assert "resources" not in bank["containers"][0]
    assert f"resources(the pod): {QUOTA}" in bank_skipped
    assert bank["automountServiceAccountToken"] is False


async def test_a_namespace_that_no_watch_has_shown_is_asked_for_once_however_many_pods_wait(api, follow, config):
    webhook = await follow(config=config)
    await until(lambda: watching(api))
    for resource in RESOURCES:
        api.on_watch[resource].extend([status(500)] * 1000)
        api.drop(resource)
    await until(lambda: not any(api.watching(resource) for resource in RESOURCES))
    await fill(api)
    await api.namespace("shop", team="payment")

    answers = await asyncio.gather(*(chosen(webhook, "shop") for _ in range(8)))

    assert set(answers) == {("payment", "enforce")}
    assert api.ones("shop") == ["limitranges", "resourcequotas", "serviceaccounts", "shop"]
    assert webhook.count("hardener_cluster_questions_total", result="answered") == 1
    assert webhook.count("hardener_doubts_total", cause="unknown-labels") == 0


async def test_a_namespace_that_the_api_server_does_not_know_either_is_missing(api, follow, config):
    webhook = await follow(config=config)

    assert await chosen(webhook, "nowhere") == ("observe", "dry-run")

    assert webhook.count("hardener_cluster_questions_total", result="missing") == 1
    assert webhook.count("hardener_doubts_total", cause="unknown-labels") == 1


async def test_what_passes_untouched_does_not_wait_for_a_namespace_that_nobody_knows(api, follow, config):
    webhook = await follow(config=config)

    await webhook.ask(namespace="unheard-of", operation="UPDATE")

    assert webhook.count("hardener_reviews_total", policy="", result="ignored") == 1
    assert webhook.count("hardener_cluster_questions_total", result="missing") == 0


async def test_the_explanation_of_a_workload_knows_the_same_facts(api, follow, config):
    webhook = await follow(config=config)
    await until(lambda: watching(api))
    await api.namespace("shop", team="payment")

    told = (await webhook.explain(workload(), namespace="shop"))["warnings"]

    assert any("allowPrivilegeEscalation" in warning for warning in told)
    assert not any("not known" in warning or "readOnlyRootFilesystem" in warning for warning in told)


async def test_while_the_api_server_is_away_answers_go_on_with_what_was_known_last(api, follow, config):
    await api.namespace("shop", team="payment")
    webhook = await follow(config=config)
    await until(lambda: watching(api))

    await api.stop()
    await until(lambda: all(webhook.count("hardener_cluster_watch_failures_total", resource=r) for r in RESOURCES))

    assert await chosen(webhook, "shop") == ("payment", "enforce")
    assert await webhook.get("/readyz") == (200, "ok\n")
    assert await chosen(webhook, "younger") == ("observe", "dry-run")
    assert {line["resource"] for line in webhook.logged("a watch failed and is tried again")} == {*RESOURCES}

    await api.start()
    await api.namespace("younger", team="payment")
    await until(lambda: webhook.server.state.cluster.facts("younger").labels)
    assert await chosen(webhook, "younger") == ("payment", "enforce")
    await until(lambda: len(webhook.logged("a watch works again")) > 0)


async def test_the_metrics_tell_how_each_watch_stands(api, follow, serve):
    await fill(api)
    webhook = await follow()
    alone = await serve()
    await until(lambda: watching(api))
    await api.bookmark()

    _, text = await webhook.get("/metrics")

    for resource in RESOURCES:
        assert f'hardener_cluster_synced{{resource="{resource}"}} 1.0' in text
        assert f'hardener_cluster_watch_failures_total{{resource="{resource}"}} 0.0' in text
        assert 0 <= webhook.count("hardener_cluster_silence_seconds", resource=resource) < 60
    for result in ("answered", "missing", "unanswered"):
        assert f'hardener_cluster_questions_total{{result="{result}"}} 0.0' in text
    assert "# TYPE hardener_cluster_questions_total counter" in text
    assert "hardener_cluster" not in (await alone.get("/metrics"))[1]


async def test_stopping_ends_the_watches_and_what_is_being_asked(api, follow):
    webhook = await follow()
    await until(lambda: watching(api))
    slow = asyncio.Event()
    for resource in RESOURCES:
        api.on_one[resource].append(held(slow))
    await api.namespace("shop")
    asking = asyncio.create_task(webhook.ask())
    await until(lambda: api.ones("shop"))

    async with asyncio.timeout(4):
        # What is being asked is waited for, since a pod waits for it.
        stopping = asyncio.create_task(webhook.server.stop())
        slow.set()
        assert (await asking)["response"]["allowed"]
        await stopping

    await until(lambda: not any(api.watching(resource) for resource in RESOURCES))


async def test_a_start_that_fails_leaves_no_watch_behind(api, webhook, serve):
    with pytest.raises(StartError, match="cannot be opened"):
        await serve(cluster=credentials_for(api.url), port=webhook.server.port)

    await until(lambda: not any(api.watching(resource) for resource in RESOURCES))


async def test_without_credentials_nothing_is_opened(serve, tmp_path):
    missing = tmp_path / "missing.kubeconfig"
    with pytest.raises(StartError, match=r"missing\.kubeconfig: there is no such kubeconfig"):
        await serve(cluster=credentials(missing))


async def test_the_process_reads_a_kubeconfig_and_leaves_nothing_open_at_its_end(api, certificate, tmp_path):
    api.token = "a-token"
    kubeconfig = tmp_path / "kubeconfig"
    named = {"clusters": ("cluster", {"server": api.url}), "users": ("user", {"token": api.token})}
    lists = {key: [{"name": "it", part: content}] for key, (part, content) in named.items()}
    contexts = [{"name": "it", "context": {"cluster": "it", "user": "it"}}]
    kubeconfig.write_text(json.dumps({**lists, "contexts": contexts, "current-context": "it"}))
    options = (*FREE, *files(certificate), "--kubeconfig", kubeconfig, "--shutdown-delay", "0")

    async with process("--address", "127.0.0.1", *options) as running:
        await until(lambda: running.logged("the facts of the cluster are there") and watching(api), 20)
        running.process.terminate()
        assert await running.exit_code() == 0

    assert [line["message"] for line in running.lines if line.get("level") != "info"] == []
    assert {asked.token for asked in api.asked} == {"Bearer a-token"}
    await until(lambda: not any(api.watching(resource) for resource in RESOURCES))
