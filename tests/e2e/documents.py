"""Documents: what a run has measured, in the documentation.

A run compares, and fails where a page says something else; a run with `--write-docs` writes instead.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Documents:
    """Pages below the repository's root; `write` is whether this run writes them."""

    write: bool
    root: Path = ROOT

    def show(self, page: str, text: str, part: str | None = None) -> None:
        """See to it that a page holds `text`: as a whole, or between `<!-- part -->` and `<!-- end part -->`.

        AssertionError where it says something else and is not to be written.
        """
        path = self.root / page
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        new = text if part is None else _replaced(old, text, part, page)
        if old == new:
            return
        if not self.write:
            raise AssertionError(
                f"{page} does not say what this run has seen; if that is meant, run `make e2e ARGS=--write-docs` "
                f"and commit it. It should hold:\n{text}"
            )
        path.write_text(new, encoding="utf-8")


def _replaced(page_text: str, text: str, part: str, page: str) -> str:
    begin, end = f"<!-- {part} -->", f"<!-- end {part} -->"
    pattern = re.compile(f"({re.escape(begin)}\n).*?({re.escape(end)})", re.DOTALL)
    replaced, count = pattern.subn(lambda found: f"{found[1]}{text.strip()}\n{found[2]}", page_text)
    assert count == 1, f"{page} needs the lines {begin} and {end}, once each, around what a run writes"
    return replaced
