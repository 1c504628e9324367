"""Retrain the heads of a model on somebody's data, and register the result as a challenger.

    python -m pipelines.own.train --data PATH|URL [--model NAME] [--most N]

The network below the heads, the violation heads and the embedding stay as they are. What cannot be
used is named in a report; the same data makes the same model.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import numpy as np

from models.contract import Manifest
from pipelines import artefact
from pipelines.evaluation import confusion, confusion_picture
from pipelines.own import challenger, fetching, heads, texts
from pipelines.own.archives import BadArchive
from pipelines.own.base import NoBase, base_of
from pipelines.own.choosing import NothingToLearn, chosen
from pipelines.own.describe import described
from pipelines.own.fetching import NotFetched
from pipelines.own.pictures import NothingThere, Pictures
from pipelines.own.report import Report
from pipelines.own.surgery import PLACES, NoHead
from pipelines.parameters import load

OUT = Path("data/own")
TEXTS = "text_violation"
MOST_IN_A_PICTURE = 40
"""Labels; a larger confusion matrix cannot be read."""

Ints = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


@dataclass(frozen=True)
class Made:
    """What lies in a folder now, and how it is called."""

    folder: Path
    data_sha256: str
    metrics: dict[str, float]


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when a challenger is there."""
    given = read_arguments(arguments)
    report = Report()
    try:
        made = learn_texts(given, report) if given.model == TEXTS else learn_pictures(given, report)
    except (NotFetched, NothingThere, BadArchive, NothingToLearn, NoBase, NoHead) as trouble:
        tell(report, OUT / "report.json")
        print(f"train: {given.data}: {trouble}", file=sys.stderr)
        return 1
    tell(report, made.folder / "report.json")
    right, guessed = made.metrics["test_accuracy"], made.metrics["baseline_most_frequent_accuracy"]
    print(f"{given.model}: {right:.3f} right on the test, {guessed:.3f} by guessing")
    return registered(given, made)


def read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line; without a model, the data says which."""
    parser = argparse.ArgumentParser(prog="train", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", required=True, metavar="PATH|URL", help="pictures in folders, an archive, or a .csv")
    parser.add_argument(
        "--model", choices=[*PLACES, TEXTS], help="default: text_violation for .csv, else image_screening"
    )
    parser.add_argument("--most", type=int, metavar="N", help="examples of a label and part, at most")
    given = parser.parse_args(arguments)
    is_csv = PurePosixPath(urlsplit(given.data).path).suffix.lower() == ".csv"
    given.model = given.model or (TEXTS if is_csv else "image_screening")
    if is_csv != (given.model == TEXTS):
        parser.error(f"{given.model} does not learn from {given.data}: texts are a .csv, pictures are not")
    if given.most is not None and given.most < 1:
        parser.error("--most must be at least 1")
    return given


def learn_pictures(given: argparse.Namespace, report: Report) -> Made:
    """The category head of an image model."""
    params = load(heads.Params, challenger.PARAMS, "pictures")
    params = replace(params, most=given.most or params.most)
    with base_of(given.model) as base:
        pictures = Pictures.of(given.data)
        print(f"{given.data} is taken for {pictures.layout}", flush=True)
        data = chosen(pictures, report, params.most)
        folder = OUT / given.model / data.sha256[: challenger.SHORT]
        found = heads.learnt(given.model, base, pictures, data, params, folder / "trained")
        manifest = heads.contract_of(given.model, data.labels)
        manifest = manifest.model_copy(update={"thresholds": found.thresholds})
        finish(folder, manifest, found, data.labels, given, report, f"the network of {base.called}", ["pillow"], ".jpg")
    return Made(folder, data.sha256, found.metrics)


def learn_texts(given: argparse.Namespace, report: Report) -> Made:
    """The whole of text_violation: it is one linear model."""
    params = load(texts.Params, challenger.PARAMS, "texts")
    params = replace(params, most=given.most or params.most)
    data = texts.chosen(fetching.brought(given.data), report, params)
    folder = OUT / TEXTS / data.sha256[: challenger.SHORT]
    found = texts.learnt(data, folder / "trained")
    finish(folder, found.manifest, found, data.labels, given, report, "nothing but these texts", [], ".txt")
    return Made(folder, data.sha256, found.metrics)


def finish(
    folder: Path,
    manifest: Manifest,
    found: heads.Learnt | texts.Learnt,
    labels: list[str],
    given: argparse.Namespace,
    report: Report,
    learnt_on: str,
    libraries: Sequence[str],
    suffix: str,
) -> None:
    """The artefact with its card, held against its own contract."""
    pictures = {}
    if len(labels) <= MOST_IN_A_PICTURE:
        pictures = {"confusion.png": folder / "confusion.png"}
        matrix = confusion(found.truth, found.said, len(labels))
        confusion_picture(matrix, labels, pictures["confusion.png"], "pictures or texts of the test")
    text = described(manifest, found.metrics, labels, report, shown(given.data), learnt_on, bool(pictures))
    place = folder / "model"
    artefact.write(
        place, manifest, found.onnx, found.samples, found.metrics, found.reference, text, pictures, libraries, suffix
    )
    artefact.verify(place)


def shown(data: str) -> str:
    """The data's own name, without where it lies on somebody's machine."""
    return data if fetching.is_address(data) else Path(data).expanduser().resolve().name


def tell(report: Report, path: Path) -> None:
    """Print what is used and what is not; all of it is in the file."""
    for line in report.lines():
        print(line)
    report.write(path)
    if report.problems:
        print(f"all {len(report.problems)} by name: {path}")


def registered(given: argparse.Namespace, made: Made) -> int:
    """Say which version it is now."""
    uri = os.environ.get("MLFLOW_TRACKING_URI")
    if not uri:
        print(f"made and checked: {made.folder / 'model'}; not registered, MLFLOW_TRACKING_URI is not set")
        return 0
    version = challenger.register(given.model, made.folder / "model", shown(given.data), made.data_sha256, uri)
    name = challenger.alias(made.data_sha256)
    print(f"registered model={given.model} version={version} alias={name}")
    print(f"nobody gets it yet: scripts/promote {given.model} {version} makes it the champion")
    return 0


if __name__ == "__main__":
    sys.exit(main())
