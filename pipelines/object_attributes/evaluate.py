"""Judge the ONNX file that will be served, choose its thresholds, write its artefact and its card.

    dvc repro pipelines/object_attributes/dvc.yaml:evaluate

The baseline needs no model: there is always one object, in the middle, of the usual size, in a picture of the
commonest brightness; and no place is said.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.object_attributes.contract import MOST, PLACES, contract
from models.object_attributes.features import attributes, encode
from models.object_attributes.finding import Rules, brightness, found
from pipelines import artefact
from pipelines.evaluation import bootstrap, confusion, confusion_picture
from pipelines.image_screening.onnx_file import OnnxFile
from pipelines.image_screening.threads import THREADS
from pipelines.object_attributes import draw, pictures, train
from pipelines.object_attributes.describe import described
from pipelines.object_attributes.judging import (
    Judged,
    average_precision,
    best_object_score,
    brightness_right,
    counted,
    counts,
    least_place_score,
    place_said,
    placed,
    precision_and_recall,
)
from pipelines.parameters import load
from pipelines.progress import progress
from pipelines.scenes.examples import SCENES
from pipelines.scenes.pack import Pack, Row
from pipelines.scenes.parts import real_photos

DATA = Path("data/object_attributes")
CARD = Path("models/object_attributes")
BATCH = 32
MOST_SHOWN = 6
PICTURES = ("examples.png", "photos.png", "confusion.png")


@dataclass(frozen=True)
class Params:
    """The section `evaluate` of params.yaml."""

    place_precision: float


def main() -> None:
    """The story: judge, choose, measure, show, write."""
    params, learning = load(Params, draw.PARAMS, "evaluate"), load(train.Params, draw.PARAMS, "train")
    network = OnnxFile(train.OUT / "model.onnx", threads=THREADS)
    pack = Pack(draw.OUT, "scenes")
    rules = chosen(judge(network, pack, lambda row: row["group"] == learning.validation_group), params)
    held_out = judge(network, pack, lambda row: row["group"] == learning.test_group)
    others = others_scenes(network, learning.test_group)
    metrics = {**measured(held_out, rules), **baseline(held_out, rules), **usual(others, rules)}
    manifest = contract().model_copy(update={"thresholds": {n: round(v, 4) for n, v in asdict(rules).items()}})
    show(held_out, pack, learning.test_group, network, rules)
    files = {label: path.read_bytes() for label, path in real_photos().items()}
    said = [(label, attributes(manifest, network(encode(raw)["image"]))) for label, raw in files.items()]
    text = described(manifest, metrics, said, rules)
    rounded = {name: round(value, 4) for name, value in metrics.items()}
    artefact.write(
        DATA / "model",
        manifest,
        train.OUT / "model.onnx",
        samples(pack, learning.test_group),
        rounded,
        reference(held_out, rules),
        text,
        {name: CARD / name for name in PICTURES},
        libraries=("pillow",),
    )
    (DATA / "metrics.json").write_text(artefact.canonical(rounded), "utf-8")
    (CARD / "card.md").write_text(text, "utf-8")


def judge(network: OnnxFile, pack: Pack, wanted: Callable[[Row], bool]) -> Judged:
    """What the ONNX file says of some scenes."""
    rows = [index for index, row in enumerate(pack.rows) if wanted(row)]
    starts = range(0, len(rows), BATCH)
    answers = [
        network(np.concatenate([encode(pack.blob(index))["image"] for index in rows[start : start + BATCH]]))
        for start in progress(starts, total=len(starts), what="judging")
    ]
    columns = {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}
    return Judged([pack.rows[index] for index in rows], **columns)


def chosen(validation: Judged, params: Params) -> Rules:
    """The thresholds: the best on scenes whose objects were not learnt from, and are not the test's."""
    rules = Rules(best_object_score(validation, Rules))
    place = least_place_score(validation, params.place_precision, lambda score: replace(rules, place_score=score))
    return replace(rules, place_score=place)


def others_scenes(network: OnnxFile, group: int) -> Judged:
    """The scenes that image_screening is tested on: mostly one object in the middle."""
    pack = Pack(SCENES, "scenes")
    size = 160
    for row in pack.rows:
        row["boxes"] = [[value / size for value in thing["box"]] for thing in row["objects"]]
    return judge(network, pack, lambda row: row["group"] == group and row["category"] is not None)


def measured(held_out: Judged, rules: Rules) -> dict[str, float]:
    """Every number about objects never seen."""
    precision, recall = precision_and_recall(held_out, rules)
    said, right = place_said(held_out, rules)
    truth, count = counts(held_out, rules)
    return {
        "ap50": average_precision(held_out, rules),
        "precision": precision,
        "recall": recall,
        **bootstrap((truth == count).astype(float)).named("count_exact"),
        **{f"count_{name}": value for name, value in counted(held_out, rules).items() if name != "exact"},
        **{f"where_{name}": value for name, value in placed(held_out, rules).items()},
        "brightness_right": brightness_right(held_out, rules),
        "place_said": said,
        "place_right": right,
    }


def baseline(held_out: Judged, rules: Rules) -> dict[str, float]:
    """The same of whoever always says: one object, in the middle, as large as usual, as bright as usual."""
    sizes = np.array([[box[2] - box[0], box[3] - box[1]] for row in held_out.rows for box in row["boxes"]])
    half = np.median(sizes, 0) / 2
    box = np.array([0.5 - half[0], 0.5 - half[1], 0.5 + half[0], 0.5 + half[1], 1.0], np.float32)
    boxes = np.zeros((len(held_out.rows), MOST, 5), np.float32)
    boxes[:, 0] = box
    always = replace(held_out, boxes=boxes)
    words = Counter(brightness(row["brightness"], rules) for row in held_out.rows)
    precision, recall = precision_and_recall(always, rules)
    return {
        "baseline_ap50": average_precision(always, rules),
        "baseline_precision": precision,
        "baseline_recall": recall,
        **{f"baseline_count_{name}": value for name, value in counted(always, rules).items()},
        **{f"baseline_where_{name}": value for name, value in placed(always, rules).items()},
        "baseline_brightness_right": words.most_common(1)[0][1] / len(held_out.rows),
        "baseline_place_right": commonest_place(held_out),
    }


def commonest_place(held_out: Judged) -> float:
    """How often the commoner of the two places is right, where there is one."""
    places = Counter(row["place"] for row in held_out.rows if row["place"])
    return places.most_common(1)[0][1] / max(sum(places.values()), 1)


def usual(others: Judged, rules: Rules) -> dict[str, float]:
    """The counts in scenes drawn for another purpose; small things that lie about are not in their boxes."""
    truth, _ = counts(others, rules)
    exact = {f"other_scenes_count_{name}": value for name, value in counted(others, rules).items()}
    return {**exact, "baseline_other_scenes_count_exact": float((truth == 1).mean())}


def show(held_out: Judged, pack: Pack, group: int, network: OnnxFile, rules: Rules) -> None:
    """The card's pictures."""
    blobs = [pack.blob(index) for index, row in enumerate(pack.rows) if row["group"] == group]
    pictures.right_and_wrong(held_out, blobs, rules, CARD / "examples.png")
    raws = [path.read_bytes() for path in real_photos().values()]
    boxes = [found(network(encode(raw)["image"])["boxes"][0], rules) for raw in raws]
    pictures.photos([squares(raw) for raw in raws], boxes, CARD / "photos.png")
    truth, said = (np.minimum(values, MOST_SHOWN) for values in counts(held_out, rules))
    matrix = confusion(truth, said, MOST_SHOWN + 1)
    labels = [str(count) for count in range(MOST_SHOWN)] + [f"{MOST_SHOWN} or more"]
    confusion_picture(matrix, labels, CARD / "confusion.png", "how many objects never seen")


def squares(raw: bytes) -> bytes:
    """A photo as the model sees it."""
    file = BytesIO()
    Image.fromarray(encode(raw)["image"][0]).save(file, "PNG")
    return file.getvalue()


def reference(held_out: Judged, rules: Rules) -> dict[str, Any]:
    """What answers look like on held-out scenes, to compare live ones with."""
    _, said = counts(held_out, rules)
    shares: NDArray[np.float64] = np.bincount(np.minimum(said, MOST_SHOWN), minlength=MOST_SHOWN + 1) / len(said)
    places = np.bincount(held_out.place.argmax(1), minlength=len(PLACES)) / len(said)
    deciles = np.quantile(held_out.brightness, np.linspace(0, 1, 11))
    return {
        "count": [round(float(share), 4) for share in shares],
        "place": {name: round(float(share), 4) for name, share in zip(PLACES, places, strict=True)},
        "brightness": {"deciles": [round(float(value), 4) for value in deciles]},
    }


def samples(pack: Pack, group: int) -> list[bytes]:
    """Held-out scenes with no, one and three objects."""
    by_count = {
        len(row["boxes"]): index for index, row in reversed(list(enumerate(pack.rows))) if row["group"] == group
    }
    return [pack.blob(by_count[count]) for count in (0, 1, 3)]


if __name__ == "__main__":
    main()
