"""Learns the category head of an image model from chosen pictures, and judges the file that would be served."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from models.contract import Manifest
from pipelines.evaluation import Interval, bootstrap, recall
from pipelines.image_screening import heads
from pipelines.image_screening.evaluate import margin, smallest_margin
from pipelines.image_screening.heads import Linear, softmax
from pipelines.image_screening.onnx_file import OnnxFile
from pipelines.image_screening.threads import one_way_of_adding
from pipelines.own.base import Base
from pipelines.own.choosing import TEST, TRAIN, Chosen, Seen
from pipelines.own.pictures import Pictures
from pipelines.own.report import Report
from pipelines.own.surgery import PLACES, features_only, with_head
from pipelines.progress import progress

VALIDATE_EVERY = 5
SAMPLES = 3

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Params:
    """The section `pictures` of params.yaml."""

    most: int
    batch: int
    shrinkage: float
    review_share: float  # of pictures, for the category alone: the least certain ones
    tag_precision: float  # of tags, on pictures that were not learnt from


@dataclass(frozen=True)
class Learnt:
    """What came of it: the file, the thresholds that depend on the head, and how good it is on the test."""

    onnx: Path
    thresholds: dict[str, float]
    truth: Ints
    said: Ints
    metrics: dict[str, float]
    reference: dict[str, Any]
    samples: list[bytes]


def learnt(name: str, base: Base, pictures: Pictures, chosen: Chosen, params: Params, folder: Path) -> Learnt:
    """The whole story of one image model."""
    folder.mkdir(parents=True, exist_ok=True)
    model, place = onnx.load(str(base.onnx)), PLACES[name]
    x, y = Encoded(name, pictures, chosen, TRAIN, params.batch).features(model, folder)
    head, margins = fitted(x, y, params)
    path = folder / "model.onnx"
    onnx.save(with_head(model, place, head), str(path))
    test = Encoded(name, pictures, chosen, TEST, params.batch)
    said, truth, samples = test.said(path)
    metrics = measured(truth, said, y, chosen.labels)
    shares = np.bincount(said.argmax(1), minlength=len(chosen.labels)) / len(said)
    known = {label: round(float(part), 4) for label, part in zip(chosen.labels, shares, strict=True)}
    kept = {key: value for key, value in base.manifest.reference.items() if key != "category"}
    needed = margins if "category_margin" in base.manifest.thresholds else {}
    thresholds = {**base.manifest.thresholds, **needed}
    return Learnt(path, thresholds, truth, said.argmax(1), metrics, {**kept, "category": known}, samples)


@dataclass(frozen=True)
class Encoded:
    """The chosen pictures of one part, as the served features have them."""

    name: str
    pictures: Pictures
    chosen: Chosen
    part: str
    batch: int

    def rows(self, what: str) -> Iterator[tuple[Seen, bytes, Mapping[str, NDArray[Any]]]]:
        """Each with its content and tensors."""
        encode = import_module(f"models.{self.name}.features").encode
        wanted = {name: one for name, one in self.chosen.by_name.items() if one.part == self.part}
        found = (picture for picture in self.pictures.all(Report()) if picture.name in wanted)
        for picture in progress(found, total=len(wanted), what=what):
            yield wanted[picture.name], picture.content, encode(picture.content)

    def features(self, model: onnx.ModelProto, folder: Path) -> tuple[Floats, Ints]:
        """What the head reads, and the labels, in the order of the hashes."""
        network = None
        if self.name == "image_screening":
            onnx.save(features_only(model, PLACES[self.name]), str(folder / "features.onnx"))
            network = OnnxFile(folder / "features.onnx", threads=len(os.sched_getaffinity(0)))
        found: dict[str, Floats] = {}
        seen: list[Seen] = []
        for some in self._batches("looking at pictures to learn from"):
            tensors = np.concatenate([next(iter(tensors.values())) for _, _, tensors in some])
            rows = next(iter(network(tensors).values())) if network else tensors
            found |= {one.name: row for (one, _, _), row in zip(some, rows, strict=True)}
            seen += [one for one, _, _ in some]
        order = sorted(seen, key=lambda one: one.sha256)
        return np.stack([found[one.name] for one in order]), np.array([self._number(one) for one in order])

    def said(self, path: Path) -> tuple[Floats, Ints, list[bytes]]:
        """What the file says of each, what they are, and one picture of each of the first labels."""
        network = OnnxFile(path, threads=len(os.sched_getaffinity(0)))
        said, truth, samples = [], [], dict[str, bytes]()
        for some in self._batches("judging pictures to test with"):
            tensors = np.concatenate([next(iter(tensors.values())) for _, _, tensors in some])
            said.append(network(tensors)["category"])
            truth += [self._number(one) for one, _, _ in some]
            for one, content, _ in some:
                if len(content) < len(samples.get(one.label, content + b"\0")):
                    samples[one.label] = content
        return np.concatenate(said), np.array(truth), [samples[label] for label in sorted(samples)[:SAMPLES]]

    def _number(self, one: Seen) -> int:
        return self.chosen.labels.index(one.label)

    def _batches(self, what: str) -> Iterator[list[tuple[Seen, bytes, Mapping[str, NDArray[Any]]]]]:
        some: list[tuple[Seen, bytes, Mapping[str, NDArray[Any]]]] = []
        for row in self.rows(what):
            some.append(row)
            if len(some) == self.batch:
                yield some
                some = []
        if some:
            yield some


def fitted(x: Floats, y: Ints, params: Params) -> tuple[Linear, dict[str, float]]:
    """The head from all pictures; its temperature and margins from a head that has not seen every fifth."""
    found: list[tuple[Linear, dict[str, float]]] = []

    @one_way_of_adding
    def fit() -> None:
        held = folds(y)
        trial = heads.discriminant(x[~held], y[~held], params.shrinkage)
        scores = trial(x[held])
        factor = heads.temperature(scores, y[held])
        chances = softmax(scores * np.float32(factor))
        ahead, right = margin(chances), chances.argmax(1) == y[held]
        margins = {
            "category_margin": round(float(np.quantile(ahead, params.review_share)), 4),
            "tag_margin": round(smallest_margin(ahead, right, params.tag_precision), 4),
        }
        found.append((heads.discriminant(x, y, params.shrinkage).scaled(factor), margins))

    fit()
    return found[0]


def folds(y: Ints) -> NDArray[np.bool_]:
    """Every fifth picture of each label."""
    held = np.zeros(len(y), bool)
    for label in np.unique(y):
        held[np.flatnonzero(y == label)[VALIDATE_EVERY - 1 :: VALIDATE_EVERY]] = True
    return held


def measured(truth: Ints, said: Floats, learnt_from: Ints, labels: list[str]) -> dict[str, float]:
    """How good the file is on the test, beside always saying what was most frequent in training."""
    right = said.argmax(1) == truth
    most = np.bincount(learnt_from, minlength=len(labels)).argmax()
    found = recall(truth, said.argmax(1), labels)
    top3 = (np.argsort(-said, axis=1)[:, :3] == truth[:, None]).any(1)
    numbers: dict[str, float] = {
        **interval(right).named("test_accuracy"),
        **({"test_top3": float(top3.mean())} if len(labels) > 3 else {}),
        "baseline_most_frequent_accuracy": float((truth == most).mean()),
        **{f"recall_{plain(name)}": value for name, value in found.items()},
        "train_pictures": float(len(learnt_from)),
        "test_pictures": float(len(truth)),
    }
    return {key: round(value, 4) for key, value in numbers.items()}


def interval(right: NDArray[np.bool_]) -> Interval:
    """The part that is right, with its interval."""
    return bootstrap(right.astype(float))


def plain(name: str) -> str:
    """As metrics may be called."""
    return "".join(letter if letter.isalnum() or letter in "_-. " else "_" for letter in name)


def contract_of(name: str, labels: list[str]) -> Manifest:
    """The same contract, but for what the categories are called and how many there are."""
    manifest: Manifest = import_module(f"models.{name}.contract").contract()
    outputs = tuple(
        spec.model_copy(update={"shape": (-1, len(labels)), "labels": tuple(labels)})
        if spec.name == "category"
        else spec
        for spec in manifest.outputs
    )
    default = {**manifest.default, "category": [1 / len(labels)] * len(labels)}
    return manifest.model_copy(update={"outputs": outputs, "default": default})
