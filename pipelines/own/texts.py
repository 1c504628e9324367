"""Texts with a label from a CSV file: text,label and, if it has one, part (train or test). One label must be `ok`."""

import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models.contract import Manifest
from models.text_violation.contract import contract
from models.text_violation.features import encode, normalise
from pipelines import linear_text
from pipelines.evaluation import Costs, auc, bootstrap, recall
from pipelines.own.choosing import LEAST_EACH, TEST, TEST_EVERY, TRAIN, NothingToLearn
from pipelines.own.heads import VALIDATE_EVERY, plain
from pipelines.own.report import Report
from pipelines.parameters import load
from pipelines.text_violation import evaluate
from pipelines.text_violation.texts import VIOLATION

OK = "ok"
LONGEST_FIELD = 1_000_000
PARAMS = "pipelines/text_violation/params.yaml"

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Params:
    """The section `texts` of params.yaml."""

    most: int  # of a label and part


@dataclass(frozen=True)
class Line:
    """One text that can be used."""

    name: str
    text: str
    label: str
    part: str | None
    sha256: str


@dataclass(frozen=True)
class Chosen:
    """What is learnt from and what is tested on; `ok` is the first label."""

    lines: list[Line]
    labels: list[str]

    @property
    def sha256(self) -> str:
        """The name of the data: of every text that is used, with its label and part."""
        told = sorted(f"{one.label} {one.part} {one.sha256}\n" for one in self.lines)
        return hashlib.sha256("".join(told).encode()).hexdigest()

    def of(self, part: str) -> tuple[list[Line], Ints]:
        """The texts of a part, and their labels as numbers."""
        some = [one for one in self.lines if one.part == part]
        return some, np.array([self.labels.index(one.label) for one in some], np.int64)


def chosen(path: Path, report: Report, params: Params) -> Chosen:
    """Every text that can be used; raises NothingToLearn."""
    lines = dealt(without_twins(list(readable(path, report)), report))
    groups: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for one in lines:
        groups[one.label, one.part or TRAIN].append(one)
    few = sorted(label for label in {one.label for one in lines} if len(groups[label, TRAIN]) < LEAST_EACH)
    for label in few:
        report.add("too few", label, f"{len(groups[label, TRAIN])} to learn from; at least {LEAST_EACH} are needed")
    kept = [one for (label, _), some in sorted(groups.items()) if label not in few for one in some[: params.most]]
    report.use((one.label, one.part or "") for one in kept)
    labels = sorted({one.label for one in kept})
    if OK not in labels or len(labels) < 2:
        raise NothingToLearn(f"usable labels: {', '.join(labels) or 'none'}; needed are `{OK}` and another one")
    return Chosen(kept, [OK, *(label for label in labels if label != OK)])


def readable(path: Path, report: Report) -> Iterator[Line]:
    """The lines that have a text and a label; the others are reported by their number."""
    csv.field_size_limit(LONGEST_FIELD)
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        rows = csv.DictReader(file, skipinitialspace=True)
        if not {"text", "label"} <= set(rows.fieldnames or ()):
            raise NothingToLearn(f"{path.name} must begin with a line `text,label`, and begins with {rows.fieldnames}")
        try:
            for row in rows:
                if line := _line(f"line {rows.line_num}", row, report):
                    yield line
        except csv.Error as error:
            report.add("corrupt", f"line {rows.line_num}", f"{error}; nothing behind it is read")


def _line(name: str, row: dict[str, Any], report: Report) -> Line | None:
    text, label, part = ((row.get(key) or "").strip() for key in ("text", "label", "part"))
    if "\ufffd" in text:
        report.add("corrupt", name, "it is not UTF-8")
    elif not text:
        report.add("tiny", name, "it has no text")
    elif not label:
        report.add("unlabelled", name, "it has no label")
    else:
        try:
            encode(text.encode())
        except ValueError as error:
            report.add("too large", name, str(error))
            return None
        digest = hashlib.sha256(normalise(text).encode()).hexdigest()
        return Line(name, text, label, part if part in (TRAIN, TEST) else None, digest)
    return None


def without_twins(lines: list[Line], report: Report) -> list[Line]:
    """Of texts that the model cannot tell apart one stays, the one to test with if there is one."""
    same: dict[str, list[Line]] = defaultdict(list)
    for one in lines:
        same[one.sha256].append(one)
    kept = []
    for twins in same.values():
        labels = sorted({one.label for one in twins})
        first, *others = sorted(twins, key=lambda one: one.part != TEST)
        if len(labels) > 1:
            for one in twins:
                report.add("duplicate", one.name, f"the same text is labelled {' and '.join(labels)}: not used")
            continue
        kept.append(first)
        for one in others:
            leaks = first.part == TEST and one.part != TEST
            words = f"the same text as {first.name}" + (", which is tested with" if leaks else "")
            report.add("leaking" if leaks else "duplicate", one.name, words)
    return kept


def dealt(lines: list[Line]) -> list[Line]:
    """Data with a split of its own keeps it; of other data every fifth text of a label is for the test."""
    ordered = sorted(lines, key=lambda one: one.sha256)
    if any(one.part == TEST for one in ordered):
        return [replace(one, part=one.part or TRAIN) for one in ordered]
    counts: dict[str, int] = defaultdict(int)
    found = []
    for one in ordered:
        counts[one.label] += 1
        found.append(replace(one, part=TRAIN if counts[one.label] % TEST_EVERY else TEST))
    return found


@dataclass(frozen=True)
class Learnt:
    """What came of it."""

    onnx: Path
    manifest: Manifest
    truth: Ints
    said: Ints
    metrics: dict[str, float]
    reference: dict[str, Any]
    samples: list[bytes]


def learnt(data: Chosen, folder: Path) -> Learnt:
    """The whole story: fit, choose the thresholds on texts that were not learnt from, judge the file."""
    folder.mkdir(parents=True, exist_ok=True)
    lines, y = data.of(TRAIN)
    x = VIOLATION.matrix([one.text for one in lines])
    held = np.arange(len(y)) % VALIDATE_EVERY == 0
    trial = fitted(x[~held], y[~held], len(data.labels), folder / "trial.onnx")
    chosen = thresholds(judged(trial, [one for one, out in zip(lines, held, strict=True) if out], y[held]))
    path = fitted(x, y, len(data.labels), folder / "model.onnx")
    tested, truth = data.of(TEST)
    found = judged(path, tested, truth)
    samples = [next(one.text for one in tested if one.label == label).encode() for label in seen(tested)]
    return Learnt(
        path, manifest_of(data.labels, chosen), truth, found.said, measured(found, data.labels, y),
        replace(VIOLATION, labels=tuple(data.labels)).reference(found.said, found.scores), samples,
    )  # fmt: skip


def seen(lines: list[Line]) -> list[str]:
    """The labels that the test has."""
    return sorted({one.label for one in lines})


def fitted(x: Any, y: Ints, labels: int, path: Path) -> Path:
    """A linear model, as a file."""
    with threadpool_limits(1):  # the same result on any number of cores
        model = linear_text.fit(x, y, load(linear_text.Params, PARAMS, "train"))
    weights, bias = np.zeros((labels, x.shape[1])), np.full(labels, -30.0)  # of a label that is not there: never
    if len(model.classes_) == 2:  # one score for two labels
        weights[model.classes_[1]], bias[model.classes_] = model.coef_[0], [0.0, model.intercept_[0]]
    else:
        weights[model.classes_], bias[model.classes_] = model.coef_, model.intercept_
    onnx.save(VIOLATION.graph(weights, bias), str(path))
    return path


def judged(path: Path, lines: list[Line], truth: Ints) -> evaluate.Judged:
    """What the file says of each text."""
    chances = VIOLATION.chances(path, [one.text for one in lines])
    return evaluate.Judged(truth, chances.argmax(axis=1), 1 - chances[:, 0].astype(np.float64))


def thresholds(found: evaluate.Judged) -> dict[str, float]:
    """The cheapest, on the costs of text_violation."""
    params = load(evaluate.Params, PARAMS, "evaluate")
    costs = Costs(params.cost_publish_bad, params.cost_reject_good, params.cost_review)
    if not found.bad.any() or found.bad.all():
        raise NothingToLearn("too few texts to choose thresholds on")
    best = evaluate.thresholds(found, costs, params.share_bad)
    return {"violation_reject": best.reject, "violation_review": best.review}


def manifest_of(labels: list[str], chosen: dict[str, float]) -> Manifest:
    """The same contract, but for what the kinds are called and how many there are."""
    manifest = contract()
    outputs = tuple(
        spec.model_copy(update={"shape": (-1, len(labels)), "labels": tuple(labels)}) for spec in manifest.outputs
    )
    default = {"violation": [1.0] + [0.0] * (len(labels) - 1)}
    return manifest.model_copy(update={"outputs": outputs, "default": default, "thresholds": chosen})


def measured(found: evaluate.Judged, labels: list[str], learnt_from: Ints) -> dict[str, float]:
    """How good the file is on the test, beside always saying what was most frequent in training."""
    most = np.bincount(learnt_from, minlength=len(labels)).argmax()
    both = found.bad.any() and not found.bad.all()
    numbers = {
        **bootstrap((found.truth == found.said).astype(float)).named("test_accuracy"),
        **({"test_auc": auc(found.bad, found.scores)} if both else {}),
        "baseline_most_frequent_accuracy": float((found.truth == most).mean()),
        **{f"recall_{plain(name)}": value for name, value in recall(found.truth, found.said, labels).items()},
        "train_texts": float(len(learnt_from)),
        "test_texts": float(len(found.truth)),
    }
    return {key: round(float(value), 4) for key, value in numbers.items()}
