"""Measure the served model on a folder of photos: FOLDER/LABEL/*.jpg, *.jpeg, *.png, *.webp.

    python -m pipelines.evaluate_folder --data FOLDER [--platform URL] [--accounts FILE | --token TOKEN]

Every picture goes through the gateway to the model that serves now. Prints how many are right, the
part found of each category, the confusion matrix, and what would be flagged; what cannot be used is
named and left out.
"""

import argparse
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from models.labels import CATEGORIES, names
from pipelines.card import table
from pipelines.evaluation import bootstrap, confusion, confusion_picture, recall
from pipelines.platform_client import NoPlatform, add_arguments, client, reason
from pipelines.progress import progress

MODEL = "image_screening"
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
AT_ONCE = 4
LARGEST_BYTES = 12_000_000
CATEGORY = names(CATEGORIES)


@dataclass(frozen=True)
class Photo:
    """One file and what it shows."""

    path: Path
    label: str


@dataclass(frozen=True)
class Judged:
    """A photo and the answer, or why there is none."""

    photo: Photo
    answer: dict[str, Any] | None
    trouble: str = ""


def main() -> None:
    """Ask for every picture, print the tables, write the matrix as a picture."""
    arguments = read_arguments()
    photos, ignored = find(arguments.data)
    if not photos:
        ignored = ignored or ["nothing"]
        raise NoPlatform(f"{arguments.data} holds no LABEL/*.jpg with a LABEL of {', '.join(CATEGORY)}: {ignored[0]}")
    with client(arguments) as http:
        judged = judge_all(http, photos)
    print(report(judged, ignored, arguments.confusion))
    if not any(one.answer for one in judged):
        raise SystemExit(1)


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="evaluate", description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="FOLDER/LABEL/*.jpg")
    parser.add_argument(
        "--confusion", type=Path, default=Path("confusion.png"), metavar="PNG", help="default: %(default)s"
    )
    add_arguments(parser)
    return parser.parse_args()


def find(folder: Path) -> tuple[list[Photo], list[str]]:
    """The photos of known labels, and what is ignored, by name."""
    if not folder.is_dir():
        raise NoPlatform(f"there is no folder {folder}")
    photos, ignored = [], []
    for inside in sorted(folder.iterdir()):
        files = [path for path in sorted(inside.iterdir()) if path.is_file()] if inside.is_dir() else []
        if inside.is_dir() and inside.name in CATEGORY:
            photos += [Photo(path, inside.name) for path in files if path.suffix.lower() in SUFFIXES]
            ignored += [f"{path}: not a picture" for path in files if path.suffix.lower() not in SUFFIXES]
        elif inside.is_dir():
            ignored.append(f"{inside}: {len(files)} files of an unknown label")
    return photos, ignored


def judge_all(http: httpx.Client, photos: Sequence[Photo]) -> list[Judged]:
    """What the served model says of each photo."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(lambda photo: judge(http, photo), photos)
        return list(progress(answers, total=len(photos), what="asking the served model"))


def judge(http: httpx.Client, photo: Photo) -> Judged:
    """One answer; a picture that is refused is no reason to stop, a platform that is gone is."""
    content = photo.path.read_bytes()
    if len(content) > LARGEST_BYTES:
        return Judged(photo, None, f"larger than {LARGEST_BYTES // 1_000_000} MB")
    try:
        answer = http.post(f"/v2/models/{MODEL}/predict", content=content, headers={"content-type": "image/*"})
    except httpx.TransportError as error:
        raise NoPlatform(f"the platform went away: {error or type(error).__name__}") from error
    if answer.status_code in (401, 403):
        raise NoPlatform(f"not allowed: {reason(answer)}")
    if not answer.is_success:
        return Judged(photo, None, reason(answer))
    body: dict[str, Any] = answer.json()
    if body.get("reason"):
        return Judged(photo, None, f"answered by default: {body['reason']}")
    return Judged(photo, body)


def report(judged: Sequence[Judged], ignored: Sequence[str], matrix_file: Path) -> str:
    """All tables as text."""
    answered = [(one.photo.label, one.answer) for one in judged if one.answer]
    lines = [f"left out: {one.photo.path}: {one.trouble}" for one in judged if not one.answer]
    lines += [f"ignored: {what}" for what in ignored]
    if answered:
        truth = np.array([CATEGORY.index(label) for label, _ in answered])
        said = np.array([CATEGORY.index(answer["category"]["label"]) for _, answer in answered])
        matrix = confusion(truth, said, len(CATEGORY))
        confusion_picture(matrix, CATEGORY, matrix_file, f"{MODEL} on {len(truth)} photos")
        right = bootstrap((truth == said).astype(float))
        versions = sorted({str(answer["version"]) for _, answer in answered})
        lines += ["", f"{MODEL}, version {', '.join(versions)}: {len(truth)} photos", f"right: {right}", ""]
        found = recall(truth, said, CATEGORY)
        counts = {name: int((truth == CATEGORY.index(name)).sum()) for name in found}
        lines += [table(("category", "photos", "found"), [(n, counts[n], f"{v:.3f}") for n, v in found.items()])]
        lines += ["", as_text(matrix), f"as a picture: {matrix_file}", "", flagged([a for _, a in answered])]
    return "\n".join(lines)


def as_text(matrix: np.ndarray[Any, np.dtype[np.int64]]) -> str:
    """The confusion matrix; rows are what it is, columns what was said."""
    wide = max(len(name) for name in CATEGORY) + 1
    rows = [" " * wide + "".join(f"{name[:6]:>7}" for name in CATEGORY)]
    rows += [f"{n:<{wide}}" + "".join(f"{c or '.':>7}" for c in row) for n, row in zip(CATEGORY, matrix, strict=True)]
    return "\n".join(rows)


def flagged(answers: Sequence[dict[str, Any]]) -> str:
    """How many of the photos the model takes for violations."""
    kinds: dict[str, int] = {}
    for answer in answers:
        label = answer["violation"]["label"]
        kinds[label] = kinds.get(label, 0) + (label != "ok")
    some = ", ".join(f"{count} as {label}" for label, count in sorted(kinds.items()) if label != "ok")
    return f"taken for a violation: {sum(kinds.values())} of {len(answers)}" + (f" ({some})" if some else "")


if __name__ == "__main__":
    main()
