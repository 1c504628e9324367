"""Events may come twice, late and out of order: what is removed stays removed, and every sender gets its answer."""

import asyncio
import itertools

import pytest

from services.chassis.bus import Message
from services.chassis.ids import new_id
from services.contracts import CloudEvent, ItemLiked, ItemRemoved
from tests.services.search.library import Library


async def test_a_published_item_is_found_and_its_sender_is_told(library: Library) -> None:
    event = await library.hear(library.item("三毛猫"))
    assert await library.titles("ねこ") == ["三毛猫"]
    [effect] = await library.effects(event)
    assert effect.searchable
    assert (effect.revision, effect.sequence) == (1, 2)


async def test_a_removed_item_is_gone_from_every_answer_and_from_the_table(library: Library) -> None:
    item = library.item("秘密の猫", description="secret", category="cat", embedding=[1.0] + [0.0] * 127)
    await library.hear(item)
    event = await library.remove(item.item_id)
    [effect] = await library.effects(event)
    assert not effect.searchable
    assert await library.titles() == await library.titles("秘密") == await library.titles(category="cat") == []
    answer = await library.http.get("/api/search/similar", params={"item_id": str(item.item_id)})
    assert answer.status_code == 404
    assert sum(row["count"] for row in (await library.http.get("/api/search/categories")).json()) == 0
    async with library.database.connection() as connection:
        row = await (await connection.execute("SELECT documents::text AS everything FROM documents")).fetchone()
    assert row is not None
    assert "秘密" not in row["everything"]
    assert "secret" not in row["everything"]


async def test_the_same_event_again_is_answered_again_and_changes_nothing(library: Library) -> None:
    event = await library.hear(library.item("a cat"))
    await library.hear_again(event)
    first, second = await library.effects(event)
    assert first.searchable
    assert second.searchable
    assert first.indexed_at == second.indexed_at
    assert await library.titles("cat") == ["a cat"]


async def test_a_late_publication_does_not_bring_a_removed_item_back(library: Library) -> None:
    item = library.item("a cat")
    await library.remove(item.item_id, sequence=3)
    event = await library.hear(item)
    assert await library.titles() == []
    [effect] = await library.effects(event)
    assert not effect.searchable


async def test_an_older_revision_does_not_replace_a_newer_one(library: Library) -> None:
    item = library.item("before")
    newer = item.model_copy(update={"title": "after", "revision": 2, "sequence": 5})
    await library.hear(newer)
    event = await library.hear(item)
    assert await library.titles() == ["after"]
    [effect] = await library.effects(event)
    assert not effect.searchable, "revision 1 is not what is found"


async def test_an_item_published_again_after_its_removal_is_found(library: Library) -> None:
    item = library.item("a cat")
    await library.hear(item)
    await library.remove(item.item_id, sequence=3)
    await library.hear(item.model_copy(update={"sequence": 4}))
    assert await library.titles("cat") == ["a cat"]


async def test_likes_are_counted_also_when_they_overtake_the_item(library: Library) -> None:
    item = library.item("a cat")
    event = await library.like(item.item_id, likes=2, sequence=4)
    assert [effect.searchable for effect in await library.effects(event)] == [False]
    assert await library.titles() == []
    await library.hear(item)
    await library.like(item.item_id, likes=1, sequence=3)
    [document] = (await library.search())["results"]
    assert document["likes"] == 2


async def test_likes_neither_publish_nor_keep_what_is_removed(library: Library) -> None:
    item_id = await library.publish("a cat")
    await library.remove(item_id, sequence=3)
    await library.like(item_id, likes=9, sequence=4)
    assert await library.titles() == []


async def test_events_in_any_order_lead_to_the_same_answer(library: Library) -> None:
    for order in itertools.permutations(range(4)):
        item = library.item("a cat", item_id=new_id(), likes=0)
        later = item.model_copy(update={"title": "a dog", "revision": 2, "sequence": 6, "likes": 1})
        whose = {"item_id": item.item_id, "revision": 1}
        liked = ItemLiked(**whose, sequence=3, user_id=new_id(), liked=True, likes=1)
        removed = ItemRemoved(**whose, sequence=4, image_id="a" * 64, why="edited")
        events = [item, liked, removed, later]
        for index in order:
            await library.hear(events[index])
        async with library.database.connection() as connection:
            found = await connection.execute("SELECT title, likes FROM visible WHERE item_id = %s", (item.item_id,))
            assert await found.fetchall() == [{"title": "a dog", "likes": 1}], order


async def test_many_at_once_are_all_taken_in(library: Library) -> None:
    events = [CloudEvent.of(library.item(f"cat {n}"), source="/test") for n in range(40)]
    worker = library.service.worker()
    assert worker
    await worker.handle([Message(event.type, event.key, event.model_dump_json().encode()) for event in events])
    assert len(await library.titles("cat", limit=60)) == 40


async def test_while_texts_is_away_an_item_waits_and_is_not_lost(library: Library) -> None:
    library.neighbours.away.add("texts")
    indexing = asyncio.create_task(library.hear(library.item("a cat")))
    while library.neighbours.asked.count("/api/texts/terms") < 2:
        await asyncio.sleep(0)
    assert not indexing.done()
    library.neighbours.away.clear()
    await indexing
    assert await library.titles("cat") == ["a cat"]
    assert library.bus.events("item.published.dead-letter") == []


@pytest.mark.parametrize("title", ["'); DROP TABLE documents; --", "a'b\\c:*&|!", "<script>alert(1)</script>", "%_%"])
async def test_whatever_a_title_holds_is_text(library: Library, title: str) -> None:
    await library.publish(title)
    assert await library.titles() == [title]
    assert await library.titles(title) in ([title], [])


async def test_a_word_without_end_is_no_obstacle(library: Library) -> None:
    await library.publish("a cat", description="あ" * 2000, tags=["x" * 3000, "y" * 3000])
    await library.publish("another cat", description="a\u2028b\x85c")
    assert await library.titles("cat") == ["another cat", "a cat"]


async def test_what_cannot_be_taken_in_is_given_up_and_blocks_nobody(library: Library) -> None:
    await library.hear(library.item("too much liked", likes=2**40))
    assert len(library.bus.events("item.published.dead-letter")) == 1
    await library.publish("a cat")
    assert await library.titles() == ["a cat"]


async def test_when_the_words_change_documents_are_filed_anew(library: Library) -> None:
    from services.search.indexing import keep_filed
    from services.search.words import Words

    for n in range(40):
        await library.publish(f"cat {n}")
    async with library.database.connection() as connection:
        await connection.execute("UPDATE documents SET terms = '', vocabulary = 'before'")
    assert await library.titles("猫") == []
    await keep_filed(library.database, Words(library.service.backends.http, "http://texts:8140"))()
    assert len(await library.titles("猫", limit=60)) == 40
