"""What is kept in the cluster and known of it, as far as the server speaks of it: readiness, log and metrics."""

from typing import TYPE_CHECKING

from hardener.server.counting import Samples
from hardener.server.state import State

if TYPE_CHECKING:
    from hardener.cluster import Cluster, Status
    from hardener.server.self_managed import SelfManagedStatus


async def follow_sync(state: State, cluster: "Cluster") -> None:
    """Let the server be ready once the facts are there, or were waited for long enough; pods shall not wait for them."""
    in_time = await cluster.wait_until_synced(state.limits.sync_seconds)
    if not in_time:
        reasons = {watch.resource: watch.reason for watch in cluster.status().watches if not watch.synced}
        state.log.failure(
            "the facts of the cluster are not known yet: what depends on them is held back, and nothing is enforced "
            "where a namespace's labels could decide",
            waiting=reasons,
        )
    state.syncing = False
    if in_time or await cluster.wait_until_synced(None):
        state.log.info("the facts of the cluster are there")


def certificate_samples(status: "SelfManagedStatus") -> Samples:
    """The metrics of a certificate that is kept in the cluster."""
    return {
        "hardener_secret_writes_total": [((), status.renewals)],
        "hardener_ca_bundle_writes_total": [((), status.repairs)],
    }


def cluster_samples(status: "Status") -> Samples:
    """The metrics that the watches count themselves."""
    return {
        "hardener_cluster_synced": [((watch.resource,), float(watch.synced)) for watch in status.watches],
        "hardener_cluster_silence_seconds": [
            ((watch.resource,), watch.age) for watch in status.watches if watch.age is not None
        ],
        "hardener_cluster_watch_failures_total": [((watch.resource,), watch.failures) for watch in status.watches],
        "hardener_cluster_questions_total": [
            (("answered",), status.asked - status.missing - status.unanswered),
            (("missing",), status.missing),
            (("unanswered",), status.unanswered),
        ],
    }
