"""LitServe with two workers on the CPU.

MODEL_FILE=model.onnx python litserve_server.py PORT
"""

import os
import sys
from typing import Any

import litserve
import numpy as np
import onnxruntime


class Iris(litserve.LitAPI):
    """One session a worker."""

    def setup(self, device: str) -> None:
        """Open the model."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            os.environ["MODEL_FILE"], options, providers=["CPUExecutionProvider"]
        )

    def decode_request(self, request: dict[str, Any]) -> Any:
        """Rows of four lengths."""
        return np.asarray(request["features"], np.float32)

    def predict(self, x: Any) -> Any:
        """Probabilities of each row."""
        return self.session.run(["probabilities"], {"features": x})[0]

    def encode_response(self, output: Any) -> dict[str, Any]:
        """Ready for JSON."""
        return {"probabilities": output.tolist()}


if __name__ == "__main__":
    server = litserve.LitServer(Iris(), accelerator="cpu", devices=1, workers_per_device=2)
    server.run(
        host="127.0.0.1", port=int(sys.argv[1]), num_api_servers=2, log_level="warning", generate_client_file=False
    )
