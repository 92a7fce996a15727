"""Whatever the pod, the policy and the facts: the promises of design.md 1 hold."""

import json
from copy import deepcopy

from hypothesis import assume, given
from hypothesis import strategies as st

from hardener.model import Facts
from tests.admission_chain import TOKEN_VOLUME_PREFIX, admitted, defaulted, passed, with_token
from tests.decisions import decisions
from tests.pod_json import is_injected_token
from tests.pods import STANDARD, overriding, run
from tests.promises import broken
from tests.properties.limit_ranger import class_of, refusals
from tests.properties.pods import pods, pods_with_amounts, sharp_pods
from tests.properties.policies import SHARP, configuration, exemptions, facts, policies


@given(pods)
def test_a_pod_of_any_kind_is_hardened_as_promised(pod):
    hardened = run(pod)

    assert broken(pod, hardened.after) == []


@given(pods)
def test_a_pod_that_came_through_the_api_server_is_hardened_as_promised(pod):
    before = admitted(pod)
    hardened = run(before)

    assert broken(before, hardened.after) == []


@given(pods, policies, exemptions, facts)
def test_no_policy_and_no_facts_break_a_promise(pod, policy, exempt, known):
    before = admitted(pod)
    rules = configuration(policy, exempt).default
    hardened = run(before, rules, known)

    assert broken(before, hardened.after, overriding(rules)) == []


@given(sharp_pods, st.sampled_from([policy for policy in SHARP if "explicit" in policy]))
def test_a_policy_that_overrides_breaks_no_promise_and_replaces_no_more_than_it_may(pod, policy):
    config = configuration(policy)
    before = admitted(pod)
    after = passed(before, config).after
    enforced = {*config.default.enforced}

    assert broken(before, after, overriding(config.default) & enforced) == []


@given(pods)
def test_the_api_server_adds_nothing_more_to_a_hardened_pod(pod):
    after = run(admitted(pod)).after
    again = with_token(defaulted(after))

    assert again["spec"].get("volumes") == defaulted(after)["spec"].get("volumes")
    assert run(again).operations == []


@given(pods, policies)
def test_a_template_is_decided_on_like_its_pod(template, policy):
    assume(not _reuses_another_volume(template))
    rules = configuration(policy).default
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": template}}

    assert decisions(template, rules) == decisions(admitted(deployment), rules)


@given(pods_with_amounts, policies, facts)
def test_what_the_namespace_accepts_it_still_accepts(pod, policy, known):
    before = admitted(pod)
    after = defaulted(run(before, configuration(policy).default, known).after)

    if not refusals(before, known):
        assert refusals(after, known) == []
    if class_of(before) == "BestEffort" and any(quota.counts_only_pods_with_requests for quota in known.quotas):
        assert class_of(after) == "BestEffort"


@given(pods)
def test_where_nothing_is_known_of_the_namespace_no_amount_is_added(pod):
    after = run(pod, facts=Facts(known=False)).after

    assert [container.get("resources") for container in _containers(after)] == [
        container.get("resources") for container in _containers(pod)
    ]


@given(pods)
def test_the_order_of_keys_decides_nothing(pod):
    sorted_pod = json.loads(json.dumps(pod, sort_keys=True))

    assert decisions(deepcopy(sorted_pod), STANDARD) == decisions(pod, STANDARD)


def _containers(pod):
    return [*(pod["spec"].get("containers") or []), *(pod["spec"].get("initContainers") or [])]


def _reuses_another_volume(pod):
    """The plugin mounts whatever has the token volume's prefix, which no template shows (semantics.md 1.3)."""
    volumes = pod["spec"].get("volumes") or []
    return any(
        (volume["name"] or "").startswith(TOKEN_VOLUME_PREFIX) and not is_injected_token(volume) for volume in volumes
    )
