"""Hypothesis strategies for policies, as configuration files say them, and for the facts of a namespace."""

from decimal import Decimal
from functools import lru_cache
from typing import Any

import yaml
from hypothesis import strategies as st

from hardener.controls import CATALOGUE
from hardener.model import Facts, LimitRange, Quota
from hardener.policy.config import Config
from hardener.policy.reading import parse_config
from tests.pod_json import Json
from tests.properties.containers import few

_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

MODES = ("enforce", "dry-run", "disabled")
modes = st.sampled_from(MODES)
host_agents = st.sampled_from(["hold", "harden"])
explicit = st.sampled_from(["keep", "override"])


def setting(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Json]:
    return st.fixed_dictionaries({}, optional={"mode": modes, **fields})


CONTROLS: dict[str, st.SearchStrategy[Json]] = {
    "allowPrivilegeEscalation": setting(explicit=explicit),
    "automountServiceAccountToken": setting(serviceAccounts=st.sampled_from(["default", "all"])),
    "capabilities": setting(
        explicit=explicit, hostAgents=host_agents, rootContainers=st.sampled_from(["drop", "hold"])
    ),
    "readOnlyRootFilesystem": setting(
        explicit=explicit,
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
    "runAsNonRoot": setting(explicit=explicit, hostAgents=host_agents, unknownImage=st.sampled_from(["set", "hold"])),
    "seccompProfile": setting(explicit=explicit)
    | setting(explicit=explicit, type=st.just("Localhost"), localhostProfile=st.just("p.json")).filter(
        lambda settings: ("type" in settings) == ("localhostProfile" in settings)
    ),
}

SHARP: tuple[Json, ...] = (
    {},
    {"explicit": "override"},
    {
        "explicit": "override",
        "hostAgents": "harden",
        "controls": {"seccompProfile": {"type": "Localhost", "localhostProfile": "p.json"}},
    },
    {"mode": "dry-run", "warnings": "changes"},
    {"controls": {"runAsNonRoot": {"mode": "dry-run"}, "readOnlyRootFilesystem": {"mode": "dry-run"}}},
    {
        "explicit": "override",
        "controls": {
            "automountServiceAccountToken": {"mode": "dry-run", "serviceAccounts": "all"},
            "capabilities": {"mode": "dry-run"},
            "resources": {"mode": "disabled"},
            "readOnlyRootFilesystem": {"explicit": "keep", "writablePaths": ["/tmp", "/run"]},
        },
    },
    {"optOut": {"controls": ["resources", "capabilities", "runAsNonRoot"], "requireReason": True, "maxDays": 90}},
    {"optOut": {"controls": "none"}},
)
"""What people write, so that random pods meet it often."""

mixed = st.builds(
    lambda modes, more: {**more, "controls": {control: {"mode": mode} for control, mode in modes.items()}},
    st.fixed_dictionaries({name: st.sampled_from(["enforce", *MODES]) for name in CATALOGUE}),
    st.sampled_from([{}, {"explicit": "override"}, {"hostAgents": "harden"}]),
)
"""One control after the other: each in a mode of its own."""

policies: st.SearchStrategy[Json] = (
    st.sampled_from(SHARP)
    | mixed
    | st.fixed_dictionaries(
        {},
        optional={
            "mode": modes,
            "explicit": explicit,
            "hostAgents": host_agents,
            "warnings": st.sampled_from(["problems", "changes", "none"]),
            "controls": st.fixed_dictionaries({}, optional={name: st.none() | each for name, each in CONTROLS.items()}),
            "optOut": st.fixed_dictionaries(
                {},
                optional={
                    "controls": st.just("all")
                    | st.just("none")
                    | st.lists(st.sampled_from(list(CATALOGUE)), unique=True),
                    "requireReason": st.booleans(),
                    "maxDays": st.sampled_from([None, 7, 90]),
                },
            ),
        },
    )
)
"""What a policy that extends `standard` says of itself."""

exempt_containers = st.sampled_from(
    [
        [],
        [{"name": "app", "image": "docker.io/mesh/proxy:*"}],
        [{"name": "web", "image": "docker.io/library/web:*"}],
        [{"name": name, "image": f"docker.io/mesh/proxy{tag}"} for name in ("app", "web") for tag in (":*", "@*")],
    ]
)
exemptions: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {},
    optional={
        "runtimeClasses": st.just(["trusted"]),
        "priorityClasses": st.just(["trusted"]),
        "containers": exempt_containers,
    },
)
"""What a configuration exempts, in the names that the pods of these tests have."""


def configuration(policy: Json, exempt: Json | None = None) -> Config:
    """A configuration under which every namespace has this policy."""
    return read({"policies": {"mine": policy}, "default": "mine", "exempt": exempt or {}})


def read(document: Json) -> Config:
    """Read a configuration as from a file."""
    return _read(yaml.dump({"apiVersion": "hardener.dev/v1", "kind": "HardenerConfig", **document}, Dumper=_DUMPER))


@lru_cache(maxsize=64)
def _read(text: str) -> Config:
    return parse_config(text, "random.yaml")


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
    known=st.sampled_from([True, True, True, False]),
    limit_ranges=few(limit_ranges, 2).map(tuple),
    quotas=few(quotas, 2).map(tuple),
    token_accounts=st.frozensets(st.sampled_from(["default", "operator"]), max_size=1),
)
