"""Who is measured: model servers as their documentation sets them up, a plain FastAPI app, ours, and the limit.

Each serves the same ONNX file with two workers, or where it has one process a port, as two processes.
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PEERS = Path(__file__).with_name("peers")
OPEN_INFERENCE = json.dumps(
    {"inputs": [{"name": "features", "datatype": "FP32", "shape": [1, 4], "data": [5.1, 3.5, 1.4, 0.2]}]}
)
ROWS = json.dumps({"features": [[5.1, 3.5, 1.4, 0.2]]})
SERVED = "/v2/models/iris/infer"
RPC = "/inference.GRPCInferenceService/ModelInfer"


@dataclass(frozen=True)
class Place:
    """Where a contender may put things and which model it serves."""

    folder: Path
    onnx: Path
    models: Path
    port: int


@dataclass(frozen=True)
class Command:
    """One process."""

    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = ROOT


@dataclass(frozen=True)
class Contender:
    """A server of the small model: how it is installed, started and asked."""

    name: str
    setup: str
    start: Callable[[Place], list[Command]]
    path: str
    body: str
    requirements: Sequence[str] = ()
    ports: Callable[[int], Sequence[int]] = lambda port: [port]
    grpc_ports: Callable[[int], Sequence[int]] | None = None
    site: str = ""
    """A `sitecustomize` that its venv needs."""
    host: str = "127.0.0.1"

    @property
    def slug(self) -> str:
        """The name as a folder has it."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


def ours(patterns: str) -> Callable[[Place], list[Command]]:
    """Two replicas of inference-sync without a registry: the model is in their cache."""

    def start(place: Place) -> list[Command]:
        spool = place.folder / "spool"
        given = {
            "MODEL_PACKAGES": "scripts.benchmarks.models",
            "MODEL_CACHE": str(place.models),
            "SPOOL_DIR": str(spool),
            "PATTERNS_IRIS": patterns,
            "PORT_OFFSET": str(place.port - 8200),
            "LISTEN_HOST": "127.0.0.1",
            "LOG_LEVEL": "WARNING",
        }
        shutil.rmtree(spool, ignore_errors=True)  # nobody takes it: a full one would take nothing more
        spool.mkdir(parents=True)
        words = [sys.executable, "-m", "services", "inference-sync"]
        return [Command(words, given | {"REPLICA": str(replica)}) for replica in range(2)]

    return start


def bare(module: str, *more: str) -> Callable[[Place], list[Command]]:
    """Two processes of a server without checks, log or metrics."""

    def start(place: Place) -> list[Command]:
        words = [sys.executable, "-m", f"scripts.benchmarks.peers.{module}"]
        given = {"MODEL_FILE": str(place.onnx)}
        return [Command([*words, str(place.port + at), *more], given) for at in range(2)]

    return start


def in_venv(*words: str) -> Callable[[Place], list[Command]]:
    """A program of the contender's venv, started in the folder of peers; PORT in a word is its port."""

    def start(place: Place) -> list[Command]:
        programs = place.folder / "venv" / "bin"
        given = {"MODEL_FILE": str(place.onnx), "PATH": f"{programs}:{os.environ['PATH']}"}
        filled = [word.replace("PORT", str(place.port)).replace("GRPC", str(place.port + 1)) for word in words]
        return [Command([str(programs / filled[0]), *filled[1:]], given, PEERS)]

    return start


def pytriton(place: Place) -> list[Command]:
    """Its three ports: HTTP, gRPC, metrics."""
    ports = [str(place.port + at) for at in range(3)]
    return in_venv("python", "pytriton_server.py", *ports)(place)


def mlserver(place: Place) -> list[Command]:
    """Two processes, each with a folder of settings: one process a port is what `parallel_workers: 0` gives."""
    return [_mlserver(place, at) for at in range(2)]


def _mlserver(place: Place, at: int) -> Command:
    folder = place.folder / f"mlserver-{at}"
    folder.mkdir(parents=True, exist_ok=True)
    ports = {"http_port": place.port + at, "grpc_port": place.port + 4 + at, "metrics_port": place.port + 8 + at}
    settings = {"parallel_workers": 0, "host": "127.0.0.1", "debug": False, **ports}
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "model-settings.json").write_text(json.dumps({"name": "iris", "implementation": "mlserver_runtime.Iris"}))
    (folder / "logging.ini").write_text(QUIET)
    given = {
        "MODEL_FILE": str(place.onnx),
        "PYTHONPATH": str(PEERS),
        "MLSERVER_LOGGING_SETTINGS": str(folder / "logging.ini"),
    }
    return Command([str(place.folder / "venv" / "bin" / "mlserver"), "start", str(folder)], given, folder)


def mlflow(place: Place) -> list[Command]:
    """Saves the model in its format, then serves it."""
    model, programs = place.folder / "model", place.folder / "venv" / "bin"
    given = {"MODEL_FILE": str(place.onnx), "PATH": f"{programs}:{os.environ['PATH']}"}
    save = f"test -d {model} || python {PEERS / 'mlflow_model.py'} {model}"
    serve = f"exec mlflow models serve -m {model} -h 127.0.0.1 -p {place.port} --env-manager local -w 2"
    return [Command(["sh", "-c", f"{save}; {serve}"], given, place.folder)]


QUIET = """[loggers]
keys=root
[handlers]
keys=
[formatters]
keys=
[logger_root]
level=WARNING
handlers=
"""
PURE_PYTHON_LOCK = """import multiprocessing.resource_tracker as tracker
import threading

tracker._resource_tracker._lock = threading._PyRLock()
"""
"""PyTriton's stub is a Python 3.11 whose lock has no `_recursion_count`, which the standard library asks for."""

PAIR: Callable[[int], Sequence[int]] = lambda port: [port, port + 1]  # noqa: E731

OURS = "ours: contract check, prediction log, metrics"
CONTENDERS = (
    Contender(
        name="bare ASGI handler",
        setup="uvicorn + uvloop + httptools, orjson, ONNX Runtime; no checks, log or metrics; 2 processes: the limit",
        start=bare("bare_server"),
        path="/",
        body=OPEN_INFERENCE,
        ports=PAIR,
    ),
    Contender(
        name=OURS,
        setup="inference-sync, 2 replicas, PATTERNS_IRIS=prediction_log,fallback",
        start=ours("prediction_log,fallback"),
        path=SERVED,
        body=OPEN_INFERENCE,
        ports=PAIR,
        grpc_ports=lambda port: [port + 20, port + 21],
    ),
    Contender(
        name="FastAPI",
        setup="pydantic models, uvicorn --workers 2, uvloop + httptools, ONNX Runtime inline",
        start=in_venv(
            *("uvicorn", "--factory", "fastapi_app:build", "--workers", "2", "--host", "127.0.0.1", "--port", "PORT"),
            *("--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"),
        ),
        path="/predict",
        body=ROWS,
        requirements=("fastapi==0.165.0", "uvicorn[standard]", "onnxruntime==1.32.0", "numpy"),
    ),
    Contender(
        name="PyTriton 0.7.0",
        setup="Triton's front end, 2 Python workers, dynamic batcher 0.5 ms",
        start=pytriton,
        path=SERVED,
        body=OPEN_INFERENCE,
        requirements=("nvidia-pytriton==0.7.0", "onnxruntime"),
        grpc_ports=lambda port: [port + 1],
        site=PURE_PYTHON_LOCK,
    ),
    Contender(
        name="MLServer 1.7.1",
        setup="custom ONNX runtime, parallel_workers 0, 2 processes",
        start=mlserver,
        path=SERVED,
        body=OPEN_INFERENCE,
        requirements=("mlserver==1.7.1", "onnxruntime"),
        ports=PAIR,
        grpc_ports=lambda port: [port + 4, port + 5],
    ),
    Contender(
        name="BentoML 1.4.39",
        setup="workers=2, typed arrays, access log off",
        start=in_venv("bentoml", "serve", "bentoml_service:Iris", "--host", "127.0.0.1", "--port", "PORT"),
        path="/predict",
        body=ROWS,
        requirements=("bentoml==1.4.39", "onnxruntime", "numpy"),
    ),
    Contender(
        name="LitServe 0.2.19",
        setup="workers_per_device=2, 2 API servers",
        start=in_venv("python", "litserve_server.py", "PORT"),
        path="/predict",
        body=ROWS,
        requirements=("litserve==0.2.19", "onnxruntime", "numpy"),
    ),
    Contender(
        name="mlflow models serve 3.17.2",
        setup="pyfunc over the ONNX flavour, 2 workers",
        start=mlflow,
        path="/invocations",
        body=json.dumps({"inputs": [[5.1, 3.5, 1.4, 0.2]]}),
        requirements=("mlflow==3.17.2", "onnx", "onnxruntime"),
    ),
)
TRITON = "Triton, C++"


def triton(address: str) -> Contender:
    """One that runs already, at HOST:PORT, with the bench's ONNX file as model `iris`."""
    host, _, port = address.rpartition(":")
    return Contender(
        name=TRITON,
        setup=f"its own ONNX Runtime backend, running at {address}",
        start=lambda place: [],
        path=SERVED,
        body=OPEN_INFERENCE,
        ports=lambda _: [int(port)],
        host=host,
    )


MODEL_SERVERS = tuple(c.name for c in CONTENDERS if c.requirements and c.name != "FastAPI")
