"""Re-scoring by the batch host beside a bare loop over the same pictures, and its memory with ten times the rows.

    scripts/bench batch [--rows 300]

Needs a platform of this clone that runs without Docker: rows are put straight into the batch
host's tables and its memory is read. They are taken out again.
"""

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import numpy as np
import psutil
import psycopg
from PIL import Image
from psycopg.types.json import Jsonb

from scripts.benchmarks.generators import pinned
from scripts.benchmarks.registration import photos
from scripts.benchmarks.running import add_platform
from scripts.benchmarks.serving import machine
from scripts.benchmarks.tables import Bound, markdown, table

CHUNK, WORKERS = 64, 2
PICTURE, TEXT = "image_screening", "text_violation"
TITLE, DESCRIPTION = "計測 measured", "a picture among many"


@dataclass(frozen=True)
class Place:
    """A local platform, its operator, and where it keeps things."""

    url: str
    state: Path
    port: int
    headers: dict[str, str]

    @property
    def database(self) -> str:
        """The batch host's own role."""
        password = (self.state / "volumes" / "keys-inference-batch" / "database").read_text().strip()
        return f"postgresql://inference_batch:{password}@127.0.0.1:{8320 + self.port - 8080}/platform"


def pictures(folder: Path) -> list[str]:
    """Sixteen photos of 640x480 where the host looks for them; their ids."""
    ids = []
    for number in range(16):
        pixels = photos()[number % 4].copy()
        pixels[:4, :32] = np.random.default_rng(number).integers(0, 255, (4, 32, 3), np.uint8)
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, "JPEG", quality=90)
        name = f"{number:064x}"
        path = folder / "pictures" / name[:2] / name / "original"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(out.getvalue())
        ids.append(name)
    return ids


def fill(connection: "psycopg.Connection[tuple[object, ...]]", ids: Sequence[str], rows: int) -> list[UUID]:
    """Items that an older version judged."""
    items = [uuid4() for _ in range(rows)]
    used = {"version": "0", "served_by": "model", "prediction_id": str(uuid4())}
    screening = Jsonb({"models": {PICTURE: used, TEXT: used}})
    facts = []
    for at, item in enumerate(items):
        body = {
            "image_id": ids[at % len(ids)],
            "title": TITLE,
            "description": DESCRIPTION,
            "category": None,
            "likes": 0,
        }
        facts.append((uuid4(), item, "item.screened", 1, screening))
        facts.append((uuid4(), item, "item.published", 2, Jsonb(body)))
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO facts (event_id, item_id, kind, revision, sequence, body, occurred_at) "
            "VALUES (%s, %s, %s, 1, %s, %s, now())",
            facts,
        )
    connection.commit()
    return items


def cleared(connection: "psycopg.Connection[tuple[object, ...]]", items: Sequence[UUID], runs: Sequence[str]) -> None:
    """As if nothing had been measured."""
    connection.execute("DELETE FROM runs WHERE id = ANY(%s::uuid[])", (list(runs),))
    connection.execute("DELETE FROM facts WHERE item_id = ANY(%s)", (list(items),))
    connection.commit()


def host_run(place: Place, http: httpx.Client, host: psutil.Process) -> tuple[str, int, float, float]:
    """One run by the host: its id, rows, seconds and the most memory (MB) it had on the way."""
    now = datetime.now(UTC)
    body = {"job": "rescore", "window": f"{(now - timedelta(seconds=1)).isoformat()}/{now.isoformat()}"}
    run = http.post("/api/batch/runs", json=body).raise_for_status().json()
    most = 0.0
    while run["state"] in ("waiting", "running"):
        time.sleep(0.2)
        most = max(most, memory_mb(host))
        run = http.get(f"/api/batch/runs/{run['id']}").raise_for_status().json()
        sys.stderr.write(f"progress state={run['state']} done={run['done']} total={run['total']}\n")
    began, ended = (datetime.fromisoformat(run[name]) for name in ("started_at", "finished_at"))
    if run["state"] != "done":
        raise SystemExit(f"bench: the run failed: {run['error']} {run['failures']}")
    return run["id"], run["done"], (ended - began).total_seconds(), most


def memory_mb(host: psutil.Process) -> float:
    """Of the host and the process that does the run."""
    total = 0
    for process in (host, *host.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            total += process.memory_info().rss
    return total / 1e6


def bare_loop(root: Path, models: Path, ids: Sequence[str], rows: int) -> float:
    """Rows a second of read, decode, one batch a model, and nothing else."""
    import onnxruntime

    encode = {name: import_module(f"models.{name}.features").encode for name in (PICTURE, TEXT)}
    sessions = {name: onnxruntime.InferenceSession(str(newest(models / name)), _options()) for name in encode}
    text = f"{TITLE}\n{DESCRIPTION}".encode()
    files = [root / "pictures" / name[:2] / name / "original" for name in ids]
    began = time.perf_counter()
    with ThreadPoolExecutor(WORKERS) as pool:
        for at in range(0, rows, CHUNK):
            chunk = range(at, min(at + CHUNK, rows))
            seen = list(pool.map(lambda place: encode[PICTURE](files[place % len(files)].read_bytes()), chunk))
            read = list(pool.map(lambda _: encode[TEXT](text), chunk))
            for name, encoded in ((PICTURE, seen), (TEXT, read)):
                sessions[name].run(None, {key: np.concatenate([one[key] for one in encoded]) for key in encoded[0]})
    return rows / (time.perf_counter() - began)


def _options() -> object:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return options


def newest(folder: Path) -> Path:
    """The ONNX file that serves, in a host's cache."""
    return folder / (folder / "champion").read_text().strip() / "model.onnx"


def measure(place: Place, rows: int) -> tuple[str, list[Bound]]:
    """The table, and the bounds."""
    volumes = place.state / "volumes"
    ids = pictures(volumes / "files")
    host = psutil.Process(pid_of(place, "inference-batch"))
    found, runs, items = [], [], []
    with (
        httpx.Client(base_url=place.url, headers=place.headers, timeout=30) as http,
        psycopg.connect(place.database) as db,
    ):
        db.execute("SET search_path = inference_batch")
        try:
            for count in (rows, 10 * rows):
                items += fill(db, ids, count)
                run, done, seconds, most = host_run(place, http, host)
                runs.append(run)
                bare = bare_loop(volumes / "files", volumes / "models-batch", ids, min(count, 1000))
                found.append((count, done / seconds, bare, most))
        finally:
            cleared(db, items, runs)
    cells = [
        [f"{n:,}", f"{rate:.1f}", f"{bare:.1f}", f"{rate / bare:.2f}", f"{most:.0f}"] for n, rate, bare, most in found
    ]
    shown = table(("rows", "host rows/s", "bare loop rows/s", "ratio", "memory MB (most)"), cells)
    return shown, [
        Bound("batch beside the bare batched loop", found[-1][1] / found[-1][2], 0.85),
        Bound("memory with ten times the rows", found[-1][3] / found[0][3], 1.1, most=True),
    ]


def pid_of(place: Place, name: str) -> int:
    """The process of a service."""
    told = subprocess.run(
        ["scripts/status", "--json"],
        env={**os.environ, "STATE_DIR": str(place.state), "PORT": str(place.port)},
        text=True,
        capture_output=True,
        check=True,
    )
    processes = json.loads(told.stdout)["services"]
    return next(int(process["pid"]) for process in processes if process["name"] == name)


def operator(url: str, accounts: Path) -> dict[str, str]:
    """Only operators may run a job."""
    account = next(one for one in json.loads(accounts.read_text()) if "operator" in one["roles"])
    form = {"grant_type": "password", "username": account["name"], "password": account["password"]}
    answer = httpx.post(f"{url}/api/identity/token", data=form).raise_for_status()
    return {"authorization": f"Bearer {answer.json()['access_token']}"}


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every bound was kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_platform(parser)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--page", type=Path, help="write the table into this Markdown page")
    given = parser.parse_args(arguments)
    pinned(given.cores)
    state = Path(os.environ.get("STATE_DIR", ".state")).absolute()
    headers = operator(given.platform, given.accounts)
    place = Place(given.platform, state, int(os.environ.get("PORT", "8080")), headers)
    shown, bounds = measure(place, given.rows)
    print(shown, *bounds, sep="\n")
    if given.page:
        markdown(given.page, "batch", [f"{machine(given.cores)}.", shown, *map(str, bounds)])
    return 0 if all(bound.kept for bound in bounds) else 1


if __name__ == "__main__":
    sys.exit(main())
