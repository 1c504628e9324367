"""Pictures, events and the API's document pass through the app as they should."""

import hashlib
import json
from typing import Any

import httpx
import pytest

from services.web.openapi import SERVICES, Merged, merged
from services.web.remote import Remote
from tests.services.web.conftest import SignIn
from tests.services.web.fakes import FakeServices, item, openapi

PICTURE = b"\xff\xd8\xff a picture"
IMAGE_ID = hashlib.sha256(PICTURE).hexdigest()


async def test_pictures_come_with_the_visitors_token(signed_in_as: SignIn, fakes: FakeServices) -> None:
    fakes.pictures[IMAGE_ID] = PICTURE
    browser = await signed_in_as()
    answer = await browser.get(f"/pictures/{IMAGE_ID}/thumbnail")
    assert answer.content == PICTURE
    assert answer.headers["cache-control"] == "private, max-age=60"
    assert "x-inside" not in answer.headers
    assert fakes.asked[-1].headers["authorization"] == f"Bearer {browser.cookies['session']}"


async def test_pictures_that_did_not_change_are_not_sent_again(browser: httpx.AsyncClient, fakes: FakeServices) -> None:
    fakes.pictures[IMAGE_ID] = PICTURE
    headers = {"if-none-match": f'"{IMAGE_ID}"'}
    answer = await browser.get(f"/pictures/{IMAGE_ID}/large", headers=headers)
    assert (answer.status_code, answer.content) == (304, b"")
    assert "authorization" not in fakes.asked[-1].headers


async def test_a_missing_picture_is_missing_and_a_resting_service_rests(
    browser: httpx.AsyncClient, fakes: FakeServices
) -> None:
    assert (await browser.get(f"/pictures/{IMAGE_ID}/large")).status_code == 404
    fakes.dead = {"images"}
    assert (await browser.get(f"/pictures/{IMAGE_ID}/large")).status_code == 503


@pytest.mark.parametrize("path", ["..%2f..%2fapi/large", f"{IMAGE_ID}/huge", f"{IMAGE_ID.upper()}/large"])
async def test_only_picture_addresses_are_passed_on(browser: httpx.AsyncClient, fakes: FakeServices, path: str) -> None:
    assert (await browser.get(f"/pictures/{path}")).status_code == 404
    assert fakes.asked == []


async def test_events_are_passed_on_and_progress_is_drawn(signed_in_as: SignIn, fakes: FakeServices) -> None:
    watched = item("watched", "screening", minutes=0)
    fakes.add(watched)
    browser = await signed_in_as("mike")
    before = await browser.get(f"/items/{watched['id']}/progress")
    assert 'data-final="no"' in before.text
    answer = await browser.get(f"/items/{watched['id']}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
    assert [event["state"] for event in events] == ["screening", "published", "published"]
    after = await browser.get(f"/items/{watched['id']}/progress")
    assert 'data-final="yes"' in after.text
    assert "found by search after" in after.text


async def test_events_of_other_peoples_items_are_refused(signed_in_as: SignIn, fakes: FakeServices) -> None:
    hidden = item("hidden", "screening")
    fakes.add(hidden)
    browser = await signed_in_as("somebody else")
    assert (await browser.get(f"/items/{hidden['id']}/events")).status_code == 404


async def test_the_document_has_every_service_and_only_what_is_outside(browser: httpx.AsyncClient) -> None:
    document = (await browser.get("/api/openapi.json")).json()
    assert {tag["name"] for tag in document["tags"]} == {name.replace("-", "_") for name in SERVICES}
    assert all(path.startswith(("/api/", "/v2")) for path in document["paths"])
    assert "/api/items/things" in document["paths"]


def test_the_document_is_valid() -> None:
    document = merged({name: openapi(name) for name in SERVICES}, "Everything")
    operations = [
        operation for path in document["paths"].values() for method, operation in path.items() if method != "parameters"
    ]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names)) == 2 * len(SERVICES)
    schemas = document["components"]["schemas"]
    for pointed in references(document):
        assert pointed.removeprefix("#/components/schemas/") in schemas
    assert "items.Fault" in schemas
    assert all(operation["responses"] for operation in operations)
    assert "HTTPValidationError" not in json.dumps(document)
    for operation in operations:
        for scheme in operation["security"]:
            assert set(scheme) <= set(document["components"]["securitySchemes"])


def test_what_needs_a_token_says_so() -> None:
    document = merged({"items": openapi("items")}, "Everything")
    path = document["paths"]["/api/items/things"]
    assert {} in path["get"]["security"]
    assert path["post"]["security"] == [{"token": []}, {"password": []}]


def references(node: Any) -> list[str]:
    """All references of a document."""
    if isinstance(node, dict):
        here = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return here + [found for value in node.values() for found in references(value)]
    return [found for value in node for found in references(value)] if isinstance(node, list) else []


async def test_the_part_of_a_dead_service_is_kept(fakes: FakeServices) -> None:
    now = [0.0]
    async with httpx.AsyncClient(transport=fakes.transport()) as http:
        remote = Remote(http, {name: (f"http://{name}",) for name in SERVICES}, 1.0)
        document = Merged(remote, "Everything", clock=lambda: now[0])
        fakes.dead = {"search"}
        assert "/api/search/things" not in (await document.document())["paths"]
        fakes.dead = set()
        assert "/api/search/things" not in (await document.document())["paths"]
        now[0] = 31.0
        assert "/api/search/things" in (await document.document())["paths"]
        fakes.dead, now[0] = {"search"}, 62.0
        assert "/api/search/things" in (await document.document())["paths"]


async def test_the_docs_page_lists_operations(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/api/docs")).text
    assert "/api/items/things" in page
    assert "Add a thing." in page
    assert "needs a token" in page
