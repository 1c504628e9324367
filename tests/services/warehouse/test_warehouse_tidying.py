"""Small files become one, old ones go, and readers notice nothing."""

from datetime import timedelta

from tests.services.warehouse.conftest import Stage
from tests.services.warehouse.events import liked, segment, shown


async def listed(stage: Stage) -> list[str]:
    async with stage.database.connection() as connection:
        found = await connection.execute("SELECT path FROM files WHERE replaced_at IS NULL ORDER BY path")
        return [row["path"] for row in await found.fetchall()]


async def test_many_small_files_of_a_day_become_one(stage: Stage) -> None:
    events = [liked(number, minutes=number) for number in range(5)]
    for one in events:
        await stage.store(one)
    before = await stage.rows("item_liked", "SELECT * FROM {} ORDER BY event_time")
    tidying = stage.tidying(several=4, grace_seconds=3600)
    assert await tidying.compact() == 5
    assert len(await listed(stage)) == 1
    assert await stage.rows("item_liked", "SELECT * FROM {} ORDER BY event_time") == before
    await tidying.sweep()
    assert len(stage.files()) == 6, "who reads one of the many still can"
    await stage.tidying(grace_seconds=0).sweep()
    assert stage.files() == await listed(stage)
    assert await stage.tidying(several=4).compact() == 0


async def test_other_days_and_large_files_stay_as_they_are(stage: Stage) -> None:
    for day in range(4):
        await stage.store(liked(day, minutes=day * 24 * 60))
    assert await stage.tidying(several=2).compact() == 0
    await stage.store(liked(9, minutes=5))
    assert await stage.tidying(several=2, small_bytes=10).compact() == 0
    assert await stage.tidying(several=2).compact() == 2


async def test_what_is_too_old_no_longer_counts(stage: Stage) -> None:
    await stage.store(liked(), segment())
    await stage.tidying(keep_predictions=timedelta(days=1), keep=timedelta(days=36500)).expire()
    assert len(await stage.rows("predictions")) == 0
    assert len(await stage.rows("item_liked")) == 1


async def test_an_event_whose_id_was_forgotten_may_come_in_again_and_no_other(stage: Stage) -> None:
    one = liked()
    await stage.store(one)
    await stage.tidying(keep_ids=timedelta(days=1)).expire()
    await stage.store(one)
    assert len(await stage.rows("item_liked")) == 1
    await stage.tidying(keep_ids=timedelta(0)).expire()
    await stage.store(one)
    assert len(await stage.rows("item_liked")) == 2


async def test_a_file_that_is_just_being_listed_is_no_orphan(stage: Stage) -> None:
    await stage.store(shown())
    (path,) = stage.files()
    async with stage.database.connection() as connection:
        await connection.execute("DELETE FROM files")
    stage.keeping.writing.add(path)
    assert await stage.tidying(grace_seconds=0).sweep() == 0
    stage.keeping.writing.clear()
    assert await stage.tidying(grace_seconds=0).sweep() == 1
    assert stage.files() == []
