"""BentoML, as its guide for small models on CPUs has it: workers, a typed array in and out.

MODEL_FILE=model.onnx bentoml serve bentoml_service:Iris --port PORT
"""

import os
from typing import Annotated

import bentoml
import numpy as np
import onnxruntime
from bentoml.validators import DType, Shape

Flowers = Annotated[np.ndarray, DType("float32"), Shape((-1, 4))]


@bentoml.service(workers=2, metrics={"enabled": True}, traffic={"timeout": 30, "max_concurrency": 256})
class Iris:
    """One session a worker."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            os.environ["MODEL_FILE"], options, providers=["CPUExecutionProvider"]
        )

    @bentoml.api(batchable=os.environ.get("BATCHABLE") == "1")
    def predict(self, features: Flowers) -> np.ndarray:
        """Probabilities of each row."""
        (rows,) = self.session.run(["probabilities"], {"features": features})
        return rows
