"""A log of use for tests of the rankers' pipelines: made-up people on a platform in memory."""

import asyncio
import shutil
from contextlib import chdir
from importlib import import_module
from pathlib import Path

from pipelines.simulate.acting import act, plan, visit
from pipelines.simulate.memory import MemoryPlatform
from pipelines.simulate.world import Nature, World
from tests.platform import ROOT

STAGES = ("prepare", "train", "evaluate")


def used(people: int, rounds: int, searches: int, seed: int = 1) -> MemoryPlatform:
    """A platform that people have searched and been shown something for so many rounds."""
    world = World(Nature(seed=seed))
    platform = MemoryPlatform(world)
    everybody = [world.person(number) for number in range(people)]

    async def use() -> None:
        for number in range(rounds):
            await act(world, platform, plan(world, everybody, searches, f"round {number}"), f"round {number}")
            await visit(world, platform, everybody, f"round {number}", 12)

    asyncio.run(use())
    return platform


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
    return folder / "data" / name
