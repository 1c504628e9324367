"""Compares a shadow's answers with those that were given: `scripts/shadow-report [MODEL] [--spool FOLDER]`.

Reads the prediction log. A candidate's record names the prediction that was given to the same request (`shadow_of`).
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from statistics import mean, median

import numpy as np

from services.spool.reading import once, records
from services.spool.record import PredictionRecord, Tensor


@dataclass
class Compared:
    """What is known of one output of one candidate."""

    same: int = 0
    rows: int = 0
    differences: list[float] = field(default_factory=list)

    @property
    def agreement(self) -> float:
        """Part of the rows whose best label is the same."""
        return self.same / self.rows if self.rows else float("nan")


@dataclass
class Report:
    """One candidate version against one version that answered."""

    model: str
    version: str
    candidate: str
    pairs: int = 0
    outputs: dict[str, Compared] = field(default_factory=lambda: defaultdict(Compared))
    given_ms: list[float] = field(default_factory=list)
    candidate_ms: list[float] = field(default_factory=list)

    def add(self, given: PredictionRecord, copy: PredictionRecord) -> None:
        """One request that both have answered."""
        self.pairs += 1
        self.given_ms.append(given.ms)
        self.candidate_ms.append(copy.ms)
        for name in given.outputs.keys() & copy.outputs.keys():
            _compare(self.outputs[name], given.outputs[name], copy.outputs[name])

    def lines(self) -> list[str]:
        """As a table."""
        versions = f"version {self.version} answered, version {self.candidate} was the shadow"
        head = f"{self.model}: {versions}, {self.pairs} requests"
        rows = [f"  {'output':16}{'same label':>12}{'score: mean':>14}{'largest difference':>20}"]
        for name, compared in sorted(self.outputs.items()):
            gaps = compared.differences or [float("nan")]
            rows.append(f"  {name:16}{compared.agreement:>11.1%} {mean(gaps):>13.4f}{max(gaps):>20.4f}")
        given, candidate = median(self.given_ms), median(self.candidate_ms)
        return [head, *rows, f"  latency, median: {given:.2f} ms answered, {candidate:.2f} ms shadow"]


def compared(found: Iterable[PredictionRecord]) -> list[Report]:
    """A report for each pair of versions; defaults are compared with nothing."""
    given: dict[object, PredictionRecord] = {}
    copies: list[PredictionRecord] = []
    for record in once(found):
        if record.served_by != "model":
            continue
        if record.shadow_of:
            copies.append(record)
        else:
            given[record.id] = record
    reports: dict[tuple[str, str, str], Report] = {}
    for copy in copies:
        if (answered := given.get(copy.shadow_of)) is not None:
            key = (answered.model, answered.version, copy.version)
            reports.setdefault(key, Report(*key)).add(answered, copy)
    return [reports[key] for key in sorted(reports)]


def _compare(into: Compared, given: Tensor, copy: Tensor) -> None:
    ours, theirs = _best(given), _best(copy)
    for (label, score), (other, other_score) in zip(ours, theirs, strict=False):
        into.rows += 1
        into.same += label == other
        into.differences.append(abs(score - other_score))


def _best(tensor: Tensor) -> list[tuple[object, float]]:
    """For each row the best label (or its place) and its score; nothing of a tensor that is only a hash."""
    if tensor.top is not None:
        return [(row[0][0], float(row[0][1])) for row in tensor.top]
    if tensor.data is None:
        return []
    rows = np.asarray(tensor.data, float).reshape(tensor.shape[0], -1)
    return [(int(row.argmax()), float(row.max())) for row in rows]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table for each candidate."""
    parser = argparse.ArgumentParser(prog="scripts/shadow-report")
    parser.add_argument("model", nargs="?", help="only this model's")
    parser.add_argument("--spool", type=Path, action="append", required=True, help="a folder of the prediction log")
    given = parser.parse_args(arguments)
    found = chain.from_iterable(records(folder) for folder in given.spool)
    reports = compared(record for record in found if given.model in (None, record.model))
    for report in reports:
        print("\n".join(report.lines()))
    if not reports:
        print("no request has both an answer and a shadow's", file=sys.stderr)
    return 0 if reports else 1


if __name__ == "__main__":
    sys.exit(main())
