"""Every error of every service has one shape and says what, where and what is allowed."""

from collections.abc import AsyncIterator, Callable

import httpx
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel, Field

from services.chassis.auth import Moderator, SignedIn
from services.chassis.service import Service
from tests.conftest import MakeBackends, MakeClient


class Body(BaseModel):
    title: str = Field(max_length=5)


@pytest.fixture
def http(backends: MakeBackends, client: MakeClient) -> httpx.AsyncClient:
    service = Service("tests", backends(), max_body_bytes=1000)

    @service.app.post("/things")
    async def _(body: Body) -> dict[str, str]:
        return {"title": body.title}

    @service.app.get("/mine")
    async def _(caller: SignedIn) -> dict[str, str]:
        return {"id": str(caller.id), "name": caller.name}

    @service.app.get("/moderators")
    async def _(caller: Moderator) -> dict[str, str]:
        return {"name": caller.name}

    @service.app.get("/away")
    async def _() -> None:
        raise psycopg.OperationalError("server closed the connection")

    @service.app.get("/broken")
    async def _() -> None:
        raise ZeroDivisionError

    return client(service)


def is_problem(response: httpx.Response, status: int) -> dict[str, object]:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = response.json()
    assert body["status"] == status
    assert body["title"]
    assert body["request_id"] == response.headers["x-request-id"]
    return body


async def test_a_wrong_field_is_named(http: httpx.AsyncClient) -> None:
    body = is_problem(await http.post("/things", json={"title": "too long"}), 422)
    assert body["errors"] == [
        {"where": "body.title", "what": "String should have at most 5 characters", "allowed": "max_length: 5"}
    ]


@pytest.mark.parametrize("content", [b"{", b"", b"\xff\xfe", b"null", b"[" * 500])
async def test_what_is_no_json_is_refused(http: httpx.AsyncClient, content: bytes) -> None:
    response = await http.post("/things", content=content, headers={"content-type": "application/json"})
    is_problem(response, response.status_code)
    assert 400 <= response.status_code < 500


async def test_a_large_body_is_refused_by_its_header_and_by_its_bytes(http: httpx.AsyncClient) -> None:
    is_problem(await http.post("/things", json={"title": "x" * 2000}), 413)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * 100

    is_problem(await http.post("/things", content=chunks(), headers={"content-type": "application/json"}), 413)


async def test_unknown_paths_and_methods(http: httpx.AsyncClient) -> None:
    is_problem(await http.get("/nowhere"), 404)
    is_problem(await http.put("/things"), 405)


async def test_a_part_that_is_away_is_503_and_a_fault_is_500(http: httpx.AsyncClient) -> None:
    response = await http.get("/away")
    is_problem(response, 503)
    assert response.headers["retry-after"] == "1"
    is_problem(await http.get("/broken"), 500)


async def test_the_request_id_comes_back_if_it_is_sane(http: httpx.AsyncClient) -> None:
    assert (await http.get("/nowhere", headers={"x-request-id": "abc"})).headers["x-request-id"] == "abc"
    assert (await http.get("/nowhere", headers={"x-request-id": "x" * 500})).headers["x-request-id"] != "x" * 500


async def test_tokens(http: httpx.AsyncClient, token: Callable[..., str]) -> None:
    other_key = ec.generate_private_key(ec.SECP256R1())
    wrong = {
        "nothing": "",
        "garbage": "Bearer abc",
        "other scheme": f"Basic {token()}",
        "expired": f"Bearer {token(expires_in=-10)}",
        "forged": f"Bearer {token(key=other_key)}",
        "other audience": f"Bearer {token(aud='elsewhere')}",
        "other issuer": f"Bearer {token(iss='elsewhere')}",
        "no uuid": f"Bearer {token(sub='1')}",
    }
    for why, header in wrong.items():
        response = await http.get("/mine", headers={"authorization": header} if header else {})
        is_problem(response, 401)
        assert response.headers["www-authenticate"] == "Bearer", why
    response = await http.get("/mine", headers={"authorization": f"Bearer {token(name='ねこ')}"})
    assert response.json()["name"] == "ねこ"


async def test_roles(http: httpx.AsyncClient, token: Callable[..., str]) -> None:
    def header(*roles: str) -> dict[str, str]:
        return {"authorization": f"Bearer {token(roles=roles)}"}

    is_problem(await http.get("/moderators", headers=header("user")), 403)
    assert (await http.get("/moderators", headers=header("moderator"))).status_code == 200
    assert (await http.get("/moderators", headers=header("operator"))).status_code == 200


async def test_health_and_metrics(http: httpx.AsyncClient) -> None:
    assert (await http.get("/health/live")).json() == {"status": "live"}
    assert (await http.get("/health/ready")).json() == {"status": "ready", "checks": {}}
    await http.post("/things", json={"title": "x"})
    assert 'http_requests_total{method="POST",route="/things",status="200"} 1.0' in (await http.get("/metrics")).text
