"""From registering to being found, and everything that can come in between."""

from tests.services.items.stage import Stage


async def test_a_registered_item_is_judged_published_and_found(stage: Stage) -> None:
    item = await stage.registered(category=None)
    assert (item["state"], item["revision"], item["owner_name"], item["likes"]) == ("screening", 1, "owner", 0)
    [asked] = await stage.sent("item.registered")
    assert asked.data["title"] == "三毛猫"

    await stage.judge(item)
    seen = await stage.get(item, by=stage.stranger)
    assert seen["state"] == "published"
    assert seen["screening"]["category"]["label"] == "cat"
    assert "embedding" not in seen["screening"]
    [told] = await stage.sent("item.published")
    assert (told.data["category"], told.data["tags"]) == ("cat", ["cat", "animal"])
    assert len(told.data["embedding"]) == 128
    assert seen["searchable_at"] is None

    await stage.index(item)
    assert (await stage.get(item))["searchable_at"] is not None
    assert len(await stage.rows("SELECT id FROM outbox")) == 1
    await stage.show(item)
    assert await stage.rows("SELECT id FROM outbox") == []
