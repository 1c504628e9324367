"""`for-you` chooses by a model for those of its group, and shows what is popular where there is none."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from models.for_you.features import number
from services.chassis.ids import new_id
from services.search.main import SearchSettings, build
from services.search.ranking import DEFAULT, RANKER, Experiment
from tests.services.search.library import Library
from tests.services.search.test_ranking import Header, Tensors, use


def somebody(group: str) -> UUID:
    experiment = Experiment("for_you", SearchSettings().for_you_share)
    return next(one for one in iter(new_id, None) if experiment.group(one) == group)


def likes_best(item: UUID) -> Any:
    """A model that puts one item first."""

    def score(given: Tensors) -> Tensors:
        scores = [float(one == number(item)) for one in given["candidates"]["data"]]
        return {"name": "score", "datatype": "FP32", "shape": [1, len(scores)], "data": scores}

    return score


async def shelf(library: Library, header: dict[str, str]) -> dict[str, Any]:
    answer = await library.http.get("/api/search/for-you", headers=header)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(page: dict[str, Any]) -> list[UUID]:
    return [UUID(document["item_id"]) for document in page["results"]]


async def test_who_is_not_signed_in_gets_what_is_popular(library: Library) -> None:
    items = [await library.publish(f"cat {at}") for at in range(4)]
    await use(library, new_id(), items, clicked=items[1])
    page = await shelf(library, {})
    assert (page["ranker"], page["group"], ids(page)[0]) == ("default", None, items[1])


async def test_without_use_the_newest(library: Library, signed_in: Header) -> None:
    first, second = [await library.publish(title) for title in ("one", "two")]
    page = await shelf(library, signed_in(sub=somebody(RANKER)))
    assert (page["ranker"], page["mode"], ids(page)) == ("default", "for_you", [second, first])


async def test_popular_by_default(library: Library, signed_in: Header) -> None:
    items = [await library.publish(f"cat {at}") for at in range(4)]
    await use(library, new_id(), items, clicked=items[1])
    page = await shelf(library, signed_in(sub=somebody(DEFAULT)))
    assert (page["ranker"], page["group"], ids(page)[0]) == ("default", "default", items[1])


async def test_the_model_chooses_among_what_is_new_to_somebody(library: Library, signed_in: Header) -> None:
    user = somebody(RANKER)
    items = [await library.publish(f"cat {at}", category="cat") for at in range(5)]
    own = await library.publish("mine", owner_id=user)
    await use(library, user, items, clicked=items[4])
    library.neighbours.models["for_you"] = likes_best(items[0])
    page = await shelf(library, signed_in(sub=user))
    assert (page["ranker"], page["group"]) == ("for_you", "ranker")
    assert ids(page) == [items[0], items[3], items[2], items[1]]
    assert own not in ids(page)


async def test_who_has_chosen_nothing_costs_no_question(library: Library, signed_in: Header) -> None:
    item = await library.publish("cat")
    library.neighbours.models["for_you"] = likes_best(item)
    assert (await shelf(library, signed_in(sub=somebody(RANKER))))["ranker"] == "default"
    assert "/v2/models/for_you/infer" not in library.neighbours.asked


async def test_switched_off_everybody_sees_what_is_popular(
    library: Library, signed_in: Header, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FOR_YOU=none asks no model; ACTIVATE_FOR_YOU=false lets the host answer its default, which is no choice."""
    user = somebody(RANKER)
    items = [await library.publish(f"cat {at}", category="cat") for at in range(4)]
    await use(library, user, items, clicked=items[3])
    await use(library, new_id(), items, clicked=items[1])
    library.neighbours.models["for_you"] = likes_best(items[0])
    library.neighbours.served_by = "default"
    page = await shelf(library, signed_in(sub=user))
    assert (page["ranker"], page["group"], ids(page)[0]) == ("default", "ranker", items[1])
    monkeypatch.setenv("FOR_YOU", "none")
    library.neighbours.asked.clear()
    transport = httpx.ASGITransport(build(library.service.backends).app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as http:
        answer = (await http.get("/api/search/for-you", headers=signed_in(sub=user))).json()
    assert (answer["ranker"], answer["group"], ids(answer)[0]) == ("default", None, items[1])
    assert library.neighbours.asked == []


async def test_every_page_says_where_its_results_stand(library: Library, signed_in: Header) -> None:
    items = [await library.publish(f"cat {at}", category="cat") for at in range(4)]
    page = await shelf(library, signed_in(sub=somebody(DEFAULT)))
    assert page["positions"] == [1, 2, 3, 4]
    told = {"search_id": page["search_id"], "item_id": str(items[2]), "position": 2, "action": "click"}
    assert (await library.http.post("/api/search/events", json=told)).status_code == 404
    first = (await library.http.get("/api/search", params={"category": "cat", "limit": 3})).json()
    rest = (
        await library.http.get("/api/search", params={"category": "cat", "limit": 3, "cursor": first["next"]})
    ).json()
    assert (first["positions"], rest["positions"]) == ([1, 2, 3], [4])
