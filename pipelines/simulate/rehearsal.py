"""The closed loop on a platform in memory: the same people, pipelines and report, without a running platform."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import chdir
from importlib import import_module
from pathlib import Path

from pipelines import artefact, waiting
from pipelines.simulate import loop
from pipelines.simulate.learning import NotLearnt
from pipelines.simulate.memory import MemoryPlatform
from pipelines.simulate.world import Person, World

ROOT = Path(__file__).parents[2]
STAGES = ("prepare", "train", "evaluate")


async def rehearsed(
    world: World, people: Sequence[Person], sizes: loop.Sizes, done: Callable[[], None] = lambda: None
) -> loop.Loop:
    """Use, judge, learn, judge again; raises NotLearnt when there was too little."""
    platform = MemoryPlatform(world)

    async def learn() -> None:
        with tempfile.TemporaryDirectory() as folder:
            ranker, chooser = (
                artefact.open_session(made(name, workspace(name, Path(folder), platform)) / "model" / artefact.ONNX)
                for name in ("search_ranking", "for_you")
            )
        platform.ranker = lambda rows: ranker.run(["score"], {"features": rows})[0]
        platform.chooser = lambda inputs: chooser.run(["score"], inputs)[0]

    return await loop.run(world, platform, people, sizes, learn, done)


def workspace(name: str, folder: Path, platform: MemoryPlatform) -> Path:
    """Where the pipeline of that name can run on a snapshot of the platform."""
    (folder / "pipelines" / name).mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "pipelines" / name / "params.yaml", folder / "pipelines" / name)
    platform.write(folder / "data" / name / "snapshot")
    return folder


def made(name: str, folder: Path) -> Path:
    """All stages between the snapshot and the registration; the folder `data/NAME`."""
    with chdir(folder):
        for stage in STAGES:
            import_module(f"pipelines.{name}.{stage}").main()
    if why := waiting.why(folder / "data" / name / "model"):
        raise NotLearnt(f"{name}: {why}")
    return folder / "data" / name
