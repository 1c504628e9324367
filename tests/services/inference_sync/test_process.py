"""The host as a process: it starts without the registry, from its disk, and answers on both ports."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from services.chassis.ports import PORTS
from services.inference_sync import open_inference_pb2
from services.sources.disk_cache import DiskCache
from services.sources.mlflow_registry import Release
from services.sources.onnx_model import sha256
from tests.servers import eventually, free_port, listening, running
from tests.services.inference_sync.test_inference_sync import INFER, TENSOR
from tests.services.sources.tiny import artefact

protocol: Any = open_inference_pb2
ROOT = Path(__file__).parents[3]
FILES = {
    "__init__.py": "",
    "tiny/__init__.py": "",
    "tiny/contract.py": "from tests.services.sources.tiny import contract",
    "tiny/features.py": "from tests.services.sources.tiny import encode, answer",
}


@pytest.fixture
def package(tmp_path: Path) -> str:
    """A Python package with the tiny model's contract, as a fork's own might be."""
    for name, text in FILES.items():
        place = tmp_path / "shelf" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return "shelf"


@contextmanager
def host(tmp_path: Path, package: str) -> Iterator[tuple[str, int]]:
    """A process whose registry does not answer; yields its address and its port for gRPC."""
    port, registry = free_port(), free_port()
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT}:{tmp_path}", "LISTEN_HOST": "127.0.0.1", "MODEL_PACKAGES": package, "REPLICA": "0",
        "PORT_OFFSET": str(port - PORTS["inference-sync"]), "MODEL_CACHE": str(tmp_path / "cache"),
        "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{registry}",
    }  # fmt: skip
    for name in ("DATABASE_URL", "SPOOL_DIR", "KAFKA_BOOTSTRAP_SERVERS", "JWKS_FILE", "PATTERNS"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "services", "inference-sync"]
    rpc = port - PORTS["inference-sync"] + PORTS["inference-sync-grpc"]
    with running(command, lambda: listening(port) and listening(rpc), env=environment, cwd=str(tmp_path)):
        yield f"http://127.0.0.1:{port}", rpc


def ready_by_grpc(port: int) -> bool:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        asking = channel.unary_unary("/inference.GRPCInferenceService/ModelReady")
        answer = asking(protocol.ModelReadyRequest(name="tiny").SerializeToString(), timeout=20)
    return bool(protocol.ModelReadyResponse.FromString(answer).ready)


def test_with_nothing_on_disk_it_is_healthy_but_its_model_is_not_ready(tmp_path: Path, package: str) -> None:
    with host(tmp_path, package) as (address, rpc), httpx.Client(base_url=address, timeout=20) as http:
        assert http.get("/health/ready").status_code == 200
        eventually(lambda: "does not answer" in http.get("/v2/models/tiny/ready").text, "the reason")
        assert http.get("/v2/models/tiny/ready").status_code == 400
        assert not ready_by_grpc(rpc)
        parameters = http.post(INFER, json={"inputs": [TENSOR]}).json()["parameters"]
        assert (parameters["served_by"], parameters["reason"]) == ("default", "not_loaded")


def test_what_lies_on_disk_serves_though_the_registry_is_away(tmp_path: Path, package: str) -> None:
    made = artefact(tmp_path / "made")
    release = Release("tiny", "7", sha256(made / "manifest.json"))
    cache = DiskCache(tmp_path / "cache", "tiny")
    with cache.incoming(release) as partial:
        for file in made.iterdir():
            (partial / file.name).write_bytes(file.read_bytes())
    with host(tmp_path, package) as (address, rpc), httpx.Client(base_url=address, timeout=20) as http:
        eventually(lambda: http.get("/v2/models/tiny/ready").status_code == 200, "the model from disk")
        assert ready_by_grpc(rpc)
        answer = http.post(INFER, json={"inputs": [TENSOR]}).json()
        assert (answer["model_version"], answer["parameters"]["served_by"]) == ("7", "model")
