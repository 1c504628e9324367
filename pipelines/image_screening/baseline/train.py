"""Train a small convolutional network from scratch on the same scenes, and measure it as image_screening is measured.

    dvc repro pipelines/image_screening/baseline/dvc.yaml

Says what the pretrained backbone is worth. Not part of the default training: only its metrics are kept.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from models.labels import CATEGORIES, PICTURE_VIOLATIONS, names
from models.pictures import decode
from pipelines.evaluation import accuracy, auc
from pipelines.parameters import load
from pipelines.progress import progress
from pipelines.scenes.examples import NONE, encoded, labels
from pipelines.scenes.parts import real_photos

METRICS = Path("pipelines/image_screening/baseline/metrics.json")
CITED = Path("models/image_screening/baseline.json")
"""The copy that the card cites. Depending on the metrics themselves would make every training train this too."""
THREADS = 2


@dataclass(frozen=True)
class Params:
    """The section `train` of params.yaml."""

    test_group: int
    size: int
    widths: list[int]
    epochs: int
    batch: int
    rate: float
    decay: float
    seed: int


class Residual(nn.Module):
    """Two convolutions that halve the picture, and a short cut around them."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.road = nn.Sequential(
            nn.Conv2d(before, after, 3, 2, 1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(),
            nn.Conv2d(after, after, 3, 1, 1, bias=False),
            nn.BatchNorm2d(after),
        )
        self.short = nn.Conv2d(before, after, 1, 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """One step."""
        return functional.relu(self.road(x) + self.short(x))


class Small(nn.Module):
    """The whole network: category and violation from average and maximum over the picture."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        first = [nn.Conv2d(3, widths[0], 3, 2, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()]
        steps = [Residual(before, after) for before, after in pairwise(widths)]
        self.body = nn.Sequential(*first, *steps)
        self.category = nn.Linear(2 * widths[-1], len(CATEGORIES))
        self.violation = nn.Linear(2 * widths[-1], len(PICTURE_VIOLATIONS))

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Scores; `pixels` is uint8, [batch, height, width, 3]."""
        x = self.body(pixels.permute(0, 3, 1, 2).float() / 128 - 1)
        seen = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)
        return self.category(seen), self.violation(seen)


def main() -> None:
    """Train and measure."""
    params = load(Params, "pipelines/image_screening/baseline/params.yaml", "train")
    torch.set_num_threads(THREADS)
    torch.manual_seed(params.seed)
    known = labels()
    pixels = np.concatenate(
        list(encoded(lambda raw: {"image": decode(raw, params.size)[None]}, "image", 64, "reading"))
    )
    learning = known.group != params.test_group
    network = fit(pixels[learning], known.category[learning], known.violation[learning], params)
    test = ~learning
    category, violation = answers(network, pixels[test])
    good, photos = known.category[test] != NONE, real_photos()
    seen = np.stack([decode(path.read_bytes(), params.size) for path in photos.values()])
    said = [names(CATEGORIES)[int(row.argmax())] for row in answers(network, seen)[0]]
    metrics = {
        "held_out_accuracy": accuracy(known.category[test][good], category[good].argmax(1)),
        "photos_right": float(np.mean([label == word for label, word in zip(photos, said, strict=True)])),
        "violation_auc": auc(~good, 1 - violation[:, 0]),
        "parameters": float(sum(weights.numel() for weights in network.parameters())),
    }
    for path in (METRICS, CITED):
        path.write_text(json.dumps({name: round(value, 4) for name, value in metrics.items()}, indent=1) + "\n")


def fit(pixels: NDArray[np.uint8], category: NDArray[np.int64], violation: NDArray[np.int64], params: Params) -> Small:
    """The trained network: AdamW with one cycle of the learning rate."""
    network = Small(params.widths)
    steps = params.epochs * (len(pixels) // params.batch)
    optimiser = torch.optim.AdamW(network.parameters(), params.rate, weight_decay=params.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, params.rate, total_steps=steps)
    for rows in progress(batches(len(pixels), params), total=steps, what="training from scratch"):
        optimiser.zero_grad()
        some = flipped(torch.from_numpy(pixels[rows]))
        with torch.autocast("cpu", torch.bfloat16):
            scores = network(some)
        loss = functional.cross_entropy(scores[1].float(), torch.from_numpy(violation[rows]))
        loss = loss + functional.cross_entropy(
            scores[0].float(), torch.from_numpy(category[rows]), ignore_index=NONE, label_smoothing=0.1
        )
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    network.eval()
    return network


def batches(total: int, params: Params) -> Iterator[NDArray[np.int64]]:
    """Rows of each step, shuffled anew in every epoch."""
    rng = np.random.default_rng(params.seed)
    for _ in range(params.epochs):
        order = rng.permutation(total)
        for step in range(total // params.batch):
            yield order[step * params.batch : (step + 1) * params.batch]


def flipped(pixels: Tensor) -> Tensor:
    """Half of the pictures mirrored."""
    mirrored = torch.rand(len(pixels)) < 0.5
    return torch.where(mirrored[:, None, None, None], pixels.flip(2), pixels)


def answers(network: Small, pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Probabilities of categories and violations."""
    with torch.inference_mode():
        parts = [network(some) for some in torch.split(torch.from_numpy(pixels), 256)]
    category, violation = (torch.cat([part[which] for part in parts]).softmax(1) for which in (0, 1))
    return category.numpy(), violation.numpy()


if __name__ == "__main__":
    main()
