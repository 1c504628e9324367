"""Look at every scene once with the pretrained network and keep what it sees.

    dvc repro pipelines/image_screening/dvc.yaml:features

Retraining a head then takes seconds. Pictures are decoded by the code that serves.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.image_screening.features import encode
from pipelines.image_screening import prepare
from pipelines.image_screening.onnx_file import OnnxFile
from pipelines.parameters import load
from pipelines.scenes.examples import encoded

OUT = Path("data/image_screening/features")


@dataclass(frozen=True)
class Params:
    """The section `features` of params.yaml."""

    batch: int


def main() -> None:
    """Write the features and the ImageNet probabilities of every scene, as 16-bit floats."""
    params = load(Params, "pipelines/image_screening/params.yaml", "features")
    network = OnnxFile(prepare.OUT / "backbone.onnx", threads=len(os.sched_getaffinity(0)))
    seen = [network(batch) for batch in encoded(encode, "image", params.batch, "looking at scenes")]
    OUT.mkdir(parents=True, exist_ok=True)
    for name in ("features", "photo"):
        np.save(OUT / f"{name}.npy", np.concatenate([part[name].astype(np.float16) for part in seen]))


if __name__ == "__main__":
    main()
