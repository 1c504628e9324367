"""A source tree with pipelines that are made in a second, and a registry that sees what they made."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from services.chassis.service import Service
from services.trainer.main import build
from tests.conftest import MakeBackends, MakeDatabase

STAGE = """\
import os, pathlib, sys
name, stage = sys.argv[1:]
print(f"progress model={name} stage={stage} done=0 total=2 what=working", flush=True)
here = pathlib.Path(f"data/{name}")
here.mkdir(parents=True, exist_ok=True)
with open(f"data/{name}.log", "a") as log:
    log.write(stage + chr(10))
trouble = pathlib.Path(f"models/{name}.{stage}.txt")
if trouble.is_file():
    trouble.write_text(left := trouble.read_text()[1:])
    left or trouble.unlink()
    sys.exit(f"{stage} does not want to")
if stage == "register":
    print(f"registered model={name} version=1 model_sha256=0")
pathlib.Path(f"data/{name}/{stage}").write_text(pathlib.Path("models/word.txt").read_text())
print(f"progress model={name} stage={stage} done=2 total=2 what=working", flush=True)
"""

PIPELINE = """\
stages:
  train:
    wdir: ../..
    cmd: python pipelines/stage.py {name} train
    deps: [models/word.txt, {reads}]
    outs: [data/{name}/train]
  register:
    wdir: ../..
    cmd: python pipelines/stage.py {name} register
    deps: [data/{name}/train]
    outs: [data/{name}/register]
    always_changed: true
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two pipelines that have nothing to do with each other, and one that reads what the first makes."""
    root = tmp_path / "source"
    (root / "models").mkdir(parents=True)
    (root / "models" / "word.txt").write_text("one")
    for name, reads in (("toy", "pipelines/stage.py"), ("other", "pipelines/stage.py"), ("later", "data/toy/train")):
        (root / "pipelines" / name).mkdir(parents=True)
        (root / "pipelines" / name / "dvc.yaml").write_text(PIPELINE.format(name=name, reads=reads))
    (root / "pipelines" / "stage.py").write_text(STAGE)
    (root / "requirements" / "npm" / "node_modules").mkdir(parents=True)
    return root


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Where the trainer works."""
    return tmp_path / "workspace"


@pytest.fixture
def registry(workspace: Path) -> httpx.MockTransport:
    """An MLflow in which a model has a champion as soon as its register stage has run."""

    def answer(request: httpx.Request) -> httpx.Response:
        name = request.url.params["name"]
        if not (workspace / "data" / name / "register").is_file():
            return httpx.Response(404)
        return httpx.Response(200, json={"model_version": {"version": "1", "run_id": "r", "tags": []}})

    return httpx.MockTransport(answer)


@pytest.fixture
async def trainer(
    source: Path,
    workspace: Path,
    registry: httpx.MockTransport,
    database: MakeDatabase,
    backends: MakeBackends,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Service]:
    """`trainer("toy")`: the service, with these models required."""
    pool = await database("trainer")

    def made(*required: str) -> Service:
        monkeypatch.setenv("SOURCE_DIR", str(source))
        monkeypatch.setenv("TRAINER_WORKSPACE", str(workspace))
        monkeypatch.setenv("REQUIRED_MODELS", ",".join(required))
        return build(backends(database=pool, transport=registry))

    return made
