"""Survey: a Report of a live cluster, read once. Memory is bounded by a page of pods and by what the report tells."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Self

import msgspec
from kubernetes.aio.client import Configuration

from hardener import __version__
from hardener.cluster.api_server import UNAUTHORIZED, ApiError, ApiServer
from hardener.cluster.bounds import Bounds, Pace
from hardener.cluster.credentials import Credentials
from hardener.cluster.listing import EVERYWHERE, Listed, problem, read_list
from hardener.cluster.snapshot import Snapshot
from hardener.cluster.status import Silence
from hardener.cluster.workloads import METADATA, MIDDLES, WORKLOADS, Middle, Workload, above, custom_workloads
from hardener.controls import CATALOGUE
from hardener.errors import MisfitError, StartError
from hardener.model import Facts
from hardener.model.workloads import template_paths
from hardener.policy.config import Config
from hardener.report.assessment import Owner
from hardener.report.collecting import Collecting, Place
from hardener.report.report import Report

PODS = Listed("pods")

Progress = Callable[[str, int], None]
"""Told what is being read, and how much of it has been."""


class ConfigMapObject(msgspec.Struct):
    """A ConfigMap's texts."""

    data: dict[str, str] | None = None


class Survey:
    """One look at a cluster. `async with Survey(credentials()) as survey:` opens the connections and closes them.

    With `namespaces`, only these are looked at, and no right for the whole cluster is needed. Entering raises StartError
    where the credentials cannot be read, or nobody answers to them.
    """

    def __init__(
        self,
        credentials: Credentials,
        namespaces: Sequence[str] = (),
        *,
        progress: Progress | None = None,
        bounds: Bounds | None = None,
        pace: Pace | None = None,
    ) -> None:
        async def noting() -> Configuration:
            configuration = await credentials()
            self._address = str(configuration.host)
            return configuration

        self.problems: list[str] = []
        self._address = ""
        self._namespaces = tuple(dict.fromkeys(namespaces))
        self._progress = progress or (lambda _what, _count: None)
        bounds = bounds or Bounds(remembered=max(len(self._namespaces), 1))
        pace = pace or Pace()
        self.api = ApiServer(noting, bounds, pace, Silence())
        self._metadata = ApiServer(credentials, bounds, pace, Silence(), {"Accept": METADATA})
        self._snapshot = Snapshot(self.api, bounds, pace)

    async def __aenter__(self) -> Self:
        await self.api.open()
        try:
            await self.api.get("/version")
        except ApiError as error:
            # A refusal comes from an API server that is there, and says nothing of other rights.
            if error.status in (0, UNAUTHORIZED):
                await self.__aexit__()
                raise StartError(f"the API server {self._address} cannot be reached: {error}") from error
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.api.close()
        await self._metadata.close()

    async def config_map(self, namespace: str, name: str) -> dict[str, str]:
        """The texts of a ConfigMap. Raises StartError where it cannot be read."""
        path = f"/api/v1/namespaces/{namespace}/configmaps/{name}"
        try:
            return msgspec.json.decode(await self.api.get(path), type=ConfigMapObject).data or {}
        except (ApiError, msgspec.MsgspecError) as error:
            raise StartError(f"the ConfigMap {namespace}/{name} cannot be read: {error}") from error

    async def facts(self) -> dict[str, Facts]:
        """The facts of the namespaces that are there; `problems` says which of them are missing."""
        await self._snapshot.read(self._namespaces)
        self.problems += self._snapshot.problems
        return {namespace: self._snapshot.facts(namespace) for namespace in sorted(self._snapshot.names)}

    async def report(self, config: Config, now: datetime) -> Report:
        """Read everything and judge it. Raises StartError where not even the pods can be listed."""
        await self.facts()
        collecting = Collecting(config, self._snapshot.facts, now.date())
        await self._pods(collecting)
        await self._owners(collecting)
        for workload in (*WORKLOADS, *await custom_workloads(self.api, config.templates, self.problems)):
            await self._templates(workload, config, collecting)
        return Report(
            cluster=self._address,
            taken_at=now,
            version=__version__,
            controls=tuple(CATALOGUE),
            namespaces=collecting.namespaces(self._snapshot.names),
            problems=(*self.problems, *collecting.problems()),
            config=config.file,
            finished=collecting.finished,
            mirrors=collecting.mirrors,
        )

    @property
    def _meant(self) -> Sequence[str]:
        """The namespaces that lists are asked for."""
        return tuple(sorted(self._snapshot.names)) if self._namespaces else EVERYWHERE

    async def _pods(self, collecting: Collecting) -> None:
        read, refused = 0, []

        def take(raw: msgspec.Raw) -> None:
            nonlocal read
            read += 1
            collecting.pod(msgspec.json.decode(raw))
            self._progress(PODS.name, read)

        for namespace in self._meant:
            try:
                await read_list(self.api, PODS, take, partial(collecting.forget, namespace), (namespace,))
            except ApiError as error:
                collecting.forget(namespace)
                refused.append(problem(PODS, error, namespace))
        if len(refused) == len(self._meant) and refused:
            raise StartError("; ".join(refused))
        self.problems += refused

    async def _owners(self, collecting: Collecting) -> None:
        await self._metadata.open()
        for middle in MIDDLES:
            wanted = collecting.owners(middle.kind)
            if wanted:
                collecting.adopt(await self._above(middle, wanted))

    async def _above(self, middle: Middle, wanted: frozenset[Place]) -> dict[Place, Owner]:
        found: dict[Place, Owner] = {}

        def take(raw: msgspec.Raw) -> None:
            owned = above(raw)
            if owned is not None:
                place = owned.namespace, Owner(middle.kind, owned.name)
                if place in wanted:
                    found[place] = Owner(owned.owner_kind, owned.owner_name)

        try:
            await read_list(self._metadata, middle.listed, take, found.clear, self._meant)
        except ApiError as error:
            self.problems.append(problem(middle.listed, error))
        return found

    async def _templates(self, workload: Workload, config: Config, collecting: Collecting) -> None:
        read = 0

        def take(raw: msgspec.Raw) -> None:
            nonlocal read
            read += 1
            self._progress(workload.listed.name, read)
            self._template(workload, msgspec.json.decode(raw), config, collecting)

        try:
            await read_list(self.api, workload.listed, take, lambda: None, self._meant)
        except ApiError as error:
            self.problems.append(problem(workload.listed, error))

    def _template(self, workload: Workload, obj: dict[str, object], config: Config, collecting: Collecting) -> None:
        owner = Owner(workload.kind, str(obj["metadata"]["name"]))  # type: ignore[index]
        try:
            paths = template_paths(obj, f"{workload.group}/", workload.kind, config.templates) or ()
        except MisfitError as misfit:
            self.problems.append(f"{workload.kind} {owner.name} cannot be judged: {misfit}")
            return
        for path in paths:
            collecting.template(obj, owner, path)
