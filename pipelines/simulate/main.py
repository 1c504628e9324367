"""Show that the platform learns from use: made-up people use it, it trains its rankers, they use it again.

    scripts/simulate [--people N] [--rounds N] [--searches N] [--judged N] [--items N] [--seed N]
                     [--platform URL] [--accounts FILE] [--registry URL] [--in-memory]

Everything goes through the public API, by accounts that are marked as simulated. Prints NDCG@10 by the hidden truth
before and after, on the same searches, and the rate of clicks by group of the A/B test, with 95 % intervals.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from pipelines.platform_client import NoPlatform, accounts_file
from pipelines.simulate import loop
from pipelines.simulate.learning import NotLearnt, learn, stored
from pipelines.simulate.loop import Sizes
from pipelines.simulate.rehearsal import rehearsed
from pipelines.simulate.remote import Api, RemotePlatform, Unexpected
from pipelines.simulate.world import Nature, Person, World

MODELS = ("search_ranking", "for_you")
TIMEOUT_SECONDS = 60.0


def main() -> int:
    """Run it; 1 when the platform did not learn."""
    options = arguments()
    try:
        print(asyncio.run(simulated(options)))
    except (Unexpected, NotLearnt, httpx.TransportError) as problem:
        print(f"simulate: {problem}", file=sys.stderr)
        return 1
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/simulate", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--platform", default="http://127.0.0.1:8080", metavar="URL", help="default: %(default)s")
    parser.add_argument("--accounts", type=Path, default=accounts_file(), metavar="FILE", help="default: %(default)s")
    parser.add_argument("--in-memory", action="store_true", help="a rehearsal, without a platform that runs")
    parser.add_argument("--registry", metavar="URL", help="MLflow; there a model that is not the first is promoted")
    parser.add_argument("--people", type=int, default=60, metavar="N", help="who take part (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=4, metavar="N", help="of use, to learn from (%(default)s)")
    parser.add_argument("--searches", type=int, default=2, metavar="N", help="of everybody in a round (%(default)s)")
    parser.add_argument("--judged", type=int, default=3, metavar="N", help="of everybody, to judge by (%(default)s)")
    parser.add_argument("--items", type=int, default=0, metavar="N", help="registered first (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="who they are (default: %(default)s)")
    parser.add_argument("--at-once", type=int, default=4, metavar="N", help="requests under way (%(default)s)")
    return parser.parse_args()


async def simulated(options: argparse.Namespace) -> str:
    """The report."""
    world = World(Nature(seed=options.seed))
    people = [world.person(number) for number in range(options.people)]
    sizes = Sizes(options.rounds, options.searches, options.judged, options.at_once)
    told = counted(sizes.pages * len(people))
    if options.in_memory:
        return f"\n{loop.report(world, await rehearsed(world, people, sizes, told))}"
    began, since = time.monotonic(), datetime.now(UTC)
    limits = httpx.Limits(max_connections=options.at_once + 2)
    async with httpx.AsyncClient(
        base_url=options.platform, timeout=TIMEOUT_SECONDS, limits=limits, trust_env=False
    ) as http:
        api = Api(http)
        operator = await api.sign_in(*account(options.accounts, "operator"))
        platform = RemotePlatform(api)
        await platform.enter(people, options.at_once)
        say(f"{len(people)} people have signed up")
        if options.items:
            await register(platform, people, options)

        async def learnt() -> None:
            say(f"{platform.shown} results shown; waiting for the warehouse")
            await stored(api, operator, since, platform.shown)
            await learn(api, operator, MODELS, once(), options.registry)

        ended = await loop.run(world, platform, people, sizes, learnt, told)
    took = time.monotonic() - began
    return f"\n{loop.report(world, ended)}\n\n{len(people)} people, {platform.shown} results shown, {took:.0f} s"


async def register(platform: RemotePlatform, people: list[Person], options: argparse.Namespace) -> None:
    """Items with drawn pictures, half of them in Japanese, by everybody in turn."""
    from pipelines.seed_items import draw

    drawing = draw.Params(1000 + options.seed, options.items, 480, 360, 256, len(people))
    turn = asyncio.Semaphore(options.at_once)

    async def one(number: int, line: dict[str, Any], picture: bytes) -> str:
        async with turn:
            owner = people[number % len(people)]
            item = await platform.register(owner, picture, line["title"], line["description"])
            return str(item["state"])

    wanted = [order for order in draw.orders(drawing) if order.violation == "ok"]
    lines = list(await asyncio.to_thread(lambda: list(draw.draw_all(wanted, drawing))))
    states = await asyncio.gather(*(one(number, *line) for number, line in enumerate(lines)))
    say(f"{len(states)} items registered, {states.count('published')} published")


def account(file: Path, role: str) -> tuple[str, str]:
    """Name and password of a demo account."""
    if not file.is_file():
        raise NoPlatform(f"{file} is missing: start the platform (scripts/up) or give --accounts")
    known: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
    found = next(one for one in known if role in one["roles"])
    return found["name"], found["password"]


def counted(total: int) -> Callable[[], None]:
    """Says now and then how many pages have been used."""
    steps: Iterator[int] = iter(range(1, total + 1))

    def done() -> None:
        number = next(steps, total)
        if number == total or number % max(1, total // 20) == 0:
            say(f"{number} of {total} pages used")

    return done


def once() -> Callable[[str], None]:
    """Says a line that is new."""
    last = ""

    def told(line: str) -> None:
        nonlocal last
        if line != last:
            say(line)
        last = line

    return told


def say(line: str) -> None:
    """Progress goes beside the report."""
    print(f"simulate: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
