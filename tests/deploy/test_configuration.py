"""The configuration that the chart writes is one that hardener reads, and says what the values say."""

import pytest

from hardener.policy.reading import parse_config
from tests.deploy.chart import objects, the
from tests.deploy.value_sets import VALUE_SETS

LABEL = "hardener.dev/policy"
BUILT_IN = ("observe", "compatible", "standard")


@pytest.fixture
def configuration(render):
    def read(values=None, **options):
        file = the("ConfigMap", objects(render(values, **options)), "hardener")["data"]["config.yaml"]
        return parse_config(file, "config.yaml")

    return read


@pytest.mark.parametrize("name", [name for name in VALUE_SETS if name != "placed"])
def test_hardener_reads_it(configuration, name):
    assert configuration(VALUE_SETS[name]).file == "config.yaml"


def test_a_new_cluster_is_only_observed(configuration):
    policy = configuration().select("shop", {}).policy

    assert policy.mode == "dry-run"
    assert policy.warnings == "changes"
    assert len(policy.controls) == 7


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_label_of_a_namespace_chooses_a_policy_that_asks_for_reasons(configuration, name):
    config = configuration({"defaultPolicy": "none"})
    selection, built_in = config.select("shop", {LABEL: name}), config.policies[name]
    chosen = selection.policy

    assert selection.doubt is None
    assert chosen.opt_out.require_reason
    assert not built_in.opt_out.require_reason
    assert (chosen.mode, chosen.warnings, chosen.controls) == (built_in.mode, built_in.warnings, built_in.controls)


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_default_is_the_policy_of_that_name_with_reasons(configuration, name):
    config = configuration({"defaultPolicy": name})

    assert config.default.opt_out.require_reason
    assert config.default.controls == config.policies[name].controls


def test_no_namespace_can_choose_to_be_left_alone(configuration):
    assert configuration().select("shop", {LABEL: "none"}).policy.controls


def test_without_reasons_the_built_in_policies_are_chosen_themselves(configuration):
    config = configuration(VALUE_SETS["labels without reasons"])

    assert config.selectable == set(BUILT_IN)
    assert config.default is config.policies["observe"]


def test_what_the_api_server_does_not_ask_about_is_left_alone_whatever_its_label(configuration):
    config = configuration(namespace="elsewhere")

    for namespace in ("kube-system", "kube-node-lease", "elsewhere"):
        assert not config.select(namespace, {LABEL: "standard"}).policy.controls
        assert not config.select(namespace, known=False).doubt


def test_what_keeps_a_node_running_is_exempt(configuration):
    assert list(configuration().policies["standard"].exempt.priority_classes) == ["system-node-critical"]


def test_own_policies_ask_for_reasons_unless_they_say_otherwise(configuration):
    config = configuration(VALUE_SETS["own policies"])
    reasons = {name: policy.opt_out.require_reason for name, policy in config.policies.items()}

    assert reasons["company"]
    assert not reasons["lenient"]
    assert not reasons["bare"]
    assert config.default.name == "company"
    assert config.select("shop", {LABEL: "lenient"}).policy.name == "lenient"
    assert config.select("shop", {LABEL: "standard"}).policy.opt_out.require_reason


def test_own_rules_come_after_the_labels_and_in_their_order(configuration):
    config = configuration(VALUE_SETS["own policies"])

    assert config.select("team-a", {"tier": "web"}).policy.opt_out.require_reason
    assert config.select("team-a", {"tier": "web"}).policy.controls == config.policies["compatible"].controls
    assert config.select("team-a", {LABEL: "company"}).policy.name == "company"
    assert config.select("shop", {"tier": "web"}).policy.name == "bare"


def test_a_whole_configuration_is_taken_as_it_is(configuration):
    config = configuration(VALUE_SETS["a whole configuration"])

    assert config.default.name == "compatible"
    assert not config.rules
