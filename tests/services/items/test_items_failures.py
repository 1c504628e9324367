"""What nobody could judge, and what got lost, waits for nobody."""

from services.items import sweeping
from tests.services.items.stage import Stage


async def test_a_dead_letter_of_a_registration_goes_to_a_moderator(stage: Stage) -> None:
    item = await stage.registered()
    [asked] = await stage.sent("item.registered")
    await stage.bury(asked, "the decoder crashed")
    await stage.bury(asked, "the decoder crashed")
    seen = await stage.get(item)
    assert seen["state"] == "needs_review"
    assert [reason["kind"] for reason in seen["reasons"]] == ["failed"]
    assert await stage.rows("SELECT id FROM outbox") == []
    [letter] = await stage.rows("SELECT type, reason, times, item_id::text FROM dead_letters")
    assert letter == {"type": "item.registered", "reason": "the decoder crashed", "times": 2, "item_id": item["id"]}


async def test_a_dead_letter_of_an_older_revision_is_only_kept(stage: Stage) -> None:
    item = await stage.registered()
    [asked] = await stage.sent("item.registered")
    await stage.http.patch(f"/api/items/{item['id']}", json={"title": "x"}, headers=stage.owner.header)
    await stage.bury(asked)
    assert (await stage.get(item))["state"] == "screening"
    assert len(await stage.rows("SELECT event_id FROM dead_letters")) == 1
    assert len(await stage.rows("SELECT id FROM outbox")) == 1


async def test_other_dead_letters_are_kept_and_sent_on(stage: Stage) -> None:
    item = await stage.registered()
    await stage.judge(item)
    [told] = await stage.sent("item.published")
    await stage.bury(told, "search is broken")
    assert (await stage.get(item))["state"] == "published"
    assert [row["reason"] for row in await stage.rows("SELECT reason FROM dead_letters")] == ["search is broken"]
    assert len(await stage.rows("SELECT id FROM outbox")) == 1


async def test_a_published_failure_is_the_moderators_word_alone(stage: Stage) -> None:
    item = await stage.registered()
    [asked] = await stage.sent("item.registered")
    await stage.bury(asked)
    await stage.http.post(
        f"/api/items/{item['id']}/review", json={"decision": "publish"}, headers=stage.moderator.header
    )
    [told] = await stage.sent("item.published")
    assert (told.data["category"], told.data["embedding"], told.data["tags"]) == (None, [], [])


async def test_an_item_whose_event_got_lost_is_asked_about_again(stage: Stage) -> None:
    item = await stage.registered()
    assert await sweeping.sweep(stage.database) == 0
    await stage.run("DELETE FROM outbox")
    assert await sweeping.sweep(stage.database) == 0, "it is too young to be forgotten"
    await stage.run("UPDATE items SET submitted_at = now() - interval '1 minute'")
    assert await sweeping.sweep(stage.database) == 1
    assert await sweeping.sweep(stage.database) == 0
    await stage.judge(item)
    assert (await stage.get(item))["state"] == "published"


async def test_an_item_nobody_can_judge_goes_to_a_moderator_once_others_overtake_it(stage: Stage) -> None:
    stuck = await stage.registered(title="stuck")
    await stage.sent("item.registered")
    await stage.run("UPDATE outbox SET attempts = 11")
    assert await sweeping.sweep(stage.database) == 0, "perhaps nobody judges anything at the moment"
    later = await stage.registered(title="later")
    await stage.judge(later)
    assert await sweeping.sweep(stage.database) == 0, "perhaps it is about to be judged"
    await stage.run("UPDATE screenings SET stored_at = now() - interval '2 minutes'")
    assert await sweeping.sweep(stage.database) == 1
    seen = await stage.get(stuck)
    assert seen["state"] == "needs_review"
    assert seen["reasons"][0]["kind"] == "failed"
    assert await stage.rows("SELECT id FROM outbox WHERE type = 'item.registered'") == []


async def test_keys_are_forgotten_after_a_day(stage: Stage) -> None:
    first = (await stage.post(key="a")).json()
    await stage.run("UPDATE registrations SET created_at = now() - interval '25 hours'")
    await sweeping.sweep(stage.database)
    assert (await stage.post(key="a")).json()["id"] != first["id"]
