"""A linear model over the hashed characters of texts, as text_violation and input_assist are: from CSV to artefact."""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from scipy.sparse import csr_matrix, vstack
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from models.contract import Manifest
from pipelines import artefact
from pipelines.evaluation import confusion, confusion_picture
from pipelines.folders import Folders
from pipelines.progress import progress

OPSET, IR_VERSION = 18, 10
PICTURE = "confusion.png"

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Text:
    """One text with its label; `part` is train or test, in a gold file what the line is for."""

    label: str
    language: str
    part: str
    text: str


def write_texts(path: Path, texts: Iterable[Text]) -> None:
    """A CSV file with a header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(Text))
        writer.writerows(astuple(text) for text in texts)


@dataclass(frozen=True)
class Params:
    """The section `train` of params.yaml."""

    c: float
    iterations: int


def fit(X: Any, y: Ints, params: Params) -> Any:
    """A softmax over linear scores."""
    model = LogisticRegression(C=params.c, max_iter=params.iterations)
    return model.fit(X.astype(np.float64), y)


@dataclass(frozen=True)
class LinearText(Folders):
    """One such model: what it is called, what it says of a text, and what it sees of it."""

    output: str
    labels: tuple[str, ...]
    encode: Callable[[bytes], dict[str, NDArray[Any]]]

    @property
    def texts(self) -> Path:
        """What prepare composes."""
        return self.prepared / "texts.csv"

    @property
    def gold(self) -> Path:
        """What was written by hand."""
        return Path("data/gold") / f"{self.name}.csv"

    def read(self, path: Path, part: str | None = None) -> list[Text]:
        """The texts of a file, or of one part of it; an unknown label is an error."""
        with path.open(encoding="utf-8", newline="") as file:
            texts = [Text(**row) for row in csv.DictReader(file)]
        if unknown := {text.label for text in texts} - set(self.labels):
            raise ValueError(f"{path}: unknown labels {', '.join(sorted(unknown))}")
        return [text for text in texts if part in (None, text.part)]

    def truth(self, texts: Iterable[Text]) -> Ints:
        """The labels as numbers, in the order of the output."""
        return np.array([self.labels.index(text.label) for text in texts], np.int64)

    def features(self, text: str) -> NDArray[np.float32]:
        """As they are served."""
        row: NDArray[np.float32] = self.encode(text.encode())["features"]
        return row

    def matrix(self, texts: Sequence[str]) -> Any:
        """One sparse row of features for each text."""
        rows = progress(texts, len(texts), "reading texts")
        return vstack([csr_matrix(self.features(text)) for text in rows], format="csr")

    def train(self, texts: Sequence[Text], params: Params) -> None:
        """Fit it and write its file."""
        with threadpool_limits(1):  # the same result on any number of cores, and six times faster on four
            model = fit(self.matrix([text.text for text in texts]), self.truth(texts), params)
        self.trained.mkdir(parents=True, exist_ok=True)
        onnx.save(self.graph(model.coef_, model.intercept_), self.file)
        self.prove_parity(model, [text.text for text in texts[:: max(1, len(texts) // 100)]])

    def graph(self, weights: NDArray[Any], bias: NDArray[Any]) -> onnx.ModelProto:
        """The same model in two nodes of plain ONNX."""
        parts = {"weights": weights.T.astype(np.float32), "bias": bias.astype(np.float32)}
        size, answers = parts["weights"].shape
        return helper.make_model(
            helper.make_graph(
                [
                    helper.make_node("Gemm", ["features", "weights", "bias"], ["scores"]),
                    helper.make_node("Softmax", ["scores"], [self.output], axis=1),
                ],
                self.name,
                [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", size])],
                [helper.make_tensor_value_info(self.output, TensorProto.FLOAT, ["batch", answers])],
                [numpy_helper.from_array(np.ascontiguousarray(part), name) for name, part in parts.items()],
            ),
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )

    def prove_parity(self, model: Any, texts: Sequence[str]) -> None:
        """The file that will be served answers as the trained object does."""
        X = np.concatenate([self.features(text) for text in texts])
        difference = np.abs(model.predict_proba(X) - artefact.run(self.file, {"features": X})[self.output]).max()
        if difference > 1e-5:
            raise ValueError(f"ONNX and scikit-learn differ by {difference}")

    def chances(self, path: Path, texts: Sequence[str]) -> NDArray[np.float32]:
        """What such a file says of each text."""
        rows = [self.features(text) for text in progress(texts, len(texts), "judging texts")]
        said: NDArray[np.float32] = artefact.run(path, {"features": np.concatenate(rows)})[self.output]
        return said

    def reference(self, said: Ints, scores: Floats) -> dict[str, Any]:
        """What answers look like on texts that were not learnt from, to compare live ones with."""
        deciles = np.quantile(scores, np.linspace(0, 1, 11))
        shares = np.bincount(said, minlength=len(self.labels)) / len(said)
        return {
            f"{self.output}_score": {"deciles": [round(float(value), 4) for value in deciles]},
            f"{self.output}_label": {
                name: round(float(part), 4) for name, part in zip(self.labels, shares, strict=True)
            },
        }

    def draw(self, truth: Ints, said: Ints) -> None:
        """The confusion matrix of the gold file."""
        matrix = confusion(truth, said, len(self.labels))
        confusion_picture(matrix, self.labels, self.committed / PICTURE, f"{self.name} on the gold file")

    def write(
        self,
        manifest: Manifest,
        gold: Sequence[Text],
        metrics: dict[str, float],
        reference: dict[str, Any],
        card_text: str,
    ) -> None:
        """The artefact, with a line of each label and language to try, and what is committed: metrics and card."""
        first = {(text.label, text.language): text.text.encode() for text in reversed(gold)}
        raws = [text for _, text in sorted(first.items())]
        self.keep(manifest, raws, metrics, reference, card_text, [PICTURE], ".txt")
