"""What the API server knows: small tables fed by list and watch, and Facts made from them."""

from hardener.cluster.bounds import Bounds, Pace
from hardener.cluster.cluster import Cluster
from hardener.cluster.credentials import Credentials, credentials
from hardener.cluster.status import Log, Status, WatchStatus

__all__ = ["Bounds", "Cluster", "Credentials", "Log", "Pace", "Status", "WatchStatus", "credentials"]
