"""Attributes rank what is found and leave nothing out; what nobody knows stands in between."""

from typing import Any

import pytest

from services.contracts import Attributes
from services.search.attributes import Wanted, every, shown
from tests.services.search.library import Library

DARK_CATS: dict[str, Any] = {"count": 3, "brightness": "dark", "place": "outdoors"}


def showing(count: int = 1, **said: Any) -> Attributes:
    """What a detector noticed."""
    values: dict[str, Any] = {"objects": [], "where": ["centre"], "brightness": "medium", "place": None}
    return Attributes.model_validate(values | {"count": count} | said)


async def stock(library: Library) -> None:
    """Cats that are more and more what is wanted, the best one the oldest."""
    await library.publish("best", category="cat", attributes=showing(**DARK_CATS, where=["left"]))
    await library.publish("nearly so", category="cat", attributes=showing(**DARK_CATS | {"count": 7}))
    await library.publish("nobody looked", category="cat")
    await library.publish("bright and alone", category="cat", attributes=showing(brightness="bright", place="indoors"))
    await library.publish("dogs", category="dog", attributes=showing(**DARK_CATS))


@pytest.mark.parametrize(
    "q", ["猫 3匹 暗い 外", "three cats, dark, outside", "３匹の猫 暗い 外", "cats 3 dark outdoors", "暗い外に猫が三匹"]
)
async def test_what_is_as_wanted_comes_first_and_everything_else_is_still_there(library: Library, q: str) -> None:
    await stock(library)
    found = await library.search(q)
    titles = [document["title"] for document in found["results"]]
    assert titles == ["best", "nearly so", "nobody looked", "bright and alone"]
    assert found["relaxed"] is None
    assert {name: found["attributes"][name] for name in DARK_CATS} == DARK_CATS
    assert [document["has"] for document in found["results"]] == [
        ["count", "brightness", "place"], ["brightness", "place"], [], [],
    ]  # fmt: skip


async def test_attributes_alone_find_pictures_too(library: Library) -> None:
    await stock(library)
    found = await library.search("暗い 外")
    assert [document["title"] for document in found["results"]][:3] == ["dogs", "nearly so", "best"]
    assert len(found["results"]) == 5
    assert await library.titles("暗い 外", category="dog") == ["dogs"]


async def test_words_that_find_nothing_leave_the_attributes(library: Library) -> None:
    await stock(library)
    found = await library.search("zyxwvut 3匹 暗い")
    assert found["relaxed"] == "attributes"
    assert found["results"][0]["title"] in ("dogs", "best")


async def test_a_misspelt_word_beside_attributes_is_understood(library: Library) -> None:
    await library.publish("Sunflower field", attributes=showing(brightness="bright"))
    await library.publish("Sunflower at night", attributes=showing(brightness="dark"))
    found = await library.search("sunflwoer, dark, outside")
    assert [document["title"] for document in found["results"]] == ["Sunflower at night", "Sunflower field"]
    assert found["relaxed"] == "respelt"


async def test_a_text_that_says_it_counts_as_well(library: Library) -> None:
    await library.publish("暗い部屋の猫")
    await library.publish("猫", description="明るい部屋")
    found = await library.search("猫 暗い")
    assert [document["has"] for document in found["results"]] == [["brightness"], []]
    assert found["results"][0]["title"] == "暗い部屋の猫"


async def test_one_thing_more_is_nearer_than_many_more(library: Library) -> None:
    for count in (3, 4, 8):
        await library.publish(f"#{count}", category="cat", attributes=showing(count))
    assert await library.titles("猫 3匹") == ["#3", "#4", "#8"]
    assert await library.titles("猫 4匹以上") == ["#8", "#4", "#3"]


async def test_a_corner_is_both_of_its_sides(library: Library) -> None:
    await library.publish("corner", category="cat", attributes=showing(where=["left", "top"]))
    await library.publish("elsewhere", category="cat", attributes=showing(where=["right", "bottom"]))
    await library.publish("side", category="cat", attributes=showing(where=["left"]))
    found = await library.search("左上の猫")
    assert [document["title"] for document in found["results"]] == ["corner", "side", "elsewhere"]
    assert [document["has"] for document in found["results"]] == [["where"], [], []]


async def test_what_is_as_wanted_is_found_behind_any_number_of_newer_ones(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    from services.search import finding

    monkeypatch.setattr(finding, "MOST_RANKED", 4)
    monkeypatch.setattr(finding, "NEARLY_RANKED", 2)
    await stock(library)
    await library.publish("暗い夜の猫")
    for letter in "abcdefghij":
        other = showing(brightness="bright", place="indoors")
        await library.publish(f"newer {letter}", category="cat", attributes=other)
    titles = await library.titles("猫 3匹 暗い 外", limit=60)
    assert titles[:3] == ["best", "暗い夜の猫", "nearly so"]
    assert len(titles) == 7


async def test_every_page_is_understood_as_the_first_one(library: Library) -> None:
    await stock(library)
    whole = await library.search("猫 3匹 暗い 外")
    found, cursor = [], ""
    while cursor is not None:
        page = await library.search("猫 3匹 暗い 外", limit=1, cursor=cursor)
        assert page["attributes"] == whole["attributes"]
        found += page["results"]
        cursor = page["next"]
    assert found == whole["results"]


async def test_what_is_removed_says_nothing_of_its_picture(library: Library) -> None:
    item_id = await library.publish("a cat", attributes=showing(3))
    await library.remove(item_id)
    async with library.database.connection() as connection:
        row = await (await connection.execute("SELECT shows::text AS shows FROM documents")).fetchone()
    assert row == {"shows": ""}


async def test_looked_at_again_it_gets_its_attributes(library: Library) -> None:
    item = library.item("a cat")
    await library.hear(item)
    assert (await library.search("cat, dark"))["results"][0]["has"] == []
    await library.hear(item.model_copy(update={"sequence": 4, "attributes": showing(brightness="dark")}))
    assert (await library.search("cat, dark"))["results"][0]["has"] == ["brightness"]


async def test_without_attributes_nothing_is_said_of_them(library: Library) -> None:
    await stock(library)
    found = await library.search("cat")
    assert found["attributes"] is None
    assert {tuple(document["has"]) for document in found["results"]} == {()}


def test_pictures_become_terms() -> None:
    assert shown(None) == ""
    assert shown(showing(2, where=["left", "top"], place="indoors")) == (
        "'count 2':1A 'where left':2A 'where top':3A 'brightness medium':4A 'place indoors':5A"
    )


def test_more_than_the_model_counts_is_the_most_it_counts() -> None:
    assert every(Wanted(count=20).sought()) == "(('count 16'))"
    assert [one.near for one in Wanted(count=20).sought()] == ["('count 15' | 'count 17')"]
