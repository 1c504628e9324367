"""The limit: ONNX Runtime behind uvicorn with nothing in between: no checks, no log, no metrics.

MODEL_FILE=model.onnx python -m scripts.benchmarks.peers.bare_server PORT
"""

import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import onnxruntime
import orjson
import uvicorn

HEAD = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}


def application(session: Any) -> Any:
    """The same protocol, taken on trust."""

    async def app(scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        tensor = orjson.loads((await receive())["body"])["inputs"][0]
        features = np.array(tensor["data"], np.float32).reshape(tensor["shape"])
        (rows,) = session.run(["probabilities"], {"features": features})
        output = {"name": "probabilities", "datatype": "FP32", "shape": rows.shape, "data": rows.ravel()}
        body = orjson.dumps({"model_name": "iris", "outputs": [output]}, option=orjson.OPT_SERIALIZE_NUMPY)
        await send(HEAD)
        await send({"type": "http.response.body", "body": body})

    return app


def main(port: int) -> None:
    """Serve until stopped, as our own hosts are served."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(os.environ["MODEL_FILE"], options, providers=["CPUExecutionProvider"])
    config = uvicorn.Config(
        application(session), "127.0.0.1", port, http="httptools", loop="uvloop", access_log=False, lifespan="off"
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
