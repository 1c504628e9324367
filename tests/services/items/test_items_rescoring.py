"""What happens to a published item that newer models would not publish."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.chassis.ids import new_id
from services.contracts import CloudEvent, ItemRescored, ModelUsed, Reason
from tests.services.items.stage import Stage


def rescored(item: dict[str, Any], revision: int = 1) -> ItemRescored:
    return ItemRescored(
        item_id=item["id"],
        revision=revision,
        sequence=1,
        run_id=new_id(),
        verdict="reject",
        reasons=[Reason(kind="picture", label="weapon", score=0.97, by="image_screening")],
        models={"image_screening": ModelUsed(version="2", served_by="model", prediction_id=new_id())},
        rescored_at=datetime.now(UTC),
    )


async def applied(stage: Stage, cause: CloudEvent) -> bool:
    told = [event for event in await stage.sent("item.rescoring-applied") if event.causationid == cause.id]
    assert told, "the batch host waits for this"
    return bool(told[-1].data["doubted"])


async def test_a_moderator_looks_and_nobody_else_sees_it(stage: Stage) -> None:
    item = await stage.published()
    event = await stage.hear(rescored(item))
    assert await applied(stage, event)
    now = await stage.get(item)
    assert now["state"] == "needs_review"
    assert now["reasons"][0]["label"] == "weapon"
    (removed,) = await stage.sent("item.removed")
    assert removed.data["why"] == "review"
    await stage.get(item, by=stage.stranger, status=404)


async def test_told_twice_it_is_done_once(stage: Stage) -> None:
    item = await stage.published()
    event = await stage.hear(rescored(item))
    await stage.hear_again(event)
    assert (await stage.get(item))["state"] == "needs_review"
    assert len(await stage.sent("item.removed")) == 1


async def test_what_a_person_decided_stays(stage: Stage) -> None:
    item = await stage.registered()
    await stage.judge(item, "review")
    decision = {"decision": "publish", "reason": "it is a toy"}
    answer = await stage.http.post(f"/api/items/{item['id']}/review", json=decision, headers=stage.moderator.header)
    assert answer.status_code == 200, answer.text
    event = await stage.hear(rescored(item))
    assert not await applied(stage, event)
    assert (await stage.get(item))["state"] == "published"


@pytest.mark.parametrize("revision", [0, 2])
async def test_another_revision_is_not_meant(stage: Stage, revision: int) -> None:
    item = await stage.published()
    event = await stage.hear(rescored(item, revision))
    assert not await applied(stage, event)
    assert (await stage.get(item))["state"] == "published"
