"""By words, by category, by both, newest first; what finds too little is widened step by step."""

from typing import Any

import pytest

from models.labels import CATEGORIES
from tests.services.search.library import Library


@pytest.mark.parametrize("q", ["ねこ", "ネコ", "猫", "ﾈｺ", "ＣＡＴ", "cats", "Cat!!", "ネコちゃん", "にゃんこ"])
async def test_every_spelling_finds_what_is_titled_or_judged_so(library: Library, q: str) -> None:
    for title in ("うちのネコ", "a cat", "三毛猫", "Kitten"):
        await library.publish(title)
    await library.publish("たま", category="cat")
    await library.publish("ポチ", category="dog")
    found = await library.search(q)
    assert {document["title"] for document in found["results"]} == {"うちのネコ", "a cat", "三毛猫", "Kitten", "たま"}
    assert (found["mode"], found["category"], found["relaxed"]) == ("text", "cat", None)


async def test_titles_count_more_than_tags_and_those_more_than_descriptions(library: Library) -> None:
    await library.publish("桜の木")
    await library.publish("春", tags=["sakura"])
    await library.publish("散歩", description="桜を見た")
    assert await library.titles("桜") == ["桜の木", "春", "散歩"]


async def test_equally_good_ones_come_newest_first(library: Library) -> None:
    await library.publish("cat", description="older")
    await library.publish("cat", description="newer")
    assert [document["description"] for document in (await library.search("cat"))["results"]] == ["newer", "older"]


async def test_all_words_are_wanted(library: Library) -> None:
    await library.publish("黒い猫")
    await library.publish("白い猫")
    found = await library.search("黒猫")
    assert [document["title"] for document in found["results"]] == ["黒い猫"]
    assert found["relaxed"] is None


async def test_any_word_is_enough_when_all_find_nothing(library: Library) -> None:
    await library.publish("白い猫")
    await library.publish("a piano")
    found = await library.search("猫 violin")
    assert [document["title"] for document in found["results"]] == ["白い猫"]
    assert found["relaxed"] == "any"


async def test_a_kind_that_is_rare_brings_its_category_behind_it(library: Library) -> None:
    await library.publish("子猫")
    await library.publish("a cat")
    await library.publish("a dog")
    found = await library.search("kitten")
    assert [document["title"] for document in found["results"]] == ["子猫", "a cat"]
    assert found["relaxed"] == "broader"


async def test_a_kind_that_is_frequent_stays_alone(library: Library) -> None:
    for n in range(5):
        await library.publish(f"子猫 {n}")
    await library.publish("a cat")
    found = await library.search("kitten")
    assert len(found["results"]) == 5
    assert found["relaxed"] is None


@pytest.mark.parametrize(
    ("title", "q"), [("Sunflower field", "sunflwoer"), ("コンサートホール", "こんさーとほーる"), ("a violin", "violni")]
)
async def test_slips_of_the_pen_find_what_is_spelt_alike(library: Library, title: str, q: str) -> None:
    await library.publish(title)
    await library.publish("something else entirely")
    assert (await library.titles(q))[:1] == [title]


async def test_what_is_nothing_finds_nothing(library: Library) -> None:
    await library.publish("a cat")
    for q in ("!!!", "xyzzyx", "ゑゑゑ", "🐱"):
        assert await library.titles(q) == []


async def test_category_alone_and_with_words(library: Library) -> None:
    await library.publish("white cat", category="cat")
    await library.publish("white dog", category="dog")
    found = await library.search(category="dog")
    assert (found["mode"], [document["title"] for document in found["results"]]) == ("category", ["white dog"])
    assert await library.titles("white", category="cat") == ["white cat"]


async def test_without_a_question_the_newest_come_first(library: Library) -> None:
    for n in range(3):
        await library.publish(f"item {n}")
    found = await library.search("  ")
    assert found["mode"] == "newest"
    assert [document["title"] for document in found["results"]] == ["item 2", "item 1", "item 0"]


@pytest.mark.parametrize("asked", [{}, {"category": "cat"}, {"q": "cat"}, {"q": "sunflwoer"}, {"q": "kitten"}])
async def test_pages_hold_everything_once_also_while_items_arrive(library: Library, asked: dict[str, Any]) -> None:
    wanted = {f"sunflower cat {n}" for n in range(7)}
    for title in sorted(wanted):
        await library.publish(title, category="cat")
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        found = await library.search(asked.get("q", ""), category=asked.get("category", ""), limit=3, cursor=cursor)
        seen += [document["title"] for document in found["results"]]
        cursor = found["next"]
        newcomer = library.item("sunflower cat kitten", category="cat")
        newcomer = newcomer.model_copy(update={"published_at": newcomer.published_at.replace(year=2199)})
        await library.hear(newcomer)
    assert sorted(seen) == sorted(wanted)


async def test_a_document_is_what_lists_show(library: Library) -> None:
    item = library.item("a cat", description="on a mat", category="cat", tags=["mat"], likes=3)
    await library.hear(item)
    [document] = (await library.search("mat"))["results"]
    assert document.pop("score") > 0
    assert document.pop("has") == []
    wanted = item.model_dump(mode="json", include=set(document))
    assert document == wanted


async def test_every_search_has_an_id_of_its_own(library: Library) -> None:
    assert (await library.search())["search_id"] != (await library.search())["search_id"]


async def test_categories_are_all_there_with_their_counts(library: Library) -> None:
    await library.publish("a cat", category="cat")
    await library.publish("another", category="cat")
    await library.publish("no category")
    rows = (await library.http.get("/api/search/categories")).json()
    assert [row["label"] for row in rows] == [label.name for label in CATEGORIES]
    assert rows[0] == {"label": "cat", "en": "cat", "ja": "猫", "count": 2}


async def test_without_texts_search_is_simpler_and_says_so(library: Library) -> None:
    await library.publish("うちのネコ 100%", category="cat")
    await library.publish("a dog 100")
    library.neighbours.away.add("texts")
    found = await library.search("ねこ")
    assert [document["title"] for document in found["results"]] == ["うちのネコ 100%"]
    assert found["degraded"]
    assert await library.titles("100%") == ["うちのネコ 100%"]
    assert (await library.search("nothing like it"))["results"] == []


@pytest.mark.parametrize(
    ("parameters", "where"),
    [
        ({"limit": 0}, "query.limit"),
        ({"limit": 61}, "query.limit"),
        ({"limit": "x"}, "query.limit"),
        ({"category": "unicorn"}, "query.category"),
        ({"q": "x" * 201}, "query.q"),
        ({"q": "a\x00b"}, "query.q"),
        ({"cursor": "nonsense"}, "query.cursor"),
        ({"cursor": "あ"}, "query.cursor"),
        ({"cursor": "eyJraW5kIjoicmFua2VkIn0"}, "query.cursor"),
    ],
)
async def test_what_is_not_valid_is_named(library: Library, parameters: dict[str, Any], where: str) -> None:
    answer = await library.http.get("/api/search", params=parameters)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [fault["where"] for fault in answer.json()["errors"]] == [where]


async def test_a_cursor_of_another_query_is_refused(library: Library) -> None:
    for n in range(3):
        await library.publish(f"cat {n}")
    cursor = (await library.search("cat", limit=1))["next"]
    answer = await library.http.get("/api/search", params={"q": "dog", "cursor": cursor})
    assert answer.status_code == 422


@pytest.mark.parametrize("q", ["' OR 1=1 --", "cat' & !dog", "cat:*", "<b>cat</b>", "\\", "((", "a|b&c!", "%", "_"])
async def test_sql_and_markup_are_text(library: Library, q: str) -> None:
    await library.publish("something")
    assert await library.titles(q) == []
