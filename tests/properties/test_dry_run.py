"""A dry run changes no pod, whatever file asked for it, and says exactly what enforcing would have sent."""

from copy import deepcopy

import orjson
from hypothesis import given
from hypothesis import strategies as st

from hardener.admission import Result, decode, respond
from hardener.controls import CATALOGUE
from hardener.model import STANDALONE, Facts, Mode
from hardener.policy.config import OnError
from tests.admission.asking import failing_engine
from tests.admission_chain import admitted, passed, review
from tests.decisions import decisions
from tests.pods import TODAY, document
from tests.properties.pods import pods
from tests.properties.policies import MODES, configuration, exemptions, policies, read
from tests.provenance import stripped, told, without_provenance

NAMES = ("one", "two", "three", "four")
COMPATIBLE = ("allowPrivilegeEscalation", "automountServiceAccountToken", "resources", "seccompProfile")
BUILT_IN = {
    "none": {"controls": {}},
    "compatible": {"controls": {name: {} for name in COMPATIBLE}},
    "standard": {"controls": {name: {} for name in CATALOGUE}},
    "observe": {"mode": "dry-run", "controls": {name: {} for name in CATALOGUE}},
}
"""What decides about modes in the policies that are always there, by design.md 4."""

POD = admitted(document("spec: {containers: [{name: app, image: web}]}"))
LABEL = "hardener.dev/policy"
WOULD_APPLY_LIMIT = 8 * 1024

any_mode = st.sampled_from([*MODES, None])


def merged(base, own):
    """Merge as design.md 4 says: maps merge, scalars replace, null removes."""
    if not isinstance(own, dict):
        return own
    base = base if isinstance(base, dict) else {}
    both = {**base, **{key: merged(base.get(key), value) for key, value in own.items()}}
    return {key: value for key, value in both.items() if value is not None}


def enforced(policy):
    """The controls that a merged policy enforces: neither it nor the control says anything weaker."""
    if policy.get("mode", "enforce") != "enforce":
        return []
    controls = policy.get("controls", {})
    return sorted(name for name, own in controls.items() if own.get("mode", "enforce") == "enforce")


@st.composite
def families(draw):
    """Policies as a file writes them, each of which extends another one, with what each comes to."""
    whole, written = dict(BUILT_IN), {}
    for name in draw(st.permutations(NAMES)):
        base = draw(st.sampled_from([*whole, "observe", None]))
        running = whole[base or "standard"].get("controls", {})
        controls = {
            control: draw(st.none() if control in running and draw(st.booleans()) else st.just({}) | _modes())
            for control in draw(st.lists(st.sampled_from(list(CATALOGUE)), max_size=4, unique=True))
        }
        policy = {"extends": base, **draw(_modes()), "controls": draw(st.sampled_from([controls, controls, None]))}
        if draw(st.booleans()):
            del policy["controls"]
        written[name] = policy
        own = {key: value for key, value in policy.items() if key != "extends"}
        whole[name] = merged(deepcopy(whole[base or "standard"]), own)
    return written, whole


def _modes():
    return st.fixed_dictionaries({}, optional={"mode": any_mode})


rules = st.lists(
    st.builds(
        lambda policy, selector: {"policy": policy, **selector},
        st.sampled_from([*NAMES, *BUILT_IN]),
        st.sampled_from([{"names": ["s*"]}, {"names": ["other"]}, {"matchLabels": {"tier": "gold"}}]),
    ),
    max_size=3,
)
labels = st.none() | st.dictionaries(
    st.sampled_from([LABEL, "tier"]), st.sampled_from([*NAMES, "standard", "gold", ""]), max_size=2
)


@given(families())
def test_no_extension_enforces_what_it_has_from_a_dry_run(family):
    written, whole = family
    config = read({"policies": written})

    assert {name: list(config.policies[name].enforced) for name in whole} == {
        name: enforced(policy) for name, policy in whole.items()
    }
    for name, policy in whole.items():
        if policy.get("mode") == "dry-run":
            assert config.policies[name].enforced == ()
            assert {each.mode for each in config.policies[name].controls} <= {Mode.DRY_RUN}
        assert config.dry_run[name].enforced == ()
        # What did not run does not run in the dry run either.
        assert [each.control.name for each in config.dry_run[name].controls] == [
            each.control.name for each in config.policies[name].controls
        ]


@given(
    families(), rules, st.sampled_from([*NAMES, *BUILT_IN]), st.sampled_from(["allow", "deny"]), labels, st.booleans()
)
def test_a_capped_server_enforces_nothing_whatever_the_file_says(family, namespaces, default, on_error, own, known):
    selectable = [*NAMES, "standard"]
    config = read(
        {
            "policies": family[0],
            "namespaces": namespaces,
            "default": default,
            "selectable": selectable,
            "onError": on_error,
        }
    ).capped()
    answer, after = passed(POD, config, Facts(labels=own, known=known), namespace="shop")

    assert config.on_error is OnError.ALLOW
    assert decisions(POD, config.default) == decisions(POD, read({"policies": family[0], "default": default}).default)
    assert {name for name, policy in config.policies.items() if policy.enforced or policy.mode is Mode.ENFORCE} == set()
    assert config.default.enforced == ()
    assert answer.operations == []
    assert after == POD


@given(families(), rules, st.sampled_from([*NAMES, *BUILT_IN]))
def test_a_namespace_of_unknown_labels_is_enforced_upon_only_where_they_decide_nothing(family, namespaces, default):
    config = read({"policies": family[0], "namespaces": namespaces, "default": default})
    unknown = config.select("shop", None, known=False)
    possible = {config.select("shop", each).policy.name for each in ({}, {"tier": "gold"})}

    if unknown.doubt is None:
        assert possible == {unknown.policy.name}
    else:
        assert unknown.policy.enforced == ()


@given(pods, policies, exemptions)
def test_a_dry_run_leaves_no_trace_and_announces_byte_for_byte_what_enforcing_sends(pod, policy, exempt):
    before = admitted(pod)
    config = configuration(policy, exempt)
    answer, after = passed(before, config)
    enforcing, _ = passed(before, configuration(_instead(policy, "enforce"), exempt))
    without, without_after = passed(before, configuration(_instead(policy, "disabled"), exempt))
    announces = any(verdict.writes and verdict.mode is Mode.DRY_RUN for verdict in answer.outcome.verdicts)
    expected = stripped(enforcing.operations) if announces else []
    text = orjson.dumps(expected).decode()

    assert orjson.dumps(stripped(answer.operations)) == orjson.dumps(stripped(without.operations))
    assert without_provenance(after) == without_provenance(without_after)
    assert _but_policy(told(after)) == _but_policy(told(without_after))
    assert config.default.enforced or answer.operations == []
    assert orjson.dumps(answer.announced) == text.encode()
    assert ("would-apply" in answer.audit) == announces
    assert answer.audit.get("would-apply") in (None, text) or len(text) > WOULD_APPLY_LIMIT


def test_nobody_is_refused_by_a_bug_under_a_policy_that_only_tries():
    trying = read(
        {"policies": {"mine": {"controls": {name: {"mode": "dry-run"} for name in CATALOGUE}}}, "default": "mine"}
    )
    assert trying.default.mode is Mode.ENFORCE
    for base in (trying, configuration({"mode": "dry-run"})):
        answer = respond(decode(review(POD)), failing_engine(OnError.DENY, base), STANDALONE, TODAY)

        assert (answer.result, answer.operations) == (Result.FAILED, [])


def _instead(policy, mode):
    """The policy with another mode wherever it says dry-run, itself or by what it extends."""
    changed = deepcopy(policy)
    for holder in [changed, *(own for own in (changed.get("controls") or {}).values() if own)]:
        if holder.get("mode") == "dry-run":
            holder["mode"] = mode
    return changed


def _but_policy(notes):
    return {key: text for key, text in notes.items() if not key.endswith("applied-policy")}
