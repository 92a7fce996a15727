"""The floor for any webhook that patches: same server, loop and TLS, and an answer that is always the same.

It reads the body and the uid, as it must, and sends a patch of twelve operations that was encoded beforehand.
"""

import asyncio
import ssl
import sys
from base64 import b64encode

import msgspec
import orjson
import uvloop
from aiohttp import web

_CONTEXT = {"securityContext": {"runAsNonRoot": True, "allowPrivilegeEscalation": False}}
OPERATIONS = [{"op": "add", "path": f"/spec/containers/{index}/x", "value": _CONTEXT} for index in range(12)]
PATCH = b64encode(orjson.dumps(OPERATIONS)).decode()


class _Request(msgspec.Struct, gc=False):
    uid: str


class _Envelope(msgspec.Struct, gc=False):
    request: _Request


_DECODER = msgspec.json.Decoder(_Envelope)


async def answer(request: web.Request) -> web.Response:
    uid = _DECODER.decode(await request.read()).request.uid
    response = {"uid": uid, "allowed": True, "patchType": "JSONPatch", "patch": PATCH}
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
    return web.Response(body=orjson.dumps(review), content_type="application/json")


async def serve(certificate: str, key: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    application = web.Application(client_max_size=8 * 1024 * 1024)
    application.router.add_post("/mutate", answer)
    runner = web.AppRunner(application, access_log=None, keepalive_timeout=120)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], sys.argv[2]))
