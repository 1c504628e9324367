"""The limit over gRPC: ONNX Runtime behind grpc.aio with nothing in between: no checks, no log, no metrics.

MODEL_FILE=model.onnx python -m scripts.benchmarks.peers.bare_rpc PORT
"""

import os
import sys
from typing import Any

import grpc
import numpy as np
import onnxruntime
import uvloop

from services.inference_sync import open_inference_pb2

protocol: Any = open_inference_pb2


def handlers(session: Any) -> Any:
    """`ModelInfer` alone, raw tensors, taken on trust."""

    async def infer(asked: Any, call: Any) -> Any:
        features = np.frombuffer(asked.raw_input_contents[0], np.float32).reshape(asked.inputs[0].shape)
        (rows,) = session.run(["probabilities"], {"features": features})
        answer = protocol.ModelInferResponse(model_name="iris", raw_output_contents=[rows.tobytes()])
        answer.outputs.add(name="probabilities", datatype="FP32", shape=rows.shape)
        return answer

    method = grpc.unary_unary_rpc_method_handler(
        infer,
        request_deserializer=protocol.ModelInferRequest.FromString,
        response_serializer=protocol.ModelInferResponse.SerializeToString,
    )
    return grpc.method_handlers_generic_handler("inference.GRPCInferenceService", {"ModelInfer": method})


async def main(port: int) -> None:
    """Serve until stopped."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(os.environ["MODEL_FILE"], options, providers=["CPUExecutionProvider"])
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((handlers(session),))
    server.add_insecure_port(f"127.0.0.1:{port}")
    await server.start()
    await server.wait_for_termination()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
