"""The closed loop: people use a platform, it learns from that, and the same people ask the same again."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from pipelines.card import table
from pipelines.evaluation import Interval
from pipelines.simulate import measuring
from pipelines.simulate.acting import Platform, Seen, act, plan, visit
from pipelines.simulate.measuring import ORDERS, ByPerson
from pipelines.simulate.world import Person, World

SHELF = 12
GROUPS = ("ranker", "default")


@dataclass(frozen=True)
class Sizes:
    """How much is done."""

    rounds: int  # of use before the platform learns
    searches: int  # of everybody in a round; each round ends with a look at what is chosen for them
    judged: int  # searches of everybody by which orders are judged, before and after
    at_once: int = 1

    @property
    def pages(self) -> int:
        """Asked for by each person, in all."""
        return self.rounds * (self.searches + 1) + 2 * (self.judged + 1)


@dataclass(frozen=True)
class Round:
    """What everybody was shown, and did."""

    searches: list[Seen]
    shelves: list[Seen]


@dataclass(frozen=True)
class Loop:
    """The same wishes before the platform learnt and after; the chance of what people do is the same, too."""

    before: Round
    after: Round


async def run(
    world: World,
    platform: Platform,
    people: Sequence[Person],
    sizes: Sizes,
    learn: Callable[[], Awaitable[None]],
    done: Callable[[], None] = lambda: None,
) -> Loop:
    """Use, judge, learn, judge again."""

    async def turn(name: str, searches: int) -> Round:
        wishes = plan(world, people, searches, name)
        seen = await act(world, platform, wishes, name, at_once=sizes.at_once, done=done)
        shelves = await visit(world, platform, people, name, SHELF, at_once=sizes.at_once, done=done)
        return Round(seen, shelves)

    for number in range(sizes.rounds):
        await turn(f"round {number}", sizes.searches)
    before = await turn("judged", sizes.judged)
    await learn()
    return Loop(before, await turn("judged", sizes.judged))


def truth(world: World, pages: Sequence[Seen], order: str, group: str | None = None) -> ByPerson:
    """NDCG@10 of an order by the hidden truth, of everybody or of a group."""
    chosen = measuring.of_group(pages, group) if group else pages
    return measuring.by_person((one, measuring.ndcg(world, one, ORDERS[order])) for one in chosen)


def gains(world: World, loop: Loop, group: str) -> Interval:
    """How much the served order's NDCG@10 rose in a group, on the same wishes."""
    return measuring.gain(*(truth(world, one.searches, "served", group) for one in (loop.before, loop.after)))


def shelves(world: World, loop: Loop, group: str) -> tuple[ByPerson, ByPerson]:
    """NDCG@10 of what is shown without a question, beside the best of everything there is; before and after."""
    everything = measuring.catalogue([*loop.before.searches, *loop.after.searches, *loop.after.shelves]).values()
    rounds = (measuring.of_group(one.shelves, group) for one in (loop.before, loop.after))
    before, after = (
        measuring.by_person((one, measuring.of_all(world, one, everything)) for one in pages) for pages in rounds
    )
    return before, after


def report(world: World, loop: Loop) -> str:
    """Before and after, in tables."""
    parts = [_ordered(loop), _searches(world, loop), _shelves(world, loop), _orders(world, loop), _clicks(loop)]
    return "\n\n".join(parts)


def _ordered(loop: Loop) -> str:
    """Where a model was late or had no history to go by, the default order answered, and that is no learning."""
    rows = [
        (name, when, *(f"{sum(one.answer.ranker != 'default' for one in pages)} of {len(pages)}" for pages in groups))
        for name, kind in (("search", "searches"), ("for you", "shelves"))
        for when, each in (("before", loop.before), ("after", loop.after))
        for groups in [[measuring.of_group(getattr(each, kind), group) for group in GROUPS]]
    ]
    return "Pages that a model ordered\n\n" + table(("", "", *(f"group {group}" for group in GROUPS)), rows)


def _searches(world: World, loop: Loop) -> str:
    rated = {
        group: [truth(world, one.searches, "served", group) for one in (loop.before, loop.after)] for group in GROUPS
    }
    return "NDCG@10 of served results, by the hidden truth, on the same searches\n\n" + _rose(rated)


def _shelves(world: World, loop: Loop) -> str:
    rated = {group: shelves(world, loop, group) for group in GROUPS}
    return 'NDCG@10 of "for you", beside the best of everything there is\n\n' + _rose(rated)


def _rose(rated: Mapping[str, Sequence[ByPerson]]) -> str:
    rows = [
        (
            group,
            len(before),
            str(measuring.mean(before)),
            str(measuring.mean(after)),
            str(measuring.gain(before, after)),
        )
        for group, (before, after) in rated.items()
        if before and after
    ]
    return table(("group", "people", "before", "after", "difference"), rows)


def _orders(world: World, loop: Loop) -> str:
    pages = measuring.of_group(loop.after.searches, "ranker")
    served = truth(world, pages, "served")
    if not served:
        return "Nobody is in the ranker's group."
    rows = []
    for order in ORDERS:
        other = truth(world, pages, order)
        ahead = "" if order == "served" else str(measuring.gain(other, served))
        rows.append((order, str(measuring.mean(other)), ahead))
    head = ("order of the ranker group's results, after", "NDCG@10", "served is ahead by")
    return "The same pages in other orders\n\n" + table(head, rows)


def _clicks(loop: Loop) -> str:
    rows = []
    for name, kind in (("search", "searches"), ("for you", "shelves")):
        for when, each in (("before", loop.before), ("after", loop.after)):
            pages = {group: measuring.of_group(getattr(each, kind), group) for group in GROUPS}
            if not all(pages.values()):
                continue
            rates = {group: measuring.ctr(pages[group]) for group in GROUPS}
            told = [f"{rates[group].interval} of {rates[group].impressions}" for group in GROUPS]
            rows.append((name, when, *told, str(measuring.ctr_gain(pages["default"], pages["ranker"]))))
    head = ("", "", "CTR, group ranker", "CTR, group default", "difference")
    return "Clicks of what was shown, by group of the A/B test\n\n" + table(head, rows)
