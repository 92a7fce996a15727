"""The two applications: reviews over TLS, probes and metrics in plain HTTP."""

from aiohttp import web

from hardener.server.explain import explain
from hardener.server.mutate import mutate
from hardener.server.probes import healthz, metrics, readyz
from hardener.server.state import STATE, State

MUTATE = "/mutate"
EXPLAIN = "/explain"


def webhook_application(state: State) -> web.Application:
    """The application of the TLS port."""
    return _application(state, [web.post(MUTATE, mutate), web.post(EXPLAIN, explain)])


def probe_application(state: State) -> web.Application:
    """The application of the plain port, which the node's kubelet and Prometheus reach without a certificate."""
    routes = [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)]
    return _application(state, routes)


def _application(state: State, routes: list[web.RouteDef]) -> web.Application:
    application = web.Application()
    application[STATE] = state
    methods = {route.path: route.method for route in routes}

    async def elsewhere(request: web.Request) -> web.Response:
        """Answer what no route serves, in one line."""
        method = methods.get(request.path)
        if method is None:
            response = web.Response(status=404, text=f"there is nothing here; known are {', '.join(methods)}\n")
        else:
            response = web.Response(status=405, text=f"use {method}\n", headers={"Allow": method})
        state.metrics.http_error(response.status)
        if state.draining:
            response.force_close()
        return response

    application.add_routes([*routes, web.route("*", "/{path:.*}", elsewhere)])
    return application
