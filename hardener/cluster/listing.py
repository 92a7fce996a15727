"""Lists that are read once, page by page, and what is to be said where one cannot be."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from hardener.cluster.api_server import ApiError, ApiServer

FORBIDDEN = 403
ATTEMPTS = 3
"""How often a list is begun; a large one may take longer than the API server keeps its state (five minutes)."""

EVERYWHERE = ("",)
"""The one namespace that stands for all."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One resource, `root` being the path of its API; `without` says what is missed where it cannot be read."""

    name: str
    root: str = "/api/v1"
    without: str = ""

    def path(self, namespace: str = "") -> str:
        """All of a namespace, or of the whole cluster."""
        return f"{self.root}/namespaces/{namespace}/{self.name}" if namespace else f"{self.root}/{self.name}"

    @property
    def full_name(self) -> str:
        """As rights name it: `replicasets.apps`."""
        _, _, group = self.root.rpartition("/apis/")
        return f"{self.name}.{group.partition('/')[0]}" if self.root.startswith("/apis/") else self.name


def problem(listed: Listed, error: ApiError, namespace: str = "") -> str:
    """Why something could not be read, and what follows from it."""
    where = f" in namespace {namespace}" if namespace else ""
    if error.status == FORBIDDEN:
        text = f"no right to list {listed.full_name}{where}"
    else:
        text = f"{listed.full_name}{where} cannot be listed ({error})"
    return f"{text}: {listed.without}" if listed.without else text


async def read_list(
    api: ApiServer,
    listed: Listed,
    take: Callable[[msgspec.Raw], None],
    again: Callable[[], None],
    namespaces: Sequence[str] = EVERYWHERE,
) -> int:
    """Hand over every object, page by page, and return the position of the first page.

    Where the rest of a list is no longer to be had, all of it is read anew, after a call of `again`. Raises ApiError.
    """
    attempts = 0
    while True:
        attempts += 1
        try:
            return await _read(api, listed, take, namespaces)
        except ApiError as error:
            if not error.is_expired or attempts >= ATTEMPTS:
                raise
            again()


async def _read(api: ApiServer, listed: Listed, take: Callable[[msgspec.Raw], None], namespaces: Sequence[str]) -> int:
    position = 0
    for namespace in namespaces:
        path = listed.path(namespace)
        async for page in api.pages(path):
            try:
                position = position or page.position
                for raw in page.items or ():
                    take(raw)
            except msgspec.MsgspecError as error:
                raise ApiError(f"{path}: what came cannot be read: {error}") from error
            # The next page is read meanwhile, and this one is as large.
            page.items = None
    return position
