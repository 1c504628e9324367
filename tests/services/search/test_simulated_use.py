"""Made-up people use the real search over its API: what they do arrives as theirs, and its default order is known."""

from dataclasses import dataclass, field

from models.labels import CATEGORIES
from pipelines.simulate import measuring
from pipelines.simulate.acting import Seen, act, plan, visit
from pipelines.simulate.remote import Api, RemotePlatform
from pipelines.simulate.world import Nature, Person, World
from services.chassis.ids import new_id
from tests import tokens
from tests.services.search.library import Library


@dataclass
class WithoutItems(RemotePlatform):
    """Likes are told to items, which is not here."""

    liked: list[str] = field(default_factory=list)

    async def like(self, person: Person, item_id: str) -> None:
        self.liked.append(item_id)


async def used(library: Library) -> tuple[World, WithoutItems, list[Seen], list[Seen]]:
    world = World(Nature(seed=4))
    people = [world.person(number) for number in range(4)]
    for at in range(40):
        label = CATEGORIES[at % 4]
        await library.publish(label.ja if at % 3 else f"A {label.en}", category=label.name, likes=at % 5)
    platform = WithoutItems(Api(library.http))
    for person in people:
        platform.tokens[person.number] = tokens.token(sub=new_id(), name=person.name, simulated=True)
    seen = await act(world, platform, plan(world, people, 6), "use")
    return world, platform, seen, await visit(world, platform, people, "use", 12)


async def test_what_simulated_people_do_arrives_as_theirs(library: Library) -> None:
    _, platform, seen, shelves = await used(library)
    while await library.service.relay().send_due():
        pass
    shown, acted = (library.bus.events(name) for name in ("search.shown", "search.acted"))
    assert all(event.data["simulated"] for event in [*shown, *acted])
    assert len(shown) == len(seen) + len(shelves)
    done = [event.data["action"] for event in acted]
    everything = [*seen, *shelves]
    assert done.count("click") == sum(one.clicks for one in everything) > 5
    assert done.count("long_view") == sum(one.long_views for one in everything) > 0
    assert len(platform.liked) == sum(one.likes for one in everything)
    assert platform.shown == sum(len(one.answer.results) for one in everything)


async def test_the_default_order_is_told_from_a_page_alone(library: Library) -> None:
    """So a report can say what the same results would be worth in it, whoever ordered them."""
    world, _, seen, _ = await used(library)
    assert {one.answer.ranker for one in seen} == {"default"}
    rated = [one for one in seen if len(one.answer.results) > 1]
    assert len(rated) > 5
    for one in rated:
        served, default = (measuring.ndcg(world, one, measuring.ORDERS[name]) for name in ("served", "default"))
        assert served == default
