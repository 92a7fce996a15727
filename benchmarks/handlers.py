"""Two handlers to compare with, on the same loop and TLS, and on aiohttp: `python -m benchmarks.handlers null|fixed CERT KEY`.

`null` reads the uid, as it must, and allows. `fixed` also sends a patch of twelve operations that was encoded beforehand:
the floor for any webhook that patches. The patch does to the two-container pod of `reviews.py` what hardener does to it,
annotations aside, so that the API server has about as much to apply, to decode and to validate.
"""

import asyncio
import ssl
import sys
from base64 import b64encode

import msgspec
import orjson
import uvloop
from aiohttp import web

_SECURITY = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_RESOURCES = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "1Gi"}}
OPERATIONS = [
    *(
        {"op": "add", "path": f"/spec/containers/{index}/{field}", "value": value}
        for index in (0, 1)
        for field, value in (
            ("securityContext", _SECURITY),
            ("resources", _RESOURCES),
            ("volumeMounts/-", {"name": f"scratch-{index}", "mountPath": "/tmp"}),
        )
    ),
    {"op": "add", "path": "/spec/automountServiceAccountToken", "value": False},
    *(
        {"op": "add", "path": "/spec/volumes/-", "value": {"name": f"scratch-{index}", "emptyDir": {}}}
        for index in (0, 1)
    ),
    {"op": "remove", "path": "/spec/volumes/0"},
    *({"op": "remove", "path": f"/spec/containers/{index}/volumeMounts/0"} for index in (0, 1)),
]
_PATCH = {"patchType": "JSONPatch", "patch": b64encode(orjson.dumps(OPERATIONS)).decode()}
FIELDS: dict[str, dict[str, str]] = {"null": {}, "fixed": _PATCH}
"""What each handler adds to `uid` and `allowed`."""


class _Request(msgspec.Struct, gc=False):
    uid: str


class _Envelope(msgspec.Struct, gc=False):
    request: _Request


_DECODER = msgspec.json.Decoder(_Envelope)


async def serve(fields: dict[str, str], certificate: str, key: str) -> None:
    """Serve `/mutate` on a free port of the loopback address, which is printed, until the process is ended."""

    async def answer(request: web.Request) -> web.Response:
        uid = _DECODER.decode(await request.read()).request.uid
        response = {"uid": uid, "allowed": True, **fields}
        review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
        return web.Response(body=orjson.dumps(review), content_type="application/json")

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    application = web.Application(client_max_size=8 * 2**20)
    application.router.add_post("/mutate", answer)
    runner = web.AppRunner(application, access_log=None, keepalive_timeout=120)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(FIELDS[sys.argv[1]], *sys.argv[2:]))
