"""PyTriton: Triton's front end and batcher around two Python workers.

MODEL_FILE=model.onnx python pytriton_server.py HTTP_PORT GRPC_PORT METRICS_PORT
"""

import os
import sys
from typing import Any

import numpy as np
import onnxruntime
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig


class Worker:
    """One session, opened in the process that uses it."""

    def __init__(self) -> None:
        self.session: Any = None

    @batch
    def infer(self, features: Any) -> list[Any]:
        """Probabilities of each row."""
        if self.session is None:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            self.session = onnxruntime.InferenceSession(
                os.environ["MODEL_FILE"], options, providers=["CPUExecutionProvider"]
            )
        return self.session.run(["probabilities"], {"features": features})


if __name__ == "__main__":
    http, grpc, metrics = map(int, sys.argv[1:4])
    config = TritonConfig(http_address="127.0.0.1", http_port=http, grpc_port=grpc, metrics_port=metrics)
    with Triton(config=config) as triton:
        triton.bind(
            model_name="iris",
            infer_func=[Worker().infer, Worker().infer],
            inputs=[Tensor(name="features", dtype=np.float32, shape=(4,))],
            outputs=[Tensor(name="probabilities", dtype=np.float32, shape=(3,))],
            config=ModelConfig(max_batch_size=64, batcher=DynamicBatcher(max_queue_delay_microseconds=500)),
        )
        triton.serve()
