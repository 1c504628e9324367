"""Similar pictures: nearest first, of one embedding space, published ones alone."""

import io
from typing import Any

import numpy as np
import pytest
from pgvector import Vector
from PIL import Image

from models.image_screening.contract import EMBEDDING_VERSION
from services.chassis.ids import new_id
from tests.services.search.library import Library, direction

SPACE = {"embedding_version": EMBEDDING_VERSION}


def picture() -> bytes:
    """A small PNG."""
    file = io.BytesIO()
    Image.fromarray(np.full((32, 32, 3), 120, np.uint8)).save(file, "PNG")
    return file.getvalue()


async def similar(library: Library, **parameters: Any) -> dict[str, Any]:
    """What is like an item."""
    answer = await library.http.get("/api/search/similar", params=parameters)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def titles(found: dict[str, Any]) -> list[str]:
    """The titles, in order."""
    return [document["title"] for document in found["results"]]


async def test_nearest_come_first_and_the_item_itself_does_not(library: Library) -> None:
    item_id = await library.publish("itself", embedding=direction(1), **SPACE)
    await library.publish("far", embedding=direction(0, 1), **SPACE)
    await library.publish("near", embedding=direction(1, 0.1), **SPACE)
    await library.publish("less near", embedding=direction(1, 0.8), **SPACE)
    found = await similar(library, item_id=str(item_id))
    assert titles(found) == ["near", "less near", "far"]
    assert found["mode"] == "similar"
    assert found["results"][0]["score"] > 0.99
    assert titles(await similar(library, item_id=str(item_id), limit=1)) == ["near"]


async def test_spaces_are_never_compared(library: Library) -> None:
    item_id = await library.publish("itself", embedding=direction(1), **SPACE)
    await library.publish("other space", embedding=direction(1), embedding_version="other")
    await library.publish("same space", embedding=direction(0, 1), **SPACE)
    assert titles(await similar(library, item_id=str(item_id))) == ["same space"]


async def test_what_is_removed_is_like_nothing(library: Library) -> None:
    item_id = await library.publish("itself", embedding=direction(1), **SPACE)
    near = await library.publish("near", embedding=direction(1, 0.1), **SPACE)
    await library.remove(near)
    assert titles(await similar(library, item_id=str(item_id))) == []


async def test_an_item_no_model_has_seen_is_like_those_of_its_category(library: Library) -> None:
    item_id = await library.publish("unseen", category="cat")
    await library.publish("a cat", category="cat", embedding=direction(1), **SPACE)
    await library.publish("a dog", category="dog", embedding=direction(1), **SPACE)
    found = await similar(library, item_id=str(item_id))
    assert (titles(found), found["degraded"]) == (["a cat"], True)


async def test_a_picture_finds_what_is_like_it(library: Library, signed_in: Any) -> None:
    await library.publish("far", embedding=direction(0, 1), **SPACE)
    await library.publish("near", embedding=direction(1, 0.1), **SPACE)
    library.neighbours.embedding = direction(1)
    answer = await library.http.post("/api/search/similar", files={"file": picture()}, headers=signed_in())
    assert answer.status_code == 200
    assert titles(answer.json()) == ["near", "far"]
    assert library.neighbours.asked[-1] == "/v2/models/image_screening/infer"


async def test_a_picture_finds_nothing_where_nothing_is(library: Library, signed_in: Any) -> None:
    answer = await library.http.post("/api/search/similar", files={"file": picture()}, headers=signed_in())
    assert answer.json()["results"] == []


@pytest.mark.parametrize("content", [b"", b"no picture", picture()[:40], b"\xff\xd8\xff" + b"\x00" * 1000])
async def test_what_is_no_picture_is_refused(library: Library, signed_in: Any, content: bytes) -> None:
    answer = await library.http.post("/api/search/similar", files={"file": content}, headers=signed_in())
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["where"] == "body.file"


async def test_a_file_of_more_than_10_mib_is_refused(library: Library, signed_in: Any) -> None:
    answer = await library.http.post(
        "/api/search/similar", files={"file": b"\x89PNG\r\n\x1a\n" + b"\x00" * (11 << 20)}, headers=signed_in()
    )
    assert answer.status_code == 413


async def test_a_visitor_sends_no_pictures(library: Library) -> None:
    answer = await library.http.post("/api/search/similar", files={"file": picture()})
    assert answer.status_code == 401


async def test_without_a_model_the_answer_is_try_again(library: Library, signed_in: Any) -> None:
    library.neighbours.served_by = "default"
    answer = await library.http.post("/api/search/similar", files={"file": picture()}, headers=signed_in())
    assert answer.status_code == 503
    library.neighbours.slow = True
    answer = await library.http.post("/api/search/similar", files={"file": picture()}, headers=signed_in())
    assert answer.status_code == 503
    library.neighbours.away.add("inference-sync")
    answer = await library.http.post("/api/search/similar", files={"file": picture()}, headers=signed_in())
    assert answer.status_code == 503


@pytest.mark.parametrize(("item_id", "status"), [("nonsense", 422), (str(new_id()), 404), ("", 422)])
async def test_unknown_items_are_refused(library: Library, item_id: str, status: int) -> None:
    answer = await library.http.get("/api/search/similar", params={"item_id": item_id})
    assert answer.status_code == status


async def test_the_index_finds_what_comparing_with_everything_finds(library: Library) -> None:
    random = np.random.default_rng(7)
    centres = random.normal(size=(20, 128))
    vectors = centres[random.integers(20, size=1500)] + random.normal(size=(1500, 128)) * 0.6
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    async with library.database.connection() as connection, connection.cursor() as cursor:
        await cursor.executemany(
            """
            INSERT INTO documents (item_id, revision, sequence, likes_sequence, searchable, owner_id, published_at,
                title, embedding, embedding_version) VALUES (%s, 1, 1, 0, true, %s, now(), %s, %s, '1')
            """,
            [(new_id(), new_id(), str(n), vector) for n, vector in enumerate(vectors)],
        )
        await connection.execute("ANALYZE documents")
    from services.search.finding import Finder

    finder = Finder(library.database)
    hits = 0
    for asked in range(0, 1500, 50):
        exact = {str(n) for n in np.argsort(-(vectors @ vectors[asked]))[:10]}
        hits += len(exact & {document.title for document in await finder.similar(Vector(vectors[asked]), "1", 10)})
    assert hits / 300 >= 0.95
