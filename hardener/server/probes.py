"""GET /healthz, /readyz and /metrics, on the plain port."""

import gzip
from datetime import UTC, datetime

from aiohttp import web
from prometheus_client.exposition import choose_encoder, gzip_accepted

from hardener.server.state import STATE, State


async def healthz(request: web.Request) -> web.Response:
    """Say that the event loop turns."""
    return _line(request.app[STATE], 200, "ok")


async def readyz(request: web.Request) -> web.Response:
    """Say whether reviews should be sent here, and if not, why."""
    state = request.app[STATE]
    obstacle = _obstacle(state, datetime.now(UTC))
    return _line(state, 503, obstacle) if obstacle else _line(state, 200, f"ok{_remark(state)}")


async def metrics(request: web.Request) -> web.Response:
    """All metrics in the format that the scraper asks for."""
    state = request.app[STATE]
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    body = encode(state.metrics.registry)
    headers = {"Content-Type": content_type}
    if gzip_accepted(request.headers.get("Accept-Encoding", "")):
        body = gzip.compress(body, compresslevel=1)
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=body, headers=headers)


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


def _line(state: State, status: int, text: str) -> web.Response:
    response = web.Response(status=status, text=f"{text}\n")
    if state.draining:
        response.force_close()
    return response
