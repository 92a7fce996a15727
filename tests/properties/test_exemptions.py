"""What is exempt is left alone to the last byte, and costs the containers beside it nothing but what design.md 3 names.

These are the token's volume, which stays for the exempt container (and the token as a whole, where that container uses it
otherwise), and defaults for ephemeral-storage, which are for all containers or none. What an exempt container says of
the operating system and asks for counts for the pod, as it does for the scheduler.
"""

from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st

from hardener.admission import Result
from tests.admission_chain import admitted, passed
from tests.decisions import decisions, place
from tests.pod_json import CONTAINER_LISTS, TOKEN_FOLDER, containers, is_injected_token, rows, spec
from tests.pods import view
from tests.properties.containers import SHARP
from tests.properties.governed import exempt_places, is_exempt
from tests.properties.pods import pods, sharp_pods
from tests.properties.policies import configuration, exemptions, policies
from tests.provenance import applied_of, told

TOKEN = "automountServiceAccountToken"
MESH = {"containers": [{"name": "mesh", "image": "docker.io/mesh/proxy:*"}]}

# One that uses the token otherwise keeps it for the whole pod.
sidecars = st.builds(
    lambda fields: {**fields, "name": "mesh", "image": "mesh/proxy:1.2"},
    st.sampled_from([{}, *(each for each in SHARP if not {"env", "volumeMounts"} & set(each))]),
)


@given(pods, policies, exemptions)
def test_an_exempt_container_is_not_touched(pod, policy, exempt):
    before = admitted(pod)
    answer, after = passed(before, configuration(policy, exempt))
    if is_exempt(pod, exempt):
        assert (answer.operations, answer.announced, told(after)) == ([], [], told(before))
        assert answer.result in (Result.EXEMPT, Result.UNCHANGED)
        return
    places = [place(each) for each in view(before).containers]
    left_alone = exempt_places(before, exempt)
    for where, (_, old), (_, new) in zip(places, containers(before), containers(after), strict=True):
        if where in left_alone:
            assert new == old


@given(sharp_pods, policies, sidecars, st.sampled_from(CONTAINER_LISTS), st.booleans())
def test_an_exempt_sidecar_makes_no_other_container_less_hardened(pod, policy, sidecar, field, first):
    rules = configuration(policy, MESH).default
    with_sidecar = deepcopy(pod)
    others = spec(pod).get(field) or []
    spec(with_sidecar)[field] = [sidecar, *others] if first else [*others, sidecar]

    assert _of_containers(decisions(with_sidecar, rules)) == _of_containers(decisions(pod, rules))


@given(sharp_pods, sidecars, st.sampled_from(CONTAINER_LISTS))
def test_an_exempt_sidecar_keeps_its_token_and_no_other_container_does(pod, sidecar, field):
    config = configuration({}, MESH)
    spec(pod)[field] = [*(spec(pod).get(field) or []), sidecar]
    before = admitted(pod)
    answer, after = passed(before, config)
    held = any(v.skips for v in answer.outcome.verdicts if v.control == TOKEN)
    out = {o.container for o in answer.outcome.opt_outs if o.control == TOKEN and o.accepted}
    if is_exempt(pod, MESH) or answer.outcome.is_exempt or held or None in out or spec(before).get(TOKEN) is not None:
        return
    volumes = {volume["name"] for volume in rows(spec(before)["volumes"]) if is_injected_token(volume)}
    mounting = {
        each["name"]
        for _, each in containers(after)
        for mount in rows(each.get("volumeMounts"))
        if (mount["name"], mount["mountPath"]) in {(name, TOKEN_FOLDER) for name in volumes}
    }
    left = {each.name for each in view(before).containers} - {"mesh"} - out

    assert volumes <= {volume["name"] for volume in rows(spec(after)["volumes"])}
    assert "mesh" in mounting
    assert not mounting & left
    assert (spec(after).get(TOKEN) is False) == bool(left)
    assert TOKEN not in applied_of(after)


def _of_containers(found):
    """What was decided on containers, by name and not by place, but for what the exempt one takes part in."""
    return sorted(
        (control, where.partition(" ")[2], text, str(value))
        for control, where, text, value in found
        if where != "pod" and not where.endswith(" mesh") and control != TOKEN and "ephemeral-storage" not in text
    )
