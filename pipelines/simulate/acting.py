"""People who are made up use a platform: they ask, look, click, stay and like, each by their own tastes."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipelines.simulate.world import Person, Shown, Wish, World

PAGE = 60
"""So many results are shown at once: as many as a ranker orders."""


@dataclass(frozen=True)
class Answer:
    """A page of results, and who ordered it."""

    search_id: str
    results: Sequence[Shown]
    ranker: str = "default"
    version: str | None = None
    group: str | None = None


class Platform(Protocol):
    """What people can do; the real one is asked over HTTP, tests have one in memory."""

    async def search(self, wish: Wish, limit: int) -> Answer:
        """A page of results."""

    async def for_you(self, person: Person, limit: int) -> Answer:
        """What is shown without a question."""

    async def click(self, person: Person, answer: Answer, position: int) -> None:
        """Open a result."""

    async def long_view(self, person: Person, answer: Answer, position: int, seconds: float) -> None:
        """Stay there."""

    async def like(self, person: Person, item_id: str) -> None:
        """Like it."""


@dataclass(frozen=True)
class Seen:
    """A page somebody was shown, and how much they did with it."""

    wish: Wish
    answer: Answer
    clicks: int
    long_views: int
    likes: int


def plan(world: World, people: Sequence[Person], searches: int, name: str = "wishes") -> list[Wish]:
    """Who asks for what: everybody the same number of times, in turn; by one name the same each time."""
    dice = {person.number: world.dice(name, person.number) for person in people}
    return [world.wish(person, dice[person.number]) for _ in range(searches) for person in people]


async def act(
    world: World,
    platform: Platform,
    wishes: Sequence[Wish],
    round_name: str,
    *,
    at_once: int = 1,
    done: Callable[[], None] = lambda: None,
) -> list[Seen]:
    """Every wish, some at once; what they do depends on the round's name, not on who is quicker."""
    turn = asyncio.Semaphore(at_once)

    async def one(number: int, wish: Wish) -> Seen:
        async with turn:
            answer = await platform.search(wish, PAGE)
            seen = await used(world, platform, wish, answer, f"{round_name} {number}")
            done()
            return seen

    return list(await asyncio.gather(*(one(number, wish) for number, wish in enumerate(wishes))))


async def visit(
    world: World,
    platform: Platform,
    people: Sequence[Person],
    round_name: str,
    limit: int,
    *,
    at_once: int = 1,
    done: Callable[[], None] = lambda: None,
) -> list[Seen]:
    """Everybody looks at what is chosen for them, and uses it."""
    turn = asyncio.Semaphore(at_once)

    async def one(person: Person) -> Seen:
        async with turn:
            answer = await platform.for_you(person, limit)
            seen = await used(world, platform, Wish(person), answer, f"{round_name} for you {person.number}")
            done()
            return seen

    return list(await asyncio.gather(*(one(person) for person in people)))


async def used(world: World, platform: Platform, wish: Wish, answer: Answer, what: str) -> Seen:
    """What somebody does with a page."""
    person = wish.person
    deeds = world.deeds(person, answer.results, world.dice("deeds", what))
    for deed in deeds:
        await platform.click(person, answer, deed.position)
        if deed.seconds:
            await platform.long_view(person, answer, deed.position, deed.seconds)
        if deed.likes:
            await platform.like(person, deed.shown.item_id)
    long_views, likes = sum(deed.seconds > 0 for deed in deeds), sum(deed.likes for deed in deeds)
    return Seen(wish, answer, len(deeds), long_views, likes)
