"""Hypothesis strategies for policies, as configuration files say them, and for the facts of a namespace."""

from decimal import Decimal
from typing import Any

import yaml
from hypothesis import strategies as st

from hardener.controls import CATALOGUE
from hardener.model import Facts, LimitRange, Quota
from hardener.policy.config import Config
from hardener.policy.reading import parse_config
from tests.pod_json import Json
from tests.properties.containers import few

MODES = ("enforce", "dry-run", "disabled")
modes = st.sampled_from(MODES)
host_agents = st.sampled_from(["hold", "harden"])


def setting(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({}, optional={"mode": modes, **fields})


CONTROLS: dict[str, st.SearchStrategy[Json]] = {
    "allowPrivilegeEscalation": setting(),
    "automountServiceAccountToken": setting(serviceAccounts=st.sampled_from(["default", "all"])),
    "capabilities": setting(hostAgents=host_agents, rootContainers=st.sampled_from(["drop", "hold"])),
    "readOnlyRootFilesystem": setting(
        hostAgents=host_agents,
        writablePaths=st.sampled_from([["/tmp"], [], ["/tmp", "/var/cache"], ["/tmp/cache", "/run", "/var/cache/app"]]),
        sizeLimit=st.sampled_from(["1Gi", 1000, None]),
    ),
    "resources": setting(
        requests=st.fixed_dictionaries(
            {},
            optional={
                "cpu": st.sampled_from(["1m", "0.05", None]),
                "memory": st.sampled_from(["16Mi", "1e7", None]),
                "ephemeral-storage": st.sampled_from(["1Mi", None]),
            },
        ),
        limits=st.fixed_dictionaries(
            {},
            optional={
                "cpu": st.sampled_from(["1", "50m", None]),
                "memory": st.sampled_from(["64Mi", "1Gi", None]),
                "ephemeral-storage": st.sampled_from(["1Gi", None]),
            },
        ),
    ),
    "runAsNonRoot": setting(hostAgents=host_agents, unknownImage=st.sampled_from(["set", "hold"])),
    "seccompProfile": setting()
    | setting(type=st.just("Localhost"), localhostProfile=st.just("p.json")).filter(
        lambda settings: ("type" in settings) == ("localhostProfile" in settings)
    ),
}

policies: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {},
    optional={
        "mode": modes,
        "hostAgents": host_agents,
        "warnings": st.sampled_from(["problems", "changes", "none"]),
        "controls": st.fixed_dictionaries({}, optional={name: st.none() | each for name, each in CONTROLS.items()}),
        "optOut": st.fixed_dictionaries(
            {},
            optional={
                "controls": st.just("all") | st.just("none") | st.lists(st.sampled_from(list(CATALOGUE)), unique=True),
                "requireReason": st.booleans(),
                "maxDays": st.sampled_from([None, 7, 90]),
            },
        ),
    },
)
"""What a policy that extends `standard` says of itself."""


def configuration(policy: Json) -> Config:
    """A configuration under which every namespace has this policy."""
    document = {
        "apiVersion": "hardener.dev/v1",
        "kind": "HardenerConfig",
        "policies": {"mine": policy},
        "default": "mine",
    }
    return parse_config(yaml.safe_dump(document), "random.yaml")


amounts = st.dictionaries(
    st.sampled_from(["cpu", "memory", "ephemeral-storage"]),
    st.sampled_from([Decimal(text) for text in ("0.05", "0.1", "1", "2", "16777216", "67108864", "1073741824")]),
    max_size=2,
)
limit_ranges = st.builds(
    LimitRange,
    st.sampled_from(["Container", "Pod"]),
    amounts,
    amounts,
    st.dictionaries(
        st.sampled_from(["cpu", "memory"]), st.sampled_from([Decimal(1), Decimal("1.5"), Decimal(10)]), max_size=1
    ),
)
quotas = st.builds(
    Quota,
    st.frozensets(st.sampled_from(["NotBestEffort", "BestEffort"]), max_size=1),
    st.frozensets(st.sampled_from(["pods", "requests.cpu", "limits.memory", "requests.ephemeral-storage"]), max_size=2),
)
facts = st.builds(
    Facts,
    st.sampled_from([True, True, True, False]),
    few(limit_ranges, 2).map(tuple),
    few(quotas, 2).map(tuple),
    st.frozensets(st.sampled_from(["default", "operator"]), max_size=1),
)
