"""How figures are shown: Markdown that reads well on a terminal too, with the bound beside what was measured."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Bound:
    """Something that must hold: at least `bound`, or at most."""

    what: str
    value: float
    bound: float
    most: bool = False

    @property
    def kept(self) -> bool:
        """Whether it holds; what was not measured does not."""
        return self.value <= self.bound if self.most else self.value >= self.bound

    def __str__(self) -> str:
        side = "at most" if self.most else "at least"
        return f"- {self.what}: {self.value:.2f}, {side} {self.bound:g}: {'ok' if self.kept else 'MISSED'}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, aligned."""
    lines = [list(header), *map(list, rows)]
    widths = [max(_width(line[at]) for line in lines) for at in range(len(header))]
    text = [
        "| " + " | ".join(cell + " " * (w - _width(cell)) for cell, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    ]
    return "\n".join([text[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *text[1:]])


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def markdown(page: Path, name: str, paragraphs: Sequence[str]) -> None:
    """Put a bench's paragraphs between its two marks in a page; the marks must be there."""
    begin, end = f"<!-- bench {name} -->", f"<!-- end of bench {name} -->"
    text = page.read_text()
    before, _, rest = text.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"{page} has no lines {begin} and {end}")
    joined = "\n\n".join(_joined(paragraphs))
    page.write_text(f"{before}{begin}\n\n{joined}\n\n{end}{after}")


def _joined(paragraphs: Sequence[str]) -> list[str]:
    """Items of a list belong together."""
    found: list[str] = []
    for paragraph in paragraphs:
        if found and paragraph.startswith("- ") and found[-1].splitlines()[-1].startswith("- "):
            found[-1] += f"\n{paragraph}"
        else:
            found.append(paragraph)
    return found
