"""GET /healthz, /readyz and /metrics, on the plain port."""

import gzip
from datetime import UTC, datetime

from prometheus_client.exposition import choose_encoder, gzip_accepted

from hardener.server.reply import Reply, line
from hardener.server.request import Headers
from hardener.server.state import State


def healthz(_: Headers, __: State) -> Reply:
    """Say that the event loop turns."""
    return line(200, "ok")


def readyz(_: Headers, state: State) -> Reply:
    """Say whether reviews should be sent here, and if not, why."""
    obstacle = _obstacle(state, datetime.now(UTC))
    return line(503, obstacle) if obstacle else line(200, f"ok{_remark(state)}")


def metrics(headers: Headers, state: State) -> Reply:
    """All metrics in the format that the scraper asks for."""
    encode, content_type = choose_encoder(_text(headers, b"accept"))
    content = encode(state.metrics.registry)
    if gzip_accepted(_text(headers, b"accept-encoding")):
        return Reply(gzip.compress(content, compresslevel=1), 200, content_type, (("Content-Encoding", "gzip"),))
    return Reply(content, 200, content_type)


def _text(headers: Headers, name: bytes) -> str:
    return headers.get(name, b"").decode("latin-1")


def _obstacle(state: State, now: datetime) -> str:
    if state.draining:
        return "the server is shutting down"
    if state.syncing:
        return "the facts of the cluster are still being read"
    if not state.certificate.pem:
        return "no serving certificate is in place"
    if not state.certificate.valid_at(now):
        return f"the serving certificate is not valid now; it ends at {state.certificate.expires.isoformat()}"
    return ""


def _remark(state: State) -> str:
    """What people should know about a server that is ready all the same."""
    watches = () if state.cluster is None else state.cluster.status().watches
    missing = [watch.resource for watch in watches if not watch.synced]
    return f", but these facts of the cluster are not known yet: {', '.join(missing)}" if missing else ""
