"""Pool: the connections to one API server under one set of credentials, over the transport of the kubernetes package.

The package sets TLS up and keeps tokens fresh; its models are never made, since one page of them takes more memory than
all the tables.
"""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from types import MappingProxyType
from typing import Literal, NamedTuple, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler
from kubernetes.aio.client import ApiClient, Configuration

from hardener import __version__
from hardener.cluster.bounds import Bounds

READ_BYTES = 64 * 1024
"""How much of an answer is read ahead."""

END_SECONDS = 1.0
"""How long the end of connections is waited for that have been broken off; the event loop needs a turn or two."""

_HEADERS = {"Accept": "application/json"}
_CONTENT_TYPES = {"POST": "application/json", "PATCH": "application/strategic-merge-patch+json"}

Query = Mapping[str, str | int]
Headers = Mapping[str, str]
Method = Literal["GET", "POST", "PATCH", "DELETE"]

NO_OTHERS: Headers = MappingProxyType({})


class Request(NamedTuple):
    """What is asked for; a PATCH is a strategic merge, unless the pool's headers say otherwise."""

    path: str
    query: Query
    method: Method = "GET"
    body: Mapping[str, object] | None = None


class Pool:
    """Make it within the event loop; `headers` go before the usual ones with every request.

    Raises OSError or ValueError where certificates of the configuration are no good.
    """

    def __init__(self, configuration: Configuration, bounds: Bounds, headers: Headers = NO_OTHERS) -> None:
        self._headers = headers
        # The certificates of older clusters lack what Python asks for since 3.13 (kubernetes-client/python issue 2394).
        configuration.disable_strict_ssl_verification = True
        self._client = ApiClient(configuration)
        self._client.user_agent = f"hardener/{__version__}"
        self._connector = _Connector(bounds.connections, self._client.rest_client.ssl_context)
        configuration.client_session_kwargs = {"read_bufsize": READ_BYTES, "connector": self._connector}

    async def request(self, request: Request, allowed: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        """The answer, whose body is still to be read; `leave` ends it. Raises what aiohttp and the kubernetes package do."""
        headers = dict(_HEADERS)
        if request.body is not None:
            headers["Content-Type"] = _CONTENT_TYPES[request.method]
        headers |= self._headers
        serialized = await self._client.param_serialize(
            request.method,
            request.path,
            query_params=list(request.query.items()),
            header_params=headers,
            body=request.body,
            auth_settings=["BearerToken"],
        )
        answer = await self._client.call_api(*serialized, _request_timeout=allowed)
        response: aiohttp.ClientResponse = answer.response
        return response

    async def close(self) -> None:
        """Break every connection off, and return when the last one is gone."""
        await self._client.rest_client.close()
        await self._connector.end()


def leave(response: aiohttp.ClientResponse) -> None:
    """End an answer; one that has not been read to its end without TLS's farewell, for which nobody would wait."""
    connection = response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()
    response.close()


class _Connector(aiohttp.TCPConnector):
    """A connector that knows all of its connections.

    aiohttp's own knows those that are idle, or whose request has its answer. A request that is cancelled before leaves
    a connection behind that waits for TLS's farewell, for up to half a minute, and that only the event loop knows.

    It replaces one inner attribute of aiohttp's, `_factory`, which makes the protocol of each connection.
    """

    def __init__(self, limit: int, context: ssl.SSLContext) -> None:
        super().__init__(limit=limit, ssl=context)
        self.open: dict[_Protocol, asyncio.Transport] = {}
        make: Callable[..., ResponseHandler] = _Protocol
        self._factory = partial(make, self, asyncio.get_running_loop())

    async def end(self) -> None:
        """Break every connection off, and return when the last one is gone."""
        await self.close()
        ends = [protocol.closed for protocol in self.open]
        for transport in self.open.values():
            transport.abort()
        with suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                await asyncio.gather(*(end for end in ends if end is not None), return_exceptions=True)


class _Protocol(ResponseHandler):
    """One connection: in TLS, from the end of its handshake."""

    def __init__(self, connector: _Connector, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._connector = connector

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._connector.open[self] = cast("asyncio.Transport", transport)
        # Its handshake was under way when everything ended.
        if self._connector.closed:
            self._connector.open[self].abort()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._connector.open.pop(self, None)
        super().connection_lost(exc)
