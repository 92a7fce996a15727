"""`hardener demo`: real pods through the real webhook, over TLS, with the reason of every change."""

import asyncio
import io
import ssl
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING
from uuid import uuid4

import click
import msgspec
from rich import box
from rich.table import Table
from rich.text import Text

from hardener.admission.provenance import provenance, reach
from hardener.admission.workload import mapping_at
from hardener.cli.judgement import Preview, judge
from hardener.cli.manifests.documents import Json, Manifest, manifests, read_documents
from hardener.cli.output import diff
from hardener.cli.terminal import color_option, console, wants_color
from hardener.errors import INTERNAL
from hardener.model import STANDALONE, Mode
from hardener.model.pod import PROVENANCE
from hardener.patch import Operation, apply_patch, render
from hardener.policy.config import Config
from hardener.policy.reading import embedded_config
from hardener.wording import one_line

if TYPE_CHECKING:
    from aiohttp import ClientSession

PODS = "pods"


class Response(msgspec.Struct):
    """What the demo reads of an AdmissionReview's response."""

    uid: str
    allowed: bool
    patch: bytes = b""
    warnings: list[str] = []


class Review(msgspec.Struct):
    """The envelope of a response."""

    response: Response


@dataclass(frozen=True, slots=True)
class Exchange:
    """One pod that was sent: what this process decides, what the webhook answered, and how long that took."""

    title: str
    preview: Preview
    response: Response
    again: Response
    seconds: float

    @property
    def operations(self) -> list[Operation]:
        return msgspec.json.decode(self.response.patch or b"[]", type=list[Operation])

    def notes(self) -> Iterator[tuple[str, str]]:
        """What the webhook has written on the pod about its own doing; preview leaves that out of its diff."""
        hardened = apply_patch(self.preview.manifest.value, self.operations)
        found = mapping_at(hardened, ("metadata", "annotations"))
        yield from ((key, str(found[key])) for key in PROVENANCE if key in found)

    def differences(self) -> Iterator[str]:
        """What is not as it must be; nothing, if all is well."""
        preview = self.preview
        writes = preview.outcome.writes(Mode.ENFORCE)
        pod, policy = preview.judgement.pod, preview.policy
        notes = provenance(pod, policy, reach(pod, policy, preview.outcome), writes)
        expected = msgspec.json.encode(render(writes + notes))
        if not self.response.allowed:
            yield "the webhook refused the pod"
        if msgspec.json.decode(expected) != msgspec.json.decode(self.response.patch or b"[]"):
            yield "the webhook's patch is not what the engine decides here"
        if self.again.patch:
            yield "the hardened pod, sent again, would be changed again"


@click.command()
@color_option
@click.pass_context
def demo(ctx: click.Context, color: str) -> None:
    """Start the webhook on a free port, send real pods to it, and show what becomes of them.

    Exit code 0: every answer was what the engine decides; 3: one was not.
    """
    colored = wants_color(color)
    config = embedded_config()
    start = time.perf_counter()
    exchanges = asyncio.run(_exchange_all(config, colored))
    failed = 0
    for exchange in exchanges:
        for line in _story(exchange):
            click.echo(line, color=colored)
        failed += any(exchange.differences())
    console(colored).print(_table(exchanges))
    verdict = "the webhook answered as the engine decides, and the hardened pods, sent again, stay as they are"
    click.echo(
        f"{len(exchanges)} pods in {time.perf_counter() - start:.1f} s: "
        + (f"{failed} with a wrong answer" if failed else verdict)
    )
    ctx.exit(INTERNAL if failed else 0)


def demo_pods() -> Iterator[tuple[str, Manifest]]:
    """The pods that come with the package, each with the sentence above it, in order."""
    folder = files(__package__ or __name__) / PODS
    for resource in sorted(folder.iterdir(), key=lambda resource: resource.name):
        for document in read_documents(resource.read_bytes(), resource.name):
            for item in manifests(document):
                if not isinstance(item, Manifest):
                    raise TypeError(f"{resource.name}: {item}")
                yield document.text.partition("\n")[0].removeprefix("# "), item


async def _exchange_all(config: Config, colored: bool) -> list[Exchange]:
    """Send every pod, one after the other, over one connection that trusts the server's own certificate and no other."""
    # aiohttp and what belongs to it cost more than the other commands take as a whole.
    from aiohttp import ClientSession, TCPConnector  # noqa: PLC0415  see above

    from hardener.server.log import Log  # noqa: PLC0415  see above
    from hardener.server.running import Options, Server  # noqa: PLC0415  see above

    today = datetime.now(UTC).date()
    exchanges = []
    async with Server(Options(), Log(io.BytesIO())) as server:
        click.echo(click.style(f"The webhook listens at {server.mutate_url}\n", bold=True), color=colored)
        context = ssl.create_default_context(cadata=server.certificate_pem.decode())
        async with ClientSession(connector=TCPConnector(ssl=context)) as client:
            for title, manifest in demo_pods():
                start = time.perf_counter()
                response = await _send(client, server.mutate_url, manifest.value)
                seconds = time.perf_counter() - start
                hardened = apply_patch(manifest.value, msgspec.json.decode(response.patch or b"[]"))
                again = await _send(client, server.mutate_url, hardened)
                previews = judge(manifest, config, "default", lambda _: STANDALONE, today)
                if not previews:
                    raise TypeError(f"{manifest.document.file} holds no pod")
                (preview,) = previews
                exchanges.append(Exchange(title, preview, response, again, seconds))
    return exchanges


async def _send(client: "ClientSession", url: str, pod: Json) -> Response:
    """Ask as the API server does (semantics.md 2.2)."""
    async with client.post(url, json=review_of(pod)) as answer:
        body = await answer.read()
        if answer.status != HTTPStatus.OK:
            raise RuntimeError(f"the webhook answered {answer.status}: {body.decode(errors='replace')}")
    return msgspec.json.decode(body, type=Review).response


def review_of(pod: Json) -> Json:
    """The AdmissionReview of a pod that a controller creates."""
    metadata = pod.get("metadata")
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": str(uuid4()),
            "kind": {"group": "", "version": "v1", "kind": "Pod"},
            "resource": {"group": "", "version": "v1", "resource": "pods"},
            "requestKind": {"group": "", "version": "v1", "kind": "Pod"},
            "requestResource": {"group": "", "version": "v1", "resource": "pods"},
            "namespace": metadata.get("namespace") if isinstance(metadata, dict) else None,
            "operation": "CREATE",
            "userInfo": {"username": "demo", "groups": ["system:authenticated"]},
            "object": pod,
            "oldObject": None,
            "dryRun": False,
            "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
        },
    }


def _story(exchange: Exchange) -> Iterator[str]:
    """One pod for people to read: what it is, what became of it, and what went wrong."""
    yield click.style(f"# {exchange.title}", bold=True)
    lines = list(diff.render(exchange.preview))
    yield from lines or [click.style("  nothing to change", fg="green")]
    yield from (click.style(f"  written on it: {key}: {one_line(text)}", fg="cyan") for key, text in exchange.notes())
    yield from (f"  warning to the sender: {one_line(warning)}" for warning in exchange.response.warnings)
    yield from (click.style(f"  WRONG: {difference}", fg="red", bold=True) for difference in exchange.differences())
    yield ""


def _table(exchanges: Sequence[Exchange]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("pod", "policy", "changed by", "held back", "opted out"):
        table.add_column(heading, overflow="fold")
    table.add_column("operations", justify="right")
    table.add_column("ms", justify="right")
    for exchange in exchanges:
        preview = exchange.preview
        changed = len({edit.control for edit in preview.edits})
        accepted = sum(opt_out.accepted for opt_out in preview.outcome.opt_outs)
        table.add_row(
            Text(preview.manifest.document.file, style="bold"),
            Text(preview.policy.name),
            Text(f"{changed} {'control' if changed == 1 else 'controls'}", style="green" if changed else ""),
            Text(str(len(preview.holds)), style="magenta" if preview.holds else ""),
            Text(f"{accepted} of {len(preview.outcome.opt_outs)}" if preview.outcome.opt_outs else "0"),
            Text(str(len(exchange.operations))),
            Text(f"{exchange.seconds * 1000:.1f}"),
        )
    return table
