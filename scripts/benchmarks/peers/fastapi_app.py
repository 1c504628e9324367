"""Plain FastAPI in front of ONNX Runtime: what most teams write first.

MODEL_FILE=model.onnx uvicorn --factory fastapi_app:build --workers 2
"""

import os

import numpy as np
import onnxruntime
from fastapi import FastAPI
from pydantic import BaseModel


class Flowers(BaseModel):
    """Rows of four lengths."""

    features: list[list[float]]


class Probabilities(BaseModel):
    """Rows of three probabilities."""

    probabilities: list[list[float]]


def build() -> FastAPI:
    """One session a worker; it runs inline, as the model takes microseconds."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(os.environ["MODEL_FILE"], options, providers=["CPUExecutionProvider"])
    app = FastAPI()

    @app.post("/predict")
    async def predict(flowers: Flowers) -> Probabilities:
        (rows,) = session.run(["probabilities"], {"features": np.asarray(flowers.features, np.float32)})
        return Probabilities(probabilities=rows.tolist())

    return app
