"""Photos through the friendly road, beside a bare loop that decodes, prepares and runs the same model.

    scripts/bench images [--rounds 3] [--seconds 5]

A JPEG of 1600x1200 goes to `/v2/models/image_screening/predict` of two replicas; the bare loop runs in
two processes, one thread each. The model is the champion of the platform in STATE_DIR.
"""

import argparse
import io
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import skimage.data
from PIL import Image

from scripts.benchmarks import generators
from scripts.benchmarks.contenders import OURS, ROOT, Command, Contender, Place, ours
from scripts.benchmarks.generators import Measured, h1load
from scripts.benchmarks.servers import reached, serving
from scripts.benchmarks.serving import machine
from scripts.benchmarks.tables import Bound, markdown, table

NAME, PORT = "image_screening", 17800
PREDICT = f"/v2/models/{NAME}/predict"
CLIENTS, PROCESSES = 8, 2


def photo(path: Path) -> None:
    """A photo of 1600x1200 that a package ships."""
    out = io.BytesIO()
    Image.fromarray(skimage.data.chelsea()).resize((1600, 1200)).save(out, "JPEG", quality=88)
    path.write_bytes(out.getvalue())


def cached(state: Path, folder: Path) -> Path:
    """A copy of what the platform's hosts have on disk."""
    source = next(
        (p for p in (state / "volumes" / "models-sync", state / "volumes" / "models-batch") if p.is_dir()), None
    )
    if source is None or not (source / NAME / "champion").is_file():
        raise SystemExit(f"bench: {state} has no champion of {NAME}: scripts/up trains it")
    shutil.copytree(source / NAME, folder / NAME, dirs_exist_ok=True)
    return folder


def bare(photo_file: Path, models: Path, seconds: float) -> float:
    """Pictures a second of the loop in all processes together."""
    words = [sys.executable, "-m", "scripts.benchmarks.images", "--loop", str(seconds), str(photo_file), str(models)]
    processes = [
        subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ})
        for _ in range(PROCESSES)
    ]
    return sum(float(process.communicate()[0]) for process in processes)


def loop(seconds: float, photo_file: Path, models: Path) -> float:
    """Decode scaled, prepare, run; nothing else."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    folder = models / NAME / (models / NAME / "champion").read_text().strip()
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
    encode, content = import_module(f"models.{NAME}.features").encode, photo_file.read_bytes()
    session.run(None, encode(content))
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        session.run(None, encode(content))
        count += 1
    return count / (time.perf_counter() - began)


def host(folder: Path, models: Path) -> tuple[Contender, Place]:
    """Two replicas with the real models, one thread for each: there are two cores."""

    def start(place: Place) -> list[Command]:
        given = {"MODEL_PACKAGES": "models", "MODEL_WORKERS": "2", "PATTERNS": "prediction_log,fallback"}
        commands = ours("")(place)
        return [replace(one, environment={**one.environment, **given}) for one in commands]

    contender = Contender(OURS, "", start, PREDICT, "", ports=lambda port: [])
    return contender, Place(folder / "images", Path(), models, PORT)


def measure(folder: Path, state: Path, rounds: int, seconds: float) -> tuple[list[Measured], list[float]]:
    """The host and the loop, in turn."""
    picture = folder / "photo.jpg"
    photo(picture)
    models = cached(state, folder / "image-models")
    contender, place = host(folder, models)
    ports = [place.port, place.port + 1]
    served, bared = [], []
    with serving(contender, place):
        for port in ports:
            reached(f"http://127.0.0.1:{port}{PREDICT}", picture.read_bytes(), place.folder / "log")
        for number in range(rounds):
            sys.stderr.write(f"progress round={number + 1}/{rounds} what=photos\n")
            served.append(h1load(ports, PREDICT, picture, ["content-type: image/jpeg"], CLIENTS, seconds))
            bared.append(bare(picture, models, seconds))
    return served, bared


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when the bound was kept."""
    parser = generators.options(__doc__, seconds=5)
    parser.add_argument("--loop", nargs=3, metavar=("SECONDS", "PHOTO", "MODELS"), help=argparse.SUPPRESS)
    if alone := parser.parse_args(arguments).loop:
        print(loop(float(alone[0]), Path(alone[1]), Path(alone[2])))
        return 0
    given = generators.ready(parser, arguments)
    state = Path(os.environ.get("STATE_DIR", ".state")).absolute()
    folder = state / "bench"
    (folder / "images").mkdir(parents=True, exist_ok=True)
    served, bared = measure(folder, state, given.rounds, given.seconds)
    rates = [one.rps for one in served]
    errors = str(sum(one.errors for one in served))
    rows = [
        ["ours", f"{statistics.median(rates):.1f}", f"{min(rates):.1f} to {max(rates):.1f}", errors],
        ["bare loop", f"{statistics.median(bared):.1f}", f"{min(bared):.1f} to {max(bared):.1f}", ""],
    ]
    shown = table(("1600x1200 JPEG", "photos/s", "lowest to highest", "errors"), rows)
    bound = Bound("photos beside the bare loop", statistics.median(rates) / statistics.median(bared), 0.7)
    print(shown, bound, sep="\n")
    if given.page:
        markdown(given.page, "images", [f"{machine(given.cores)}.", shown, str(bound)])
    return 0 if bound.kept else 1


if __name__ == "__main__":
    sys.exit(main())
