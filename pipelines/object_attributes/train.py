"""Learn the head on the frozen features and write the whole model as one ONNX file.

    dvc repro pipelines/object_attributes/dvc.yaml:train

Features are taken once; they are larger than the pictures, so they are not kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.object_attributes.contract import contract
from models.object_attributes.features import encode
from pipelines.image_screening.backbone import export
from pipelines.image_screening.onnx_file import OnnxFile
from pipelines.image_screening.threads import THREADS, one_way_of_adding
from pipelines.object_attributes import draw
from pipelines.object_attributes.learning import Targets, loss, targets
from pipelines.object_attributes.network import Detector, Head, Trunk
from pipelines.parameters import load
from pipelines.progress import progress
from pipelines.scenes.pack import Pack

OUT = Path("data/object_attributes/trained")
LOOKED_AT = 32
PARITY = 1e-3


@dataclass(frozen=True)
class Params:
    """The section `train` of params.yaml."""

    test_group: int
    validation_group: int
    epochs: int
    batch: int
    rate: float
    seed: int

    def learnt(self, group: int) -> bool:
        """Whether scenes of that group are learnt from."""
        return group not in (self.test_group, self.validation_group)


@one_way_of_adding
def main() -> None:
    """Look, learn, export."""
    params = load(Params, draw.PARAMS, "train")
    torch.manual_seed(params.seed)
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True)
    pack = Pack(draw.OUT, "scenes")
    rows = [index for index, row in enumerate(pack.rows) if params.learnt(row["group"])]
    trunk = Trunk().eval()
    OUT.mkdir(parents=True, exist_ok=True)
    features = looked_at(pack, rows, trunk)
    head = learnt(features, targets([pack.rows[index] for index in rows]), params)
    outputs = [spec.name for spec in contract().outputs]
    export(Detector(trunk, head), OUT / "model.onnx", outputs)
    prove_parity(Detector(trunk, head), pack, outputs)


def looked_at(pack: Pack, rows: list[int], trunk: Trunk) -> list[NDArray[np.float16]]:
    """Both feature maps of these scenes, as the exported trunk gives them."""
    path = OUT / "trunk.onnx"
    export(trunk, path, ["fine", "coarse"])
    network = OnnxFile(path, threads=THREADS)
    path.unlink()
    maps: dict[str, list[NDArray[np.float16]]] = {"fine": [], "coarse": []}
    starts = range(0, len(rows), LOOKED_AT)
    for start in progress(starts, len(starts), "looking at scenes"):
        some = rows[start : start + LOOKED_AT]
        seen = network(np.concatenate([encode(pack.blob(index))["image"] for index in some]))
        for name, parts in maps.items():
            parts.append(seen[name].astype(np.float16))
    return [np.concatenate(parts) for parts in maps.values()]


def learnt(features: list[NDArray[np.float16]], wanted: Targets, params: Params) -> Head:
    """The head after some passes over all scenes."""
    head = Head().train()
    head.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # half the time
    count = len(features[0])
    steps = params.epochs * (count // params.batch)
    optimiser = torch.optim.AdamW(head.parameters(), lr=params.rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, params.rate, steps, pct_start=0.15)
    known = [torch.from_numpy(array) for array in (wanted.heat, wanted.box, wanted.place)]
    for picks in progress(batches(count, params), total=steps, what="learning"):
        fine, coarse = (
            torch.from_numpy(part[picks]).float().to(memory_format=torch.channels_last) for part in features
        )
        wrong = loss(head(fine, coarse), *(array[torch.from_numpy(picks)] for array in known))
        optimiser.zero_grad(set_to_none=True)
        wrong.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    head.eval().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return head


def batches(count: int, params: Params) -> Iterator[NDArray[np.int64]]:
    """Which scenes come together, in another order each time."""
    rng = np.random.default_rng(params.seed)
    for _ in range(params.epochs):
        order = rng.permutation(count)
        for start in range(0, count - params.batch + 1, params.batch):
            yield order[start : start + params.batch]


def prove_parity(detector: Detector, pack: Pack, outputs: list[str]) -> None:
    """The exported file answers as torch does."""
    image = np.concatenate([encode(pack.blob(index))["image"] for index in range(8)])
    with torch.inference_mode():
        expected: tuple[Tensor, ...] = detector.eval()(torch.from_numpy(image))
    answered = OnnxFile(OUT / "model.onnx")(image)
    for name, tensor in zip(outputs, expected, strict=True):
        difference = float(np.abs(tensor.numpy() - answered[name]).max())
        if difference > PARITY:
            raise ValueError(f"ONNX and torch differ by {difference} in {name}")


if __name__ == "__main__":
    main()
