"""MLServer with a runtime for ONNX, which it has none of: `mlserver start FOLDER`."""

import os

import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceRequest, InferenceResponse


class Iris(MLModel):
    """One session."""

    async def load(self) -> bool:
        """Open the model."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            os.environ["MODEL_FILE"], options, providers=["CPUExecutionProvider"]
        )
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Probabilities of each row."""
        features = NumpyCodec.decode_input(payload.inputs[0])
        (rows,) = self.session.run(["probabilities"], {"features": features})
        output = NumpyCodec.encode_output("probabilities", rows)
        return InferenceResponse(model_name=self.name, outputs=[output])
