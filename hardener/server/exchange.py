"""One request and its answer, the same for every endpoint that takes reviews."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from hardener.errors import ReviewError
from hardener.server.body import JSON, Body, refusal
from hardener.server.state import STATE, State

Decide = Callable[[bytes, State], Awaitable[bytes]]
"""A whole request body to the encoded answer; raises ReviewError where the body holds no review.

It waits for nothing but what the cluster says about a namespace that is new.
"""


async def exchange(request: web.Request, decide: Decide) -> web.Response:
    """Answer a review. The `timeout` that the API server appends is of no use here, since nothing waits for long."""
    state = request.app[STATE]
    body = Body(request, state.limits, state.in_flight)
    try:
        response = web.Response(body=await decide(await body.read(), state), content_type=JSON)
    except ReviewError as error:
        state.metrics.http_error(error.status)
        response = refusal(error)
    finally:
        body.release()
    # The rest of a body that nobody wants would stand before the next request.
    if state.draining or not request.content.is_eof():
        response.force_close()
    return response
