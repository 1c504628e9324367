"""Learn what bicubic gets wrong, from patches of scenes and photos, and write the network as an ONNX file.

dvc repro pipelines/super_resolution/dvc.yaml:train
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

from models.super_resolution.contract import FACTOR
from pipelines.image_screening.onnx_file import OnnxFile
from pipelines.image_screening.threads import one_way_of_adding
from pipelines.parameters import load
from pipelines.progress import progress
from pipelines.scenes.pack import Pack
from pipelines.super_resolution import prepare
from pipelines.super_resolution.network import Network
from pipelines.super_resolution.pairs import Pixels, compressed, halved, read

OUT = Path("data/super_resolution/trained")
SHAPES = ((1, 24, 40, 3), (2, 33, 17, 3))
"""Pictures on which the exported file has to answer as torch does."""


@dataclass(frozen=True)
class Params:
    """The section `train` of params.yaml."""

    steps: int
    batch: int
    patch: int
    photo_share: float
    jpeg_share: float
    jpeg_worst: int
    jpeg_best: int
    rate: float
    seed: int


@dataclass(frozen=True)
class Pairs:
    """Pictures of one size and their halves."""

    whole: Pixels
    half: Pixels


Batch = tuple[NDArray[np.float32], NDArray[np.float32]]


@one_way_of_adding
def main() -> None:
    """Read, learn, export."""
    params = load(Params, prepare.PARAMS, "train")
    torch.manual_seed(params.seed)
    torch.set_num_threads(1)  # a step is so small that a second one would mostly wait for the first
    torch.use_deterministic_algorithms(True)
    pack = Pack(prepare.OUT, "pictures")
    network = learnt(pairs(pack, "scene"), pairs(pack, "photo"), params)
    path = OUT / "model.onnx"
    export(network, path)
    prove_parity(network, path)


def pairs(pack: Pack, part: str) -> Pairs:
    """All pictures of one part."""
    whole = [read(pack.blob(index)) for index, row in enumerate(pack.rows) if row["part"] == part]
    half = [np.asarray(halved(Image.fromarray(pixels)), np.uint8) for pixels in whole]
    return Pairs(np.stack(whole), np.stack(half))


def learnt(scenes: Pairs, photos: Pairs, params: Params) -> Network:
    """The network after so many steps."""
    network = Network().train()
    optimiser = torch.optim.Adam(network.parameters(), lr=params.rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, params.rate, params.steps, pct_start=0.1)
    for small, large in progress(batches(scenes, photos, params), params.steps, "learning"):
        wrong = functional.l1_loss(network.enlarged(torch.from_numpy(small)), torch.from_numpy(large))
        optimiser.zero_grad(set_to_none=True)
        wrong.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return network.eval()


def batches(scenes: Pairs, photos: Pairs, params: Params) -> Iterator[Batch]:
    """Patches from anywhere, from 0 to 1 and colours first."""
    rng = np.random.default_rng(params.seed)
    for _ in range(params.steps):
        some = [
            varied(rng, *patch(rng, photos if rng.random() < params.photo_share else scenes, params.patch), params)
            for _ in range(params.batch)
        ]
        small, large = (np.stack(side).transpose(0, 3, 1, 2) for side in zip(*some, strict=True))
        yield np.divide(small, 255, dtype=np.float32), np.divide(large, 255, dtype=np.float32)


def patch(rng: np.random.Generator, pairs: Pairs, side: int) -> tuple[Pixels, Pixels]:
    """One patch and what it is the half of."""
    number = int(rng.integers(len(pairs.half)))
    height, width = pairs.half.shape[1:3]
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    small = pairs.half[number, top : top + side, left : left + side]
    top, left, side = top * FACTOR, left * FACTOR, side * FACTOR
    return small, pairs.whole[number, top : top + side, left : left + side]


def varied(rng: np.random.Generator, small: Pixels, large: Pixels, params: Params) -> tuple[Pixels, Pixels]:
    """Mirrored and turned; now and then the small one has been a JPEG, whose marks are not to be sharpened."""
    if rng.random() < params.jpeg_share:
        small = compressed(small, int(rng.integers(params.jpeg_worst, params.jpeg_best + 1)))
    turns, mirrored = int(rng.integers(4)), rng.random() < 0.5
    small, large = np.rot90(small, turns), np.rot90(large, turns)
    return (small[:, ::-1], large[:, ::-1]) if mirrored else (small, large)


def export(network: Network, path: Path) -> None:
    """The ONNX file: any number of pictures, of any height and width."""
    path.parent.mkdir(parents=True, exist_ok=True)
    example = torch.zeros((2, 24, 40, 3), dtype=torch.uint8)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the old exporter is deprecated
        torch.onnx.export(
            network,
            (example,),
            str(path),
            input_names=["image"],
            output_names=["enlarged"],
            dynamic_axes={
                "image": {0: "batch", 1: "height", 2: "width"},
                "enlarged": {0: "batch", 1: "height_twice", 2: "width_twice"},
            },
            opset_version=18,
            dynamo=False,  # its tracer writes the same bytes every time and needs a second
        )


def prove_parity(network: Network, path: Path) -> None:
    """The exported file answers as torch does, to one step of 255: where it is rounded, a hair decides."""
    file, rng = OnnxFile(path), np.random.default_rng(0)
    for shape in SHAPES:
        image = rng.integers(0, 256, shape, np.uint8)
        with torch.inference_mode():
            expected = network(torch.from_numpy(image)).numpy()
        away = np.abs(file(image)["enlarged"].astype(np.int64) - expected).max()
        if away > 1:
            raise ValueError(f"ONNX and torch differ by {away} of 255")


if __name__ == "__main__":
    main()
