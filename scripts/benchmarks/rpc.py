"""gRPC: our host beside a bare grpc.aio handler and MLServer, with the same small model.

scripts/bench rpc [--rounds 3] [--seconds 4]
"""

import os
import statistics
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scripts.benchmarks import generators
from scripts.benchmarks.contenders import CONTENDERS, OPEN_INFERENCE, OURS, RPC, Contender, Place, bare
from scripts.benchmarks.generators import Measured, h2load
from scripts.benchmarks.iris import artefact
from scripts.benchmarks.servers import DidNotStart, installed, memory_mb, serving
from scripts.benchmarks.serving import machine
from scripts.benchmarks.tables import Bound, markdown, table
from services.inference_sync import open_inference_pb2

BARE, PEER = "bare grpc.aio handler", "MLServer 1.7.1"
HEADERS = ("content-type: application/grpc", "te: trailers")
CONNECTIONS = (1, 64)
protocol: Any = open_inference_pb2
FIRST_PORT = 17700


def message() -> bytes:
    """One request in gRPC's frame: not compressed, length, bytes."""
    asked = protocol.ModelInferRequest(model_name="iris")
    asked.inputs.add(name="features", datatype="FP32", shape=[1, 4])
    asked.raw_input_contents.append(np.array([5.1, 3.5, 1.4, 0.2], np.float32).tobytes())
    body: bytes = asked.SerializeToString()
    return struct.pack(">BI", 0, len(body)) + body


def contenders() -> list[Contender]:
    """The bare handler, ours, and the one peer that speaks the same protocol from Python."""
    limit = Contender(
        name=BARE,
        setup="",
        start=bare("bare_rpc"),
        path=RPC,
        body=OPEN_INFERENCE,
        ports=lambda port: [],
        grpc_ports=lambda port: [port, port + 1],
    )
    return [limit, *(one for one in CONTENDERS if one.name in (OURS, PEER))]


def measured(folder: Path, rounds: int, seconds: float) -> dict[str, dict[int, list[Measured]]]:
    """Every contender in every round."""
    models, body = folder / "models", folder / "request.bin"
    onnx = artefact(models)
    body.write_bytes(message())
    found: dict[str, dict[int, list[Measured]]] = {}
    for number in range(rounds):
        for at, contender in enumerate(contenders()):
            sys.stderr.write(f"progress round={number + 1}/{rounds} server={contender.name!r}\n")
            place = Place(folder / contender.slug, onnx, models, FIRST_PORT + at * 40)
            results = found.setdefault(contender.name, {connections: [] for connections in CONNECTIONS})
            try:
                one_round(contender, place, body, seconds, results)
            except DidNotStart as trouble:
                sys.stderr.write(f"{contender.name} did not start: {trouble}\n")
    return found


def one_round(
    contender: Contender, place: Place, body: Path, seconds: float, results: dict[int, list[Measured]]
) -> None:
    """Start it, load it, end it."""
    installed(contender, place.folder)
    assert contender.grpc_ports
    ports = contender.grpc_ports(place.port)
    with serving(contender, place) as processes:
        h2load(ports, RPC, body, HEADERS, 16, 1.0)
        for connections in CONNECTIONS:
            results[connections].append(h2load(ports[:connections], RPC, body, HEADERS, connections, seconds))
        memory_mb(processes)


def rate(found: dict[int, list[Measured]], connections: int) -> float:
    """The median of the rounds; nan where nothing was measured."""
    return statistics.median(one.rps for one in found[connections]) if found[connections] else float("nan")


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every bound was kept."""
    given = generators.ready(generators.options(__doc__), arguments)
    folder = Path(os.environ.get("STATE_DIR", ".state")).absolute() / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    found = measured(folder, given.rounds, given.seconds)
    rows = [[name, *(cell for c in CONNECTIONS for cell in cells(results[c]))] for name, results in found.items()]
    header = ("server", *(f"c={c} {what}" for c in CONNECTIONS for what in ("rps", "p50 ms", "p99 ms", "errors")))
    print(table(header, rows), flush=True)
    bounds = [
        Bound("gRPC c=64 beside the bare handler", rate(found[OURS], 64) / rate(found[BARE], 64), 0.75),
        Bound("gRPC c=64 beside MLServer", rate(found[OURS], 64) / rate(found[PEER], 64), 1.5),
    ]
    for bound in bounds:
        print(bound)
    if given.page:
        markdown(given.page, "rpc", [f"{machine(given.cores)}.", table(header, rows), *map(str, bounds)])
    return 0 if all(bound.kept for bound in bounds) else 1


def cells(rounds: Sequence[Measured]) -> list[str]:
    """Rate, latency, errors."""
    if not rounds:
        return ["-", "-", "-", "-"]
    rates, errors = [one.rps for one in rounds], sum(one.errors for one in rounds)
    middle, late = (statistics.median(getattr(one, figure) for one in rounds) for figure in ("p50_ms", "p99_ms"))
    return [f"{statistics.median(rates):,.0f}", f"{middle:.2f}", f"{late:.2f}", str(errors)]


if __name__ == "__main__":
    sys.exit(main())
