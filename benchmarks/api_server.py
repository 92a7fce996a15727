"""Dry-run creation of a pod through a real kube-apiserver: without a webhook, with either handler, with hardener.

Client, API server, etcd and webhook share the processors, as they would in a small cluster, and the audit log is off, so
that as little as possible hides what the webhook costs. Ratios hold on other machines, milliseconds do not.
"""

import sys
from functools import partial

import msgspec
import orjson

from benchmarks.figures import Figure, figure, interleaved, ratio, table
from benchmarks.load import Round, Target, closed_loop, http_request, percentile
from benchmarks.reviews import written_spec
from benchmarks.servers import certificate, side_by_side
from hardener.model.pod import APPLIED
from tests.e2e.cluster import TOKENS, Cluster
from tests.e2e.control_plane import ControlPlane
from tests.e2e.hardening import lacking
from tests.e2e.registration import register, webhook_configuration

NONE = "no webhook"
CONNECTIONS = (1, 8, 32)
SECONDS = 0.5
ROUNDS, LONG_ROUNDS = 9, 41
PERCENTILES = (50, 95, 99)
LABEL = "bench.hardener.dev/webhook"
NO_AUDIT = ("--audit-policy-file=", "--audit-log-path=")


class Creation(msgspec.Struct, frozen=True):
    """What the creation of a pod takes: percentiles of all rounds together and the added p50 in ms, ratios of the p50."""

    pods_per_second: Figure
    percentiles: dict[int, float]
    added: Figure
    to_null: Figure
    to_fixed: Figure


class ThroughApiServer(msgspec.Struct, frozen=True):
    """For each number of connections, what is called and what it takes."""

    version: str
    creations: dict[int, dict[str, Creation]]


def measure(long: bool) -> ThroughApiServer:
    """Start a control plane without controllers, and take all figures. Raises MissingError where it cannot be started."""
    rounds = LONG_ROUNDS if long else ROUNDS
    with (
        ControlPlane(controllers=False, api_flags=NO_AUDIT) as cluster,
        certificate() as pair,
        side_by_side(pair) as servers,
    ):
        namespaces = {NONE: cluster.make_namespace("bench")}
        for name, served in servers.items():
            namespaces[name] = cluster.make_namespace(f"bench-{name}", {LABEL: name})
            url, selector = f"https://127.0.0.1:{served.port}", {"matchLabels": {LABEL: name}}
            register(cluster, webhook_configuration(f"bench-{name}", url, pair.ca_bundle, namespace_selector=selector))
        targets = {name: _target(cluster, name, namespace) for name, namespace in namespaces.items()}
        creations = {connections: _creations(targets, connections, rounds) for connections in CONNECTIONS}
        return ThroughApiServer(cluster.version, creations)


def _target(cluster: Cluster, name: str, namespace: str) -> Target:
    """The creation of a pod in a namespace, once it has shown that the pod becomes what it should."""
    path, pod = f"/api/v1/namespaces/{namespace}/pods", {"metadata": {"generateName": "shop-"}, "spec": written_spec()}
    made = cluster.request("POST", path, pod, query={"dryRun": "All"})
    hardened, ours = not lacking(made.body), APPLIED in made.body["metadata"].get("annotations", {})
    if not made.ok or hardened != (name in ("fixed", "hardener")) or ours != (name == "hardener"):
        raise RuntimeError(f"in {namespace}, a pod does not become what it should: {made.text}")
    port = int(cluster.url.rpartition(":")[2])
    request = http_request(f"{path}?dryRun=All", orjson.dumps(pod), [f"Authorization: Bearer {TOKENS['admin']}"])
    return Target((port,), (request,), status=201)


def _creations(targets: dict[str, Target], connections: int, rounds: int) -> dict[str, Creation]:
    taken = interleaved(
        {name: partial(closed_loop, target, connections, SECONDS) for name, target in targets.items()},
        rounds,
    )
    p50 = {name: [done.percentile(50) for done in of] for name, of in taken.items()}
    return {name: _creation(of, p50[name], p50) for name, of in taken.items()}


def _creation(rounds: list[Round], p50: list[float], others: dict[str, list[float]]) -> Creation:
    return Creation(
        figure([done.requests_per_second for done in rounds]),
        {percent: percentile([each for done in rounds for each in done.latencies], percent) for percent in PERCENTILES},
        figure([value - base for value, base in zip(p50, others[NONE], strict=True)]),
        ratio(p50, others["null"]),
        ratio(p50, others["fixed"]),
    )


def markdown(through: ThroughApiServer) -> str:
    """The section of the page."""
    head = [
        "connections, webhook",
        "pods/s",
        *(f"p{percent}, ms" for percent in PERCENTILES),
        "added p50, ms",
        "p50 to null",
        "p50 to fixed",
    ]
    rows = [
        [
            f"{connections}, {name}",
            creation.pods_per_second.text(0),
            *(f"{creation.percentiles[percent]:.1f}" for percent in PERCENTILES),
            creation.added.text(1),
            creation.to_null.text(),
            creation.to_fixed.whole() if name == "hardener" else creation.to_fixed.text(),
        ]
        for connections, creations in through.creations.items()
        for name, creation in creations.items()
    ]
    return f"kube-apiserver {through.version}:\n\n{table(head, rows)}\n"


if __name__ == "__main__":
    print(markdown(measure(long="--long" in sys.argv)))
