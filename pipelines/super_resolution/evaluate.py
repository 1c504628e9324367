"""Judge the ONNX file that will be served against the formulas, write its artefact and its card.

    dvc repro pipelines/super_resolution/dvc.yaml:evaluate

The baseline is bicubic, which every program has. A model that is not better by `least_gain` is none.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from models.super_resolution.contract import contract
from models.super_resolution.features import encode
from pipelines import artefact
from pipelines.image_screening.onnx_file import OnnxFile
from pipelines.image_screening.threads import THREADS
from pipelines.parameters import load
from pipelines.scenes.groups import GROUPS
from pipelines.scenes.pack import Pack
from pipelines.scenes.parts import background_paths, real_photos
from pipelines.super_resolution import pictures, prepare, train
from pipelines.super_resolution.describe import described
from pipelines.super_resolution.judging import Enlarge, hold_to, judged, named, together
from pipelines.super_resolution.pairs import Pixels, even, halved, png, read

DATA = Path("data/super_resolution")
CARD = Path("models/super_resolution")
PICTURE = "examples.png"
SHOWN_SCENES = 2
COMPRESSED = 90
"""JPEG's quality of small pictures as they often come."""


@dataclass(frozen=True)
class Params:
    """The section `evaluate` of params.yaml."""

    least_gain: float


def main() -> None:
    """The story: judge, hold to the bar, show, write."""
    params, drawn = load(Params, prepare.PARAMS, "evaluate"), load(prepare.Params, prepare.PARAMS, "prepare")
    network = OnnxFile(train.OUT / "model.onnx", threads=THREADS)
    scenes, photos = held_out_scenes(), held_out_photos(drawn.test_group)
    each = {name: judged([photo], by(network)) for name, photo in photos.items()}
    spoilt = judged(list(photos.values()), by(network), COMPRESSED)
    metrics = {
        **named(judged(scenes, by(network)), "scenes"),
        **named(together(each.values()), "photos"),
        **named(spoilt, "jpeg"),
    }
    hold_to(metrics, params.least_gain)
    pictures.compared([*scenes[:SHOWN_SCENES], *photos.values()], by(network), CARD / PICTURE)
    rounded = {name: round(value, 4) for name, value in metrics.items()}
    text = described(contract(), rounded, each, params.least_gain, COMPRESSED)
    artefact.write(
        DATA / "model",
        contract(),
        train.OUT / "model.onnx",
        samples(scenes, photos["cat"]),
        rounded,
        reference(photos),
        text,
        {PICTURE: CARD / PICTURE},
        libraries=("pillow",),
        suffix=".png",
    )
    (DATA / "metrics.json").write_text(artefact.canonical(rounded), "utf-8")
    (CARD / "card.md").write_text(text, "utf-8")


def by(network: OnnxFile) -> Enlarge:
    """The file that will be served, one picture at a time."""

    def enlarge(small: Pixels) -> Pixels:
        larger: Pixels = network(small[None])["enlarged"][0].astype(np.uint8)
        return larger

    return enlarge


def held_out_scenes() -> list[Image.Image]:
    """Of objects and on backgrounds that nothing was learnt from."""
    pack = Pack(prepare.OUT, "pictures")
    return [Image.fromarray(read(pack.blob(i))) for i, row in enumerate(pack.rows) if row["part"] == "held_out"]


def held_out_photos(group: int) -> dict[str, Image.Image]:
    """Photos that nothing was learnt from: of real things, and the background photos of the test group."""
    paths = real_photos() | {path.stem: path for path in background_paths()[group::GROUPS]}
    return {name: even(Image.open(path).convert("RGB")) for name, path in paths.items()}


def samples(scenes: list[Image.Image], photo: Image.Image) -> list[bytes]:
    """A square, and a photo of another height than width; not so small that a host takes the model for a quick one."""
    return [png(halved(scenes[0])), png(halved(photo))]


def reference(photos: dict[str, Image.Image]) -> dict[str, Any]:
    """How bright what comes in is on photos, to compare live pictures with."""
    light = np.concatenate([encode(png(halved(photo)))["image"].ravel()[::31] for photo in photos.values()])
    return {"image": {"deciles": [round(float(value), 1) for value in np.quantile(light, np.linspace(0, 1, 11))]}}


if __name__ == "__main__":
    main()
