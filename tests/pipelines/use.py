"""A log of use for tests of the rankers' pipelines: made-up people on a platform in memory."""

import asyncio

from pipelines.simulate.acting import act, plan, visit
from pipelines.simulate.memory import MemoryPlatform
from pipelines.simulate.world import Nature, World


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
