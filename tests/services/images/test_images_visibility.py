"""Who sees a picture, when, and for how long."""

from uuid import UUID

from services.chassis.bus import MemoryBus
from services.chassis.ids import new_id
from tests.services.images.gallery import Gallery, photo


async def statuses(gallery: Gallery, image_id: str) -> dict[str, int]:
    """What each kind of reader gets for the picture's description; its bytes must be the same."""
    found = {}
    readers: dict[str, tuple[UUID | None, tuple[str, ...]]] = {
        "owner": (gallery.owner, ()),
        "stranger": (new_id(), ()),
        "nobody": (None, ()),
        "moderator": (new_id(), ("moderator",)),
        "operator": (new_id(), ("operator",)),
    }
    for name, (by, roles) in readers.items():
        described = await gallery.get(f"/api/images/{image_id}", by, roles)
        for size in ("original", "large", "thumbnail"):
            content = await gallery.get(f"/api/images/{image_id}/{size}", by, roles)
            assert content.status_code == described.status_code
        found[name] = described.status_code
    return found


HIDDEN = {"owner": 200, "stranger": 404, "nobody": 404, "moderator": 200, "operator": 200}
PUBLIC = dict.fromkeys(HIDDEN, 200)


async def test_a_picture_is_public_while_a_published_item_shows_it(gallery: Gallery) -> None:
    image_id = (await gallery.uploaded(photo()))["id"]
    assert await statuses(gallery, image_id) == HIDDEN
    await gallery.publish(image_id, sequence=2)
    assert await statuses(gallery, image_id) == PUBLIC
    await gallery.remove(image_id, sequence=3)
    assert await statuses(gallery, image_id) == HIDDEN


async def test_events_that_come_twice_or_late_change_nothing(gallery: Gallery) -> None:
    image_id = (await gallery.uploaded(photo()))["id"]
    await gallery.remove(image_id, sequence=3)
    await gallery.publish(image_id, sequence=2)
    assert await statuses(gallery, image_id) == HIDDEN
    await gallery.publish(image_id, sequence=4)
    await gallery.publish(image_id, sequence=4)
    await gallery.remove(image_id, sequence=3)
    assert await statuses(gallery, image_id) == PUBLIC


async def test_each_event_is_answered_so_that_its_sender_knows(gallery: Gallery, memory_bus: MemoryBus) -> None:
    published = await gallery.publish("f" * 64, sequence=2)
    removed = await gallery.remove("f" * 64, sequence=3)
    await gallery.hear_again(published)
    answers = memory_bus.events("picture.shown")
    assert [answer.causationid for answer in answers] == [published.id, removed.id, published.id]
    assert [answer.data["visible"] for answer in answers] == [True, False, True]


async def test_it_stays_public_while_another_item_shows_it(gallery: Gallery) -> None:
    image_id = (await gallery.uploaded(photo()))["id"]
    await gallery.publish(image_id, sequence=2)
    gallery.item = new_id()
    await gallery.publish(image_id, sequence=2)
    await gallery.remove(image_id, sequence=3)
    assert await statuses(gallery, image_id) == PUBLIC


async def test_who_uploads_the_same_file_sees_it_too(gallery: Gallery) -> None:
    image_id = (await gallery.uploaded(photo()))["id"]
    another = new_id()
    assert (await gallery.get(f"/api/images/{image_id}", another)).status_code == 404
    await gallery.uploaded(photo(), by=another)
    assert (await gallery.get(f"/api/images/{image_id}", another)).status_code == 200


async def test_browsers_keep_it_for_a_minute_and_then_ask(gallery: Gallery) -> None:
    picture = await gallery.uploaded(photo())
    path = picture["urls"]["thumbnail"]
    hidden = await gallery.get(path, gallery.owner)
    assert hidden.headers["cache-control"] == "private, max-age=60"
    await gallery.publish(picture["id"], sequence=2)
    public = await gallery.get(path)
    assert public.headers["cache-control"] == "public, max-age=60"

    tag = public.headers["etag"]
    for sent in (tag, f"W/{tag}", f'"other", {tag}'):
        unchanged = await gallery.get(path, if_none_match=sent)
        assert (unchanged.status_code, unchanged.content) == (304, b"")
        assert unchanged.headers["etag"] == tag
    assert (await gallery.get(path, if_none_match='"other"')).status_code == 200
    await gallery.remove(picture["id"], sequence=3)
    assert (await gallery.get(path, if_none_match=tag)).status_code == 404


async def test_unknown_and_impossible_names_are_4xx(gallery: Gallery) -> None:
    picture = await gallery.uploaded(photo())
    assert (await gallery.get(f"/api/images/{'0' * 64}", gallery.owner)).status_code == 404
    for path in ("nonsense", "..%2f..%2fetc%2fpasswd", picture["id"].upper(), f"{picture['id']}/huge"):
        assert (await gallery.get(f"/api/images/{path}", gallery.owner)).status_code in (404, 422)
