"""The ranker orders the first window for those of its group, and nobody waits for it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import numpy as np
import pytest

from models.search_ranking.features import NAMES, logged
from services.chassis.ids import new_id
from services.contracts import CloudEvent, Impression, SearchActed, SearchShown
from services.search.finding import Finder
from services.search.main import SearchSettings, build, ordering_of
from services.search.ordering import Ordering
from services.search.profiles import Question
from services.search.ranking import DEFAULT, RANKER, Experiment
from services.search.words import Words
from tests.services.search.library import START, Library

Header = Callable[..., dict[str, str]]
Tensors = dict[str, Any]


def by(name: str, sign: float = 1.0) -> Callable[[Tensors], Tensors]:
    """A ranker that orders by one feature alone."""

    def score(given: Tensors) -> Tensors:
        rows = np.array(given["features"]["data"], np.float32).reshape(given["features"]["shape"])
        scores = sign * rows[:, NAMES.index(name)]
        return {"name": "score", "datatype": "FP32", "shape": [len(rows), 1], "data": scores.tolist()}

    return score


def somebody(group: str) -> UUID:
    """A user of that group, as the settings deal them."""
    experiment = Experiment("ranking", SearchSettings().ranker_share)
    return next(one for one in iter(new_id, None) if experiment.group(one) == group)


async def cats(library: Library, count: int) -> list[UUID]:
    return [await library.publish(f"cat {at}", category="cat", likes=at) for at in range(count)]


async def ask(library: Library, header: dict[str, str], **parameters: Any) -> dict[str, Any]:
    answer = await library.http.get("/api/search", params=parameters, headers=header)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def likes(page: dict[str, Any]) -> list[int]:
    return [document["likes"] for document in page["results"]]


async def test_orders_for_its_group(library: Library, signed_in: Header) -> None:
    await cats(library, 5)
    library.neighbours.models["search_ranking"] = by("likes", -1)
    default = await ask(library, signed_in(sub=somebody(DEFAULT)), category="cat")
    assert (default["ranker"], default["group"], likes(default)) == ("default", "default", [4, 3, 2, 1, 0])
    ranked = await ask(library, signed_in(sub=somebody(RANKER)), category="cat")
    assert (ranked["ranker"], ranked["group"], likes(ranked)) == ("search_ranking", "ranker", [0, 1, 2, 3, 4])
    nobody = await ask(library, {}, category="cat")
    assert (nobody["ranker"], nobody["group"], likes(nobody)) == ("default", None, [4, 3, 2, 1, 0])


async def test_newest_means_newest(library: Library, signed_in: Header) -> None:
    await cats(library, 3)
    library.neighbours.models["search_ranking"] = by("likes", -1)
    assert likes(await ask(library, signed_in(sub=somebody(RANKER)))) == [2, 1, 0]


@pytest.mark.parametrize(("q", "relaxed"), [("kitten", "broader"), ("kittne", "respelt")])
async def test_what_was_asked_for_stays_before_what_a_wider_search_adds(
    library: Library, signed_in: Header, q: str, relaxed: str
) -> None:
    """Few items are a kitten: other cats follow them, however much the ranker likes those."""
    await cats(library, 6)
    await library.publish("子猫", category="cat", likes=0)
    await library.publish("my kitten", category="cat", likes=1)
    library.neighbours.models["search_ranking"] = by("likes")
    header = signed_in(sub=somebody(RANKER))
    first = await ask(library, header, q=q, limit=3)
    assert (first["ranker"], first["relaxed"]) == ("search_ranking", relaxed)
    assert [document["title"] for document in first["results"]] == ["my kitten", "子猫", "cat 5"]
    second = await ask(library, header, q=q, limit=3, cursor=first["next"])
    assert likes(second) == [4, 3, 2]


async def test_pages_are_stable(library: Library, signed_in: Header) -> None:
    """Likes, removals and new items between two pages neither repeat nor leave out; behind the window goes on."""
    ids = await cats(library, 70)
    header = signed_in(sub=somebody(RANKER))
    library.neighbours.models["search_ranking"] = by("likes", -1)
    first = await ask(library, header, category="cat", limit=25)
    await library.like(ids[69], 0, sequence=5)
    await library.publish("a newer cat", category="cat")
    await library.remove(ids[36])
    second = await ask(library, header, category="cat", limit=25, cursor=first["next"])
    third = await ask(library, header, category="cat", limit=25, cursor=second["next"])
    fourth = await ask(library, header, category="cat", limit=25, cursor=third["next"])
    assert likes(first) == list(range(10, 35))
    assert likes(second) == [at for at in range(35, 60) if at != 36]
    assert likes(third) == [*range(60, 69), 0]
    assert (second["ranker"], third["ranker"], fourth["ranker"]) == ("search_ranking", "search_ranking", "default")
    assert (likes(fourth), fourth["next"]) == (list(range(9, -1, -1)), None)


async def test_a_cursor_belongs_to_its_query(library: Library, signed_in: Header) -> None:
    await cats(library, 5)
    library.neighbours.models["search_ranking"] = by("likes")
    header = signed_in(sub=somebody(RANKER))
    page = await ask(library, header, category="cat", limit=2)
    answer = await library.http.get("/api/search", params={"q": "dog", "cursor": page["next"]}, headers=header)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "query.cursor"


async def test_a_late_ranker_costs_no_more_than_its_time_and_then_nothing(library: Library, signed_in: Header) -> None:
    await cats(library, 3)
    library.neighbours.slow = True
    header = signed_in(sub=somebody(RANKER))
    pages = [await ask(library, header, category="cat") for _ in range(5)]
    assert [(page["ranker"], page["group"], likes(page)) for page in pages] == [("default", "ranker", [2, 1, 0])] * 5
    assert library.neighbours.asked.count("/v2/models/search_ranking/infer") == 3


async def test_a_default_answer_is_no_order(library: Library, signed_in: Header) -> None:
    await cats(library, 3)
    library.neighbours.models["search_ranking"] = by("likes", -1)
    library.neighbours.served_by = "default"
    page = await ask(library, signed_in(sub=somebody(RANKER)), category="cat")
    assert (page["ranker"], likes(page)) == ("default", [2, 1, 0])


async def test_switched_off_nobody_is_asked(
    library: Library, signed_in: Header, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANKER", "none")
    await cats(library, 3)
    library.neighbours.models["search_ranking"] = by("likes", -1)
    service = build(library.service.backends)
    transport = httpx.ASGITransport(service.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
        answer = await http.get("/api/search?category=cat", headers=signed_in(sub=somebody(RANKER)))
    assert (answer.json()["ranker"], answer.json()["group"]) == ("default", None)
    assert "/v2/models/search_ranking/infer" not in library.neighbours.asked


async def test_logged_features_are_the_served_ones_byte_for_byte(library: Library, signed_in: Header) -> None:
    """What goes to the model, what is logged, through the event's JSON, and what training makes of it."""
    sent: list[bytes] = []
    order = by("likes", -1)

    def spy(given: Tensors) -> Tensors:
        sent.append(np.array(given["features"]["data"], np.float32).tobytes())
        return order(given)

    library.neighbours.models["search_ranking"] = spy
    ids = await cats(library, 7)
    user = somebody(RANKER)
    await use(library, user, ids, clicked=ids[2])
    search = ordering(library)
    caller = library.service.app.state.verifier.caller(signed_in(sub=user)["Authorization"].split()[1])
    page = await search.page(Question("cat", None, caller), 5, None)
    rest = await search.page(Question("cat", None, caller), 5, page.results.next)
    shown = [*page.ranking.placed, *rest.ranking.placed]
    event = CloudEvent.of(page_shown(user, shown), source="/search")
    kept = SearchShown.model_validate(CloudEvent.model_validate_json(event.model_dump_json()).data).impressions
    kept.sort(key=lambda impression: impression.default_position)
    fresh = NAMES.index("fresh")
    rows = logged([impression.features for impression in kept])
    served = np.frombuffer(sent[0], np.float32).reshape(7, -1)
    for one in page.ranking.placed:
        at = one.default_position - 1
        assert rows[at].tobytes() == served[at].tobytes()
    stays = [at for at in range(len(NAMES)) if at != fresh]
    assert rows[:, stays].tobytes() == served[:, stays].tobytes()  # a later page is a little older, and the same else
    assert rows[:, NAMES.index("known")].max() > 0


def ordering(library: Library) -> Ordering:
    """What the routes of this service answer with."""
    backends = library.service.backends
    return ordering_of(
        library.service, SearchSettings(), Finder(backends.database), Words(backends.http, "http://texts")
    )


def page_shown(user: UUID, shown: list[Any]) -> SearchShown:
    impressions = [
        Impression(
            item_id=one.document.item_id,
            position=one.position,
            default_position=one.default_position,
            score=one.score,
            features=dict(one.features),
        )
        for one in shown
    ]
    return SearchShown(
        search_id=new_id(), subject=user, mode="text", query="cat", category=None, impressions=impressions,
        shown_at=START,
    )  # fmt: skip


async def use(
    library: Library, user: UUID | None, ids: list[UUID], *, clicked: UUID, simulated: bool = False
) -> list[CloudEvent]:
    """Somebody is shown these items and clicks one."""
    now, search = datetime.now(UTC), new_id()
    impressions = [Impression(item_id=one, position=at, default_position=at) for at, one in enumerate(ids, 1)]
    shown = SearchShown(
        search_id=search, subject=user, simulated=simulated, mode="text", query="cat", category=None,
        impressions=impressions, shown_at=now,
    )  # fmt: skip
    at = ids.index(clicked) + 1
    click = SearchActed(
        search_id=search, subject=user, simulated=simulated, action="click", item_id=clicked, position=at, acted_at=now
    )
    return [await library.hear(shown), await library.hear(click)]


async def features_of(library: Library, user: UUID, header: dict[str, str]) -> dict[UUID, dict[str, float]]:
    caller = library.service.app.state.verifier.caller(header["Authorization"].split()[1])
    page = await ordering(library).page(Question("", "cat", caller), 20, None)
    return {one.document.item_id: dict(one.features) for one in page.ranking.placed}


async def test_use_is_counted_once_and_low_places_count_less(library: Library, signed_in: Header) -> None:
    ids = await cats(library, 3)
    user = somebody(DEFAULT)
    events = await use(library, user, ids, clicked=ids[1])
    before = await features_of(library, user, signed_in(sub=user))
    for event in events:
        await library.hear_again(event)
    after = await features_of(library, user, signed_in(sub=user))
    of = {name: [round(after[one][name], 5) for one in ids] for name in ("seen", "rate", "known")}
    assert of["seen"] == [round(before[one]["seen"], 5) for one in ids]
    assert of["seen"][0] > of["seen"][1] > of["seen"][2] > 0
    assert of["rate"][1] > 0 > of["rate"][2] > of["rate"][0]
    assert of["known"] == [0, round(1 / 3, 5), 0]


async def test_people_never_see_what_programs_did(library: Library, signed_in: Header) -> None:
    ids = await cats(library, 3)
    await use(library, new_id(), ids, clicked=ids[1], simulated=True)
    person = somebody(DEFAULT)
    seen = [row["seen"] for row in (await features_of(library, person, signed_in(sub=person))).values()]
    assert seen == [0, 0, 0]
