"""What tests of the watches need beside the API server: objects, time that passes at once, and a log that is kept."""

import asyncio
from typing import Any

from kubernetes.aio.client import Configuration

from hardener.cluster import Credentials, Pace
from tests.cluster.api_double import RESOURCES


class Time:
    """A clock that only sleeping moves on, and sleep that takes no time; `slept` holds each pause."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    @property
    def pace(self) -> Pace:
        """Without any jitter."""
        return Pace(clock=lambda: self.now, sleep=self.sleep, random=lambda: 0.0)


class Lines:
    """A log whose lines a test can read."""

    def __init__(self) -> None:
        self.written: list[tuple[str, str, dict[str, Any]]] = []

    def info(self, message: str, **fields: object) -> None:
        self.written.append(("info", message, fields))

    def warning(self, message: str, **fields: object) -> None:
        self.written.append(("warning", message, fields))

    def failure(self, message: str, error: BaseException | None = None, **fields: object) -> None:
        self.written.append(("error", message, {**fields, "error": error}))

    def messages(self, level: str) -> list[str]:
        return [message for written, message, _ in self.written if written == level]


def credentials_for(url: str, token: str = "") -> Credentials:
    """Credentials that need no file."""

    async def read() -> Configuration:
        configuration = Configuration(host=url)
        if token:
            configuration.api_key["BearerToken"] = f"Bearer {token}"
        return configuration

    return read


def limit_range(**limits):
    """The spec of a LimitRange for containers, as `max={"memory": "1Gi"}`."""
    return {"limits": [{"type": "Container", **limits}]}


async def fill(api):
    """A namespace with one of each."""
    await api.namespace("shop", team="a")
    await api.put("limitranges", "shop", "limits", spec=limit_range(max={"memory": "1Gi"}))
    await api.put("resourcequotas", "shop", "quota", spec={"hard": {"pods": "10"}})
    await api.put("serviceaccounts", "shop", "robot", automountServiceAccountToken=True)


def watching(api):
    return all(api.watching(resource) == 1 for resource in RESOURCES)
