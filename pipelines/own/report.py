"""What is wrong with the data that was brought: every file by name, with what became of it."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

Kind = Literal["corrupt", "tiny", "duplicate", "unlabelled", "leaking", "too large", "ignored", "too few"]
SHOWN = 10
"""How many of each kind are printed; the file has all."""


@dataclass(frozen=True)
class Problem:
    """One file, row or label that is not used."""

    kind: Kind
    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.name}: {self.why}"


@dataclass
class Report:
    """Everything that was left out, and what is used."""

    problems: list[Problem] = field(default_factory=list)
    used: dict[str, dict[str, int]] = field(default_factory=dict)
    """Label -> part -> how many."""

    def add(self, kind: Kind, name: str, why: str) -> None:
        """Leave something out."""
        self.problems.append(Problem(kind, name, why))

    def use(self, examples: Iterable[tuple[str, str]]) -> None:
        """What is left: the label and the part of each."""
        self.used = {}
        for (label, part), count in sorted(Counter(examples).items()):
            self.used.setdefault(label, {})[part] = count

    @property
    def counts(self) -> dict[str, int]:
        """How many problems of each kind there are."""
        return dict(sorted(Counter(problem.kind for problem in self.problems).items()))

    def write(self, path: Path) -> None:
        """All of it as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {"used": self.used, "counts": self.counts, "problems": [asdict(one) for one in self.problems]}
        path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")

    def lines(self) -> list[str]:
        """The same for people: the first of each kind by name."""
        told = [
            f"{label}: " + ", ".join(f"{n} {part}" for part, n in parts.items()) for label, parts in self.used.items()
        ]
        for kind, count in self.counts.items():
            some = [problem for problem in self.problems if problem.kind == kind]
            told += [str(problem) for problem in some[:SHOWN]]
            told += [f"{kind}: and {count - SHOWN} more"] if count > SHOWN else []
        return told
