"""Files that are taken over when their content changes.

A mounted ConfigMap or Secret is replaced by swapping a symbolic link, which sends no dependable file event, so that the
content is compared every few seconds.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path


class WatchedFiles:
    """Some files, and what was last seen in them."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = tuple(paths)
        self._seen = self._digest()

    def changed(self) -> bool:
        """Whether they differ from what was last seen; what cannot be read counts as a content of its own."""
        seen = self._digest()
        changed = seen != self._seen
        self._seen = seen
        return changed

    def _digest(self) -> bytes:
        digest = hashlib.sha256()
        for path in self._paths:
            try:
                content = path.read_bytes()
            except OSError as error:
                content = repr(error).encode()
            digest.update(hashlib.sha256(content).digest())
        return digest.digest()


async def changes(files: WatchedFiles, seconds: float) -> AsyncIterator[None]:
    """Come round whenever the files have changed, looking at them every so many seconds, without end."""
    while True:
        await asyncio.sleep(seconds)
        if await asyncio.to_thread(files.changed):
            yield
