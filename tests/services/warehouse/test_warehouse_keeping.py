"""A batch is stored exactly once, wherever in between the process is killed."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from services.chassis import outbox
from services.contracts import EVENTS, SegmentStored
from services.warehouse import keeping
from services.warehouse.duck import Duck
from services.warehouse.keeping import StoredMeanwhile
from services.warehouse.shelf import Begun
from services.warehouse.tables import OWN, TABLES
from tests.services.warehouse.conftest import Stage, taken
from tests.services.warehouse.events import clicked, liked, segment, shown


class Killed(BaseException):
    """Nothing catches it, as nothing catches kill -9."""


def dying(*_: Any, **__: Any) -> Any:
    raise Killed


def dying_after(what: Callable[..., Any]) -> Callable[..., Any]:
    """Do it, then die."""
    if asyncio.iscoroutinefunction(what):

        async def waited(*arguments: Any, **named: Any) -> Any:
            await what(*arguments, **named)
            raise Killed

        return waited

    def done(*arguments: Any, **named: Any) -> Any:
        what(*arguments, **named)
        raise Killed

    return done


POINTS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "before anything is written": (Begun, "write", dying),
    "when the lines are there": (Begun, "write", dying_after(Begun.write)),
    "when the file is there, under no final name": (Duck, "ask", dying_after(Duck.ask)),
    "when the file has its name": (Begun, "finish", dying_after(Begun.finish)),
    "in the transaction, before the ids": (keeping, "remember", dying),
    "in the transaction, after the ids": (keeping, "remember", dying_after(keeping.remember)),
    "in the transaction, after the files": (keeping, "list_files", dying_after(keeping.list_files)),
    "in the transaction, while its senders are told": (outbox, "add", dying_after(outbox.add)),
    "after the transaction, before the broker knows": (
        keeping.Keeping,
        "_listed",
        dying_after(keeping.Keeping._listed),
    ),
}


@pytest.mark.parametrize("point", POINTS)
async def test_killed_anywhere_nothing_is_lost_and_nothing_doubled(
    stage: Stage, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, page, log = liked(1), shown(), segment(predictions=4)
    await stage.store(before)
    where, name, instead = POINTS[point]
    with monkeypatch.context() as patched:
        patched.setattr(where, name, instead)
        with pytest.raises(Killed):
            await stage.store(page, clicked(page), log)

    stage.another()
    again = clicked(page)
    await stage.store(before, page, log, again)  # the broker knows of none of them, and more has come
    await stage.store(before, page, log, again)

    assert len(await stage.rows("item_liked")) == 1
    assert len(await stage.rows("search_shown")) == 1
    assert len(await stage.rows("predictions")) == 4
    assert {row["event_id"] for row in await stage.rows("search_acted")} >= {str(again.id)}
    assert len(await stage.rows("search_acted")) == (2 if point.startswith("after") else 1)


@pytest.mark.parametrize("point", POINTS)
async def test_what_a_killed_process_left_is_removed_and_nothing_else(
    stage: Stage, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, name, instead = POINTS[point]
    page = shown()
    with monkeypatch.context() as patched:
        patched.setattr(where, name, instead)
        with pytest.raises(Killed):
            await stage.store(page, segment())
    stage.another()
    await stage.store(page)
    await stage.tidying(grace_seconds=0).sweep()
    async with stage.database.connection() as connection:
        listed = await (await connection.execute("SELECT path FROM files ORDER BY path")).fetchall()
    assert stage.files() == [row["path"] for row in listed]
    assert len(await stage.rows("search_shown")) == 1


async def test_a_batch_that_holds_an_event_twice_stores_it_once(stage: Stage) -> None:
    one = liked()
    await stage.store(one, one)
    assert len(await stage.rows("item_liked")) == 1


async def test_two_processes_at_once_store_an_event_once(stage: Stage) -> None:
    events = taken([liked(), shown()])
    first, second = stage.keeping, stage.another()
    done = await asyncio.gather(first.store(events), second.store(events), return_exceptions=True)
    assert sum(isinstance(one, StoredMeanwhile) for one in done) <= 1
    assert len(await stage.rows("item_liked")) == 1
    assert len(await stage.rows("search_shown")) == 1


async def test_the_host_is_told_of_its_segment_each_time_it_sends_it(stage: Stage) -> None:
    log = segment(predictions=3, host="inference-async")
    await stage.store(log)
    await stage.store(log)
    told = [SegmentStored.model_validate(event["data"]) for event in await stage.told()]
    assert [(one.segment_id, one.host, one.records) for one in told] == [(log.id, "inference-async", 3)] * 2
    assert len(await stage.rows("predictions")) == 3


async def test_a_segment_without_records_is_known_and_its_host_told(stage: Stage) -> None:
    await stage.store(segment(predictions=0))
    assert [event["type"] for event in await stage.told()] == ["segment.stored"]
    assert stage.files() == []


async def test_where_the_broker_forgets_every_sender_is_told(stage: Stage) -> None:
    stage.another(answers_everything=True)
    one, page = liked(), shown()
    await stage.store(one, page)
    (told,) = await stage.told()
    assert told["type"] == "events.stored"
    assert {entry["id"] for entry in told["data"]["events"]} == {str(one.id), str(page.id)}


async def test_rows_hold_what_the_events_say(stage: Stage) -> None:
    page, log = shown(minutes=5), segment(predictions=1)
    await stage.store(page, log)
    (row,) = await stage.rows("search_shown", "SELECT query, shown_at::VARCHAR AS moment, impressions FROM {}")
    assert (row["query"], row["moment"]) == ("猫", "2026-03-02 10:05:00")
    assert '"default_position":1' in row["impressions"]
    (prediction,) = await stage.rows("predictions")
    assert (prediction["model"], prediction["served_by"], prediction["rows"]) == ("image_quick", "model", 1)
    assert prediction["segment_id"] == str(log.id)
    assert prediction["simulated"] is False


def test_every_kind_of_event_has_a_table_but_those_of_the_warehouse_itself() -> None:
    assert {table.kind for table in TABLES.values()} == set(EVENTS) - set(OWN)
    assert len({table.name for table in TABLES.values()}) == len(TABLES)
