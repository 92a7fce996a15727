"""What answers on the two ports: reviews over TLS, probes and metrics in plain HTTP."""

from collections.abc import Mapping

from aiohttp import web

from hardener.server.exchange import Decide, exchange
from hardener.server.explain import explain
from hardener.server.mutate import mutate
from hardener.server.probes import healthz, metrics, readyz
from hardener.server.state import STATE, State

MUTATE = "/mutate"
EXPLAIN = "/explain"

_ENDPOINTS: Mapping[str, Decide] = {MUTATE: mutate, EXPLAIN: explain}


def webhook_server(state: State) -> web.Server:
    """The server of the TLS port, without a router: two paths need none (docs/decisions/0017)."""
    methods = dict.fromkeys(_ENDPOINTS, "POST")

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        decide = _ENDPOINTS.get(request.path)
        if decide is None or request.method != "POST":
            return _elsewhere(request, methods, state)
        return await exchange(request, decide, state)

    return web.Server(answer)


def probe_application(state: State) -> web.Application:
    """The application of the plain port, which the node's kubelet and Prometheus reach without a certificate."""
    routes = [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)]
    methods = {route.path: route.method for route in routes}

    async def elsewhere(request: web.Request) -> web.Response:
        return _elsewhere(request, methods, state)

    application = web.Application()
    application[STATE] = state
    application.add_routes([*routes, web.route("*", "/{path:.*}", elsewhere)])
    return application


def _elsewhere(request: web.BaseRequest, methods: Mapping[str, str], state: State) -> web.Response:
    """Answer what is served nowhere, in one line; `methods` has what is served, and by which method."""
    method = methods.get(request.path)
    if method is None:
        response = web.Response(status=404, text=f"there is nothing here; known are {', '.join(methods)}\n")
    else:
        response = web.Response(status=405, text=f"use {method}\n", headers={"Allow": method})
    state.metrics.http_error(response.status)
    if state.draining:
        response.force_close()
    return response
