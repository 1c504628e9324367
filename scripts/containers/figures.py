"""What was measured, beside what it may be: one table at the end of a trial."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

HEAD = ("what", "measured", "bound", "")


@dataclass(frozen=True)
class Figure:
    """One measured number; `bound` is the most it may be."""

    what: str
    value: float
    unit: str
    bound: float | None = None

    @property
    def holds(self) -> bool:
        """Whether it is within its bound, if it has one."""
        return self.bound is None or self.value <= self.bound

    @property
    def row(self) -> tuple[str, str, str, str]:
        """As people read it."""
        bound = "" if self.bound is None else f"{self.bound:,.0f} {self.unit}"
        return self.what, f"{self.value:,.{1 if self.value < 10 else 0}f} {self.unit}", bound, verdict(self)


def verdict(figure: Figure) -> str:
    """One word on a figure that has a bound."""
    return "" if figure.bound is None else "ok" if figure.holds else "TOO MUCH"


@dataclass(frozen=True)
class Figures:
    """A file that several processes add to, a line for each figure."""

    file: Path

    def add(self, what: str, value: float, unit: str, bound: float | None = None) -> Figure:
        """Keep one more."""
        figure = Figure(what, round(value, 1), unit, bound)
        with self.file.open("a") as lines:
            lines.write(json.dumps(asdict(figure)) + "\n")
        return figure

    def __iter__(self) -> Iterator[Figure]:
        """All that were kept, in order."""
        lines = self.file.read_text().splitlines() if self.file.is_file() else []
        return (Figure(**json.loads(line)) for line in lines)


def table(figures: Iterable[Figure]) -> str:
    """The figures in columns."""
    rows = [HEAD, *(figure.row for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    return "\n".join(line(row, widths) for row in rows)


def line(row: Sequence[str], widths: Sequence[int]) -> str:
    """Names to the left, numbers to the right."""
    what, measured, bound, word = row
    return f"{what:{widths[0]}}  {measured:>{widths[1]}}  {bound:>{widths[2]}}  {word}".rstrip()
