"""Runs an ONNX file on batches of pictures."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray


class OnnxFile:
    """Called with a batch, answers all outputs by name."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def __call__(self, batch: NDArray[np.uint8] | NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        given = self.session.get_inputs()[0].name
        names = [output.name for output in self.session.get_outputs()]
        return dict(zip(names, self.session.run(names, {given: batch}), strict=True))
