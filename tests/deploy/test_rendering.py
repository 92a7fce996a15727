"""What the chart makes of values, and what it refuses."""

import json
import re

import pytest
import yaml

from tests.deploy.chart import (
    CHART,
    INSTALL,
    NAMESPACE,
    SCHEMA,
    RenderError,
    install_manifests,
    notes,
    objects,
    run_helm,
    schema_text,
    template,
    the,
    values_schema,
)
from tests.deploy.value_sets import PEM, VALUE_SETS

README = CHART.parent / "README.md"

GENERATE = "is not what the chart and the code make of it: run `make generate`"


def test_both_helms_find_nothing_to_say_about_the_chart(major):
    said = run_helm("lint", "--strict", CHART, major=major)

    assert "1 chart(s) linted, 0 chart(s) failed" in said
    assert "WARNING" not in said


@pytest.mark.parametrize("name", VALUE_SETS)
def test_both_helms_make_the_same_of_the_same_values(name, helm_programs):
    # They have other orders for what is none of Kubernetes' own kinds.
    three, four = (
        sorted(
            objects(template(VALUE_SETS[name], major=major)), key=lambda each: (each["kind"], each["metadata"]["name"])
        )
        for major in ("3", "4")
    )

    assert three == four
    assert three


def test_install_yaml_is_what_the_chart_makes_of_its_defaults(render):
    assert INSTALL.read_text(encoding="utf-8") == install_manifests(), f"{INSTALL} {GENERATE}"


def test_install_yaml_differs_from_the_chart_by_its_namespace_only(render):
    names = {(each["kind"], each["metadata"]["name"]) for each in objects(INSTALL.read_text(encoding="utf-8"))}

    assert names - {(each["kind"], each["metadata"]["name"]) for each in objects(render())} == {
        ("Namespace", NAMESPACE)
    }


def test_the_schema_knows_the_configuration_as_hardener_does():
    written = SCHEMA.read_text(encoding="utf-8")

    assert written == schema_text(values_schema(json.loads(written))), f"{SCHEMA} {GENERATE}"


def test_the_schema_knows_every_value_and_no_other():
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))

    assert set(schema["properties"]) == {*values, "global"}
    for name, value in values.items():
        known = schema["properties"][name]
        if isinstance(value, dict) and known.get("additionalProperties") is False:
            assert set(value) <= set(known["properties"]), name


def test_every_group_of_values_begins_with_an_explanation():
    groups = (CHART / "values.yaml").read_text(encoding="utf-8").split("\n\n")

    assert [group for group in groups if not group.startswith("# ")] == []


@pytest.mark.parametrize(
    ("values", "said", "unsaid"),
    [
        ({}, ["Nothing is changed unless a namespace asks", "hardener.dev/policy=compatible", "made as they were"], []),
        ({"dryRun": True}, ["Nothing is changed anywhere", "--set dryRun=false"], []),
        (
            VALUE_SETS["enforced everywhere"],
            ["get the policy standard", "delete mutatingwebhook"],
            ["made as they were"],
        ),
        ({"webhook": {"failurePolicy": "Fail"}, "replicas": 1}, ["One replica is too few"], []),
        (
            VALUE_SETS["a whole configuration"],
            ["in the configuration file that you gave"],
            ["kubectl label namespace shop"],
        ),
        (VALUE_SETS["placed"], ["deployment/pods "], ["no node can pull"]),
    ],
)
def test_the_notes_tell_what_happens_now_and_what_comes_next(values, said, unsaid, helm_programs):
    text = notes(values)

    assert [words for words in said if words not in text] == []
    assert [words for words in unsaid if words in text] == []
    assert "\n\n\n" not in text


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"replicaz": 3}, ["replicaz"]),
        ({"webhook": {"failurepolicy": "Fail"}}, ["/webhook", "failurepolicy"]),
        ({"webhook": {"failurePolicy": "fail"}}, ["/webhook/failurePolicy", "Ignore", "Fail"]),
        ({"webhook": {"timeoutSeconds": 31}}, ["/webhook/timeoutSeconds", "30"]),
        ({"replicas": 0}, ["/replicas"]),
        ({"tls": {"source": "vault"}}, ["/tls/source", "cert-manager"]),
        ({"tls": {"source": "secret"}}, ["/tls/secretName"]),
        ({"config": {"policies": {"own": {"controls": {"capabilitys": {}}}}}}, ["capabilitys"]),
        (
            {"config": {"policies": {"standard": {"mode": "dry-run"}}}},
            ["config.policies.standard: is the name of a built-in policy"],
        ),
        ({"config": {"exempt": {"users": ["admin"]}}}, ["/config/exempt", "users"]),
        ({"config": {"namespaces": [{"names": ["shop"]}]}}, ["/config/namespaces/0", "policy"]),
        ({"image": {"digest": "0123"}}, ["/image/digest"]),
        ({"defaultPolicy": "standart"}, ["defaultPolicy: there is no policy", "standart", "compatible"]),
        ({"config": {"selectable": ["strict"]}}, ["config.selectable: there is no policy", "strict"]),
        ({"config": {"policies": {"own": {"extends": "strict"}}}}, ["config.policies.own.extends: there is no policy"]),
        (
            {"config": {"namespaces": [{"names": ["a"], "policy": "b"}]}},
            ["config.namespaces[0].policy: there is no policy"],
        ),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(values, words, major):
    with pytest.raises(RenderError) as refused:
        template(values, major=major)

    said = str(refused.value)
    assert [word for word in words if word not in said] == []


def test_an_old_kubernetes_is_refused(helm_programs):
    with pytest.raises(RenderError, match=r"requires kubeVersion: >=1\.33"):
        run_helm("template", "hardener", CHART, "--kube-version=1.32.9")


def test_all_objects_stay_in_the_release_s_namespace_and_carry_its_labels(render):
    for each in objects(render({"namespace": {"create": True}}, namespace="elsewhere", release="two")):
        cluster_wide = ("Namespace", "ClusterRole", "ClusterRoleBinding")
        in_cluster = each["kind"] in cluster_wide or each["kind"].endswith("WebhookConfiguration")
        assert each["metadata"].get("namespace") == (None if in_cluster else "elsewhere"), each["kind"]
        assert each["metadata"]["labels"]["app.kubernetes.io/instance"] == "two"


@pytest.mark.parametrize(
    ("release", "name"),
    [("hardener", "hardener"), ("shop-hardener", "shop-hardener"), ("shop", "shop-hardener"), ("x" * 53, "x" * 52)],
)
def test_names_come_from_the_release(render, release, name):
    made = objects(render(release=release))

    assert the("Deployment", made)["metadata"]["name"] == name
    assert the("Service", made)["metadata"]["name"] == name
    assert the("MutatingWebhookConfiguration", made)["metadata"]["name"] == f"zz-{name}"


def test_both_webhook_configurations_have_the_name_that_hardener_is_told(render):
    made = objects(render({"webhook": {"name": "zzz"}}))

    assert "--webhook-configuration=zzz" in the("Deployment", made)["spec"]["template"]["spec"]["containers"][0]["args"]
    for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
        assert the(kind, made)["metadata"]["name"] == "zzz"
    reached = [rule for rule in the("ClusterRole", made)["rules"] if "resourceNames" in rule]
    assert [rule["resourceNames"] for rule in reached] == [["zzz"]]


def test_the_keys_of_a_self_made_certificate_stand_nowhere_in_the_chart(render):
    made = objects(render())
    secret = the("Secret", made)

    assert set(secret) == {"apiVersion", "kind", "metadata", "type"}
    for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
        assert all("caBundle" not in webhook["clientConfig"] for webhook in the(kind, made)["webhooks"])


@pytest.mark.parametrize("name", ["cert-manager", "a certificate of one's own"])
def test_where_the_certificate_comes_from_elsewhere_nothing_may_be_written(render, name):
    made = objects(render(VALUE_SETS[name]))
    verbs = {verb for rule in the("ClusterRole", made)["rules"] for verb in rule["verbs"]}

    assert verbs == {"get", "list", "watch"}
    assert not {"Role", "RoleBinding", "Secret"} & {each["kind"] for each in made}


def test_cert_manager_is_asked_for_the_name_that_the_api_server_calls(render):
    made = objects(render(VALUE_SETS["cert-manager"]))
    certificate = the("Certificate", made, "hardener")
    service = the("MutatingWebhookConfiguration", made)["webhooks"][0]["clientConfig"]["service"]
    injected = the("MutatingWebhookConfiguration", made)["metadata"]["annotations"]["cert-manager.io/inject-ca-from"]

    assert certificate["spec"]["dnsNames"] == [f"{service['name']}.{service['namespace']}.svc"]
    assert injected == f"{NAMESPACE}/hardener"
    assert certificate["spec"]["issuerRef"] == {"kind": "Issuer", "name": "hardener"}
    assert the("Issuer", made, "hardener")["spec"] == {"ca": {"secretName": "hardener-ca"}}
    assert the("Certificate", made, "hardener-ca")["spec"]["isCA"] is True


def test_an_issuer_of_one_s_own_makes_no_authority(render):
    made = objects(render(VALUE_SETS["cert-manager with an issuer"]))

    assert the("Certificate", made)["spec"]["issuerRef"] == {"kind": "ClusterIssuer", "name": "company"}
    assert "Issuer" not in {each["kind"] for each in made}
    volume = the("Deployment", made)["spec"]["template"]["spec"]["volumes"][1]
    assert volume == {"name": "tls", "secret": {"secretName": "own-name"}}


def test_an_authority_of_one_s_own_reaches_both_webhooks_and_the_container(render):
    made = objects(render(VALUE_SETS["a certificate of one's own"]))

    bundles = {
        webhook["clientConfig"]["caBundle"]
        for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
        for webhook in the(kind, made)["webhooks"]
    }
    assert bundles == {"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUIKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo="}
    assert the("ConfigMap", made, "hardener-client-ca")["data"] == {"ca.crt": PEM}


def test_the_webhook_never_stands_in_its_own_way(render):
    made = objects(render(namespace="elsewhere"))

    for kind in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
        (webhook,) = the(kind, made)["webhooks"]
        (expression,) = webhook["namespaceSelector"]["matchExpressions"]
        assert expression["key"] == "kubernetes.io/metadata.name"
        assert expression["operator"] == "NotIn"
        assert expression["values"] == ["kube-system", "kube-node-lease", "elsewhere"]


def test_an_explanation_never_refuses_whatever_the_failure_policy_is(render):
    made = objects(render({"webhook": {"failurePolicy": "Fail"}}))

    assert the("MutatingWebhookConfiguration", made)["webhooks"][0]["failurePolicy"] == "Fail"
    assert the("ValidatingWebhookConfiguration", made)["webhooks"][0]["failurePolicy"] == "Ignore"


def test_a_service_account_s_token_is_asked_for_by_the_deployment_alone(render):
    made = objects(render())

    assert the("ServiceAccount", made)["automountServiceAccountToken"] is False
    assert the("Deployment", made)["spec"]["template"]["spec"]["automountServiceAccountToken"] is True


def test_the_autoscaler_alone_says_how_many_replicas_there_are(render):
    made = objects(render(VALUE_SETS["scaled"]))

    assert "replicas" not in the("Deployment", made)["spec"]
    assert the("HorizontalPodAutoscaler", made)["spec"]["maxReplicas"] == 30
    assert int(the("ResourceQuota", made)["spec"]["hard"]["pods"]) >= 2 * 30


def test_the_page_names_only_values_and_files_that_exist():
    page = README.read_text(encoding="utf-8")
    values = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    named = re.findall(
        r"--set(?:-file)? ([\w.]+)=|`((?:tls|config|serviceMonitor|prometheusRule|dashboard)\.(?!crt|key)\w+)", page
    )

    for path in {one or other for one, other in named}:
        found = values
        for key in path.split("."):
            assert key in found, path
            found = found[key]
    for link in re.findall(r"\]\(([^)#]+)\)", page):
        assert (README.parent / link).exists(), link
