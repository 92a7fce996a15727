"""Reads the pages in docs/ as they are shown: tables, links, anchors, code."""

import re
from pathlib import Path

from markdown_it import MarkdownIt

DOCS = Path(__file__).parents[3] / "docs"

_BAR = re.compile(r"(?<!\\)\|")


class Page:
    """One page, parsed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = MarkdownIt("commonmark").enable("table").parse(text)

    @property
    def tables(self) -> list[list[list[str]]]:
        """Each table as rows of cells, the header first, without markup."""
        tables: list[list[list[str]]] = []
        for before, token in zip([None, *self._tokens], self._tokens, strict=False):
            if token.type == "table_open":
                tables.append([])
            elif token.type == "tr_open":
                tables[-1].append([])
            elif before is not None and before.type in ("th_open", "td_open"):
                tables[-1][-1].append(_plain(token))
        return tables

    @property
    def bars(self) -> list[set[int]]:
        """For each table the numbers of bars that its lines have; one number, if no cell breaks its row."""
        lines = self.text.splitlines()
        spans = [token.map for token in self._tokens if token.type == "table_open"]
        return [{len(_BAR.findall(line)) for line in lines[first:last]} for first, last in spans]

    @property
    def anchors(self) -> list[str]:
        """The anchors that GitHub gives to the headings."""
        headings = (
            _plain(token)
            for before, token in zip(self._tokens, self._tokens[1:], strict=False)
            if before.type == "heading_open"
        )
        return [re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-") for heading in headings]

    @property
    def links(self) -> list[str]:
        inline = [child for token in self._tokens for child in token.children or ()]
        return [str(child.attrs["href"]) for child in inline if child.type == "link_open"]

    @property
    def dead_links(self) -> list[str]:
        """Links within the documentation that lead nowhere."""
        return [link for link in self.links if not self._leads_somewhere(link)]

    def blocks(self, language: str) -> list[str]:
        """The texts of the fenced blocks in a language."""
        return [token.content for token in self._tokens if token.type == "fence" and token.info == language]

    def _leads_somewhere(self, link: str) -> bool:
        path, _, anchor = link.partition("#")
        page = self
        if path:
            target = DOCS / path
            if not target.is_file():
                return False
            page = Page(target.read_text())
        return not anchor or anchor in page.anchors


def _plain(token) -> str:
    return "".join(child.content for child in token.children or ())
