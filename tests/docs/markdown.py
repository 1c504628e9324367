"""What the tests of documents read: tables, headings, links and commands of a Markdown file."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from scripts.runner.site import ROOT

FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FOLDERS = (".", "docs", "docs/labs", "data", "requirements", "scripts", "models/*", "pipelines", "services")


@dataclass(frozen=True)
class Table:
    """One table: the cells of its head and of its rows."""

    head: list[str]
    rows: list[list[str]]

    def column(self, number: int = 0) -> list[str]:
        """The cells of one column, without backticks."""
        return [row[number].strip("`") for row in self.rows]


@dataclass(frozen=True)
class Document:
    """One Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        """Its path in the repository."""
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text()

    @cached_property
    def prose(self) -> str:
        """What is left without blocks of code."""
        return FENCE.sub("", self.text)

    @property
    def blocks(self) -> list[str]:
        """The blocks of code."""
        return FENCE.findall(self.text)

    @property
    def headings(self) -> list[tuple[int, str]]:
        """Level and text of every heading."""
        found = re.findall(r"^(#+) (.+)$", self.prose, re.MULTILINE)
        return [(len(marks), words) for marks, words in found]

    @property
    def anchors(self) -> set[str]:
        """What a link may name after `#`."""
        return {re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-") for _, words in self.headings}

    @property
    def links(self) -> list[str]:
        """Where the links and pictures point."""
        return LINK.findall(re.sub(r"`[^`\n]*`", "", self.prose))

    @property
    def tables(self) -> list[Table]:
        """Every table, in order."""
        found = re.findall(r"(?:^\|.*\|[ ]*\n)+", self.prose + "\n", re.MULTILINE)
        return [_table(lines.splitlines()) for lines in found]

    def section(self, heading: str) -> str:
        """The text between a heading and the next one of its level or above."""
        start = re.search(rf"^(#+) {re.escape(heading)}$", self.prose, re.MULTILINE)
        assert start, f"{self.name} has no heading {heading}"
        rest = self.prose[start.end() :]
        end = re.search(rf"^#{{1,{len(start[1])}}} ", rest, re.MULTILINE)
        return rest[: end.start()] if end else rest

    def table(self, first: str) -> Table:
        """The table whose first cell of the head says that."""
        fits = [table for table in self.tables if table.head[0] == first]
        assert len(fits) == 1, f"{self.name} has {len(fits)} tables that begin with {first}"
        return fits[0]


def document(path: str) -> Document:
    """The document at a path of the repository."""
    return Document(ROOT / path)


def documents() -> list[Document]:
    """Every document that people read."""
    return [Document(path) for folder in FOLDERS for path in sorted(ROOT.glob(f"{folder}/*.md"))]


def _table(lines: list[str]) -> Table:
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    return Table(cells[0], cells[2:])
