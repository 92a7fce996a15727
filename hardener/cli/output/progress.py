"""How far a long preview has come, on a terminal only."""

import os
import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.live import Live

PATIENCE = 1.0
"""Seconds after which people want to know that something happens."""


def wants_progress() -> bool:
    """Whether somebody looks at standard error; what CI records is no terminal, whatever it pretends to be."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")


class Counter:
    """A line on standard error that counts documents, and is gone in the end.

    Nothing appears before `patience` seconds have passed.
    """

    def __init__(self, shown: bool, patience: float = PATIENCE) -> None:
        self._shown = shown
        self._start = time.monotonic() + patience
        self._documents = 0
        self._live: Live | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def count(self, file: str) -> None:
        """One more document, of this file."""
        self._documents += 1
        if self._shown and time.monotonic() >= self._start:
            self._show(f"{self._documents:,} {'document' if self._documents == 1 else 'documents'}, {file}")

    def _show(self, text: str) -> None:
        # Rich takes longer to import than most previews take, and nobody who need not wait shall pay for it.
        from rich.console import Console  # noqa: PLC0415  see above
        from rich.live import Live  # noqa: PLC0415  see above
        from rich.text import Text  # noqa: PLC0415  see above

        line = Text(text, no_wrap=True, overflow="ellipsis")
        if self._live is None:
            self._live = Live(
                line, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False
            )
            self._live.start()
        self._live.update(line)

    def pause(self) -> None:
        """Take the line away, so that something else can be printed, until the next document."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def stop(self) -> None:
        """Take the line away for good."""
        self._shown = False
        self.pause()
