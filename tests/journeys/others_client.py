"""Asks a host by others' client of the Open Inference Protocol, unchanged: HTTP and gRPC, raw tensors.

python -m tests.journeys.others_client HTTP_ADDRESS GRPC_ADDRESS [TOKEN] < picture; prints what each answered, as JSON.
A process of its own: the client brings its own copy of the protocol's messages.
"""

import json
import sys
from typing import Any

import numpy as np
import tritonclient.grpc
import tritonclient.http

from models.image_screening.features import encode

MODEL = "image_screening"


def asked(kind: Any, address: str, headers: dict[str, str], image: Any) -> dict[str, Any]:
    """Metadata, readiness, index and a prediction over one of the two roads."""
    client = kind.InferenceServerClient(address)
    try:
        wanted = [kind.InferRequestedOutput("category"), kind.InferRequestedOutput("embedding")]
        tensor = kind.InferInput("image", image.shape, "UINT8")
        tensor.set_data_from_numpy(image)
        answer = client.infer(MODEL, [tensor], outputs=wanted, request_id="mine", headers=headers)
        return {
            "live": client.is_server_live(headers=headers),
            "ready": client.is_model_ready(MODEL, headers=headers),
            "metadata": _plain(client.get_model_metadata(MODEL, headers=headers))["name"],
            "index": sorted(line["name"] for line in _lines(client.get_model_repository_index(headers=headers))),
            "category": answer.as_numpy("category")[0].tolist(),
            "embedding": len(answer.as_numpy("embedding")[0]),
            "refused": refusal(kind, client, headers, image),
        }
    finally:
        client.close()


def refusal(kind: Any, client: Any, headers: dict[str, str], image: Any) -> str:
    """What the client is told about a float16."""
    wrong = kind.InferInput("image", image.shape, "FP16")
    wrong.set_data_from_numpy(image.astype(np.float16))
    try:
        client.infer(MODEL, [wrong], headers=headers)
    except kind.InferenceServerException as error:
        return str(error)
    return "not refused"


def _plain(found: Any) -> Any:
    return found if isinstance(found, dict) else {"name": found.name}


def _lines(found: Any) -> Any:
    return found if isinstance(found, list) else [{"name": model.name} for model in found.models]


if __name__ == "__main__":
    http, grpc, *token = sys.argv[1:]
    authorized = {"authorization": f"Bearer {token[0]}"} if token else {}
    picture = encode(sys.stdin.buffer.read())["image"]
    answers = {  # each with a copy of the headers: the client adds to them
        "http": asked(tritonclient.http, http, dict(authorized), picture),
        "grpc": asked(tritonclient.grpc, grpc, dict(authorized), picture),
    }
    print(json.dumps(answers))
