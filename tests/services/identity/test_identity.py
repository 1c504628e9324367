"""Identity by its HTTP face, on a real database."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import httpx
import jwt
import pytest

from services.chassis.auth import AUDIENCE, ISSUER, TokenVerifier
from services.chassis.database import Database
from services.chassis.ids import new_id
from services.identity import guessing
from services.identity.tokens import TokenSigner
from services.identity.users import User
from tests.services.identity.conftest import PASSWORD, SignUp

SignedIn = Callable[..., dict[str, str]]


async def sign_in(http: httpx.AsyncClient, name: str, password: str = PASSWORD) -> httpx.Response:
    form = {"grant_type": "password", "username": name, "password": password}
    return await http.post("/api/identity/token", data=form)


async def rows(pool: Database, query: str) -> list[dict[str, object]]:
    async with pool.connection() as connection:
        return await (await connection.execute(query.encode())).fetchall()


# ---- signing up -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["abc", "A.b_c-9", "さくら", "田中太郎", "ミケーネ", "佐々木", "x" * 32])
async def test_sign_up(http: httpx.AsyncClient, name: str) -> None:
    answer = await http.post("/api/identity/users", json={"name": name, "password": PASSWORD})
    assert answer.status_code == 201
    assert answer.json() == {"id": answer.json()["id"], "name": name, "roles": ["user"], "simulated": False}
    assert UUID(answer.json()["id"]).version == 7


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "ab"), ("name", "x" * 33), ("name", "two words"), ("name", "<b>x</b>"), ("name", "a\x00bc"),
        ("name", "аdmin"), ("name", "'; DROP TABLE users;--"), ("name", "abc\u202e"), ("name", 12345),
        ("name", "x" * 40_000), ("name", None), ("password", "short"), ("password", "x" * 129), ("password", None),
    ],
)  # fmt: skip
async def test_what_is_refused_says_where(http: httpx.AsyncClient, pool: Database, field: str, value: object) -> None:
    body = {"name": "somebody", "password": PASSWORD, field: value}
    answer = await http.post("/api/identity/users", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [fault["where"] for fault in answer.json()["errors"]] == [f"body.{field}"]
    assert await rows(pool, "SELECT id FROM users") == []


async def test_text_that_is_no_text_is_refused(http: httpx.AsyncClient) -> None:
    body = rb'{"name": "somebody", "password": "\ud800\ud800\ud800\ud800\ud800\ud800\ud800\ud800"}'
    answer = await http.post("/api/identity/users", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422


async def test_a_password_is_never_told_or_kept(http: httpx.AsyncClient, pool: Database, sign_up: SignUp) -> None:
    await sign_up("somebody")
    answer = await http.post("/api/identity/users", json={"name": "x", "password": PASSWORD})
    assert PASSWORD not in answer.text
    kept = str(await rows(pool, "SELECT * FROM users"))
    assert PASSWORD not in kept
    assert "$argon2id$v=19$m=19456,t=2,p=1$" in kept


@pytest.mark.parametrize("same", ["Somebody", "SOMEBODY", "somebody", "ｓｏｍｅｂｏｄｙ"])
async def test_a_name_is_given_once(http: httpx.AsyncClient, sign_up: SignUp, same: str) -> None:
    await sign_up("Somebody")
    answer = await http.post("/api/identity/users", json={"name": same, "password": PASSWORD})
    assert answer.status_code == 409
    assert answer.json()["title"] == "Somebody has that name already."


async def test_of_several_at_once_one_gets_the_name(http: httpx.AsyncClient) -> None:
    body = {"name": "wanted", "password": PASSWORD}
    answers = await asyncio.gather(*(http.post("/api/identity/users", json=body) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]


# ---- signing in -----------------------------------------------------------------------------------


async def test_sign_in_gives_a_token_that_everybody_can_check(http: httpx.AsyncClient, sign_up: SignUp) -> None:
    user = await sign_up("さくら")
    answer = await sign_in(http, "さくら")
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "bearer"
    assert answer.json()["expires_in"] == 8 * 60 * 60
    assert answer.headers["cache-control"] == "no-store"
    verifier = TokenVerifier((await http.get("/api/identity/jwks")).content)
    caller = verifier.caller(answer.json()["access_token"])
    assert (str(caller.id), caller.name, caller.roles) == (user, "さくら", frozenset({"user"}))


async def test_the_name_may_be_typed_in_another_case_and_width(http: httpx.AsyncClient, sign_up: SignUp) -> None:
    await sign_up("Somebody")
    assert (await sign_in(http, "ｓｏｍｅbody")).status_code == 200


@pytest.mark.parametrize(
    ("name", "password"),
    [("somebody", "wrong password"), ("nobody", PASSWORD), ("a\x00b", PASSWORD), ("somebody", "x" * 1000)],
)
async def test_wrong_name_or_password_look_the_same(
    http: httpx.AsyncClient, sign_up: SignUp, name: str, password: str
) -> None:
    await sign_up("somebody")
    answer = await sign_in(http, name, password)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["error"] == "invalid_grant"
    assert answer.json()["title"] == "The name or the password is wrong."


async def test_another_grant_is_refused(http: httpx.AsyncClient) -> None:
    form = {"grant_type": "client_credentials", "username": "a", "password": "b"}
    answer = await http.post("/api/identity/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


async def test_a_form_without_fields_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.post("/api/identity/token", data={})
    assert answer.status_code == 422
    assert {fault["where"] for fault in answer.json()["errors"]} == {"body.username", "body.password"}


@pytest.mark.parametrize("name", ["somebody", "nobody"])
async def test_guessing_is_slowed_down_and_then_forgiven(
    http: httpx.AsyncClient, pool: Database, sign_up: SignUp, name: str
) -> None:
    await sign_up("somebody")
    for _ in range(guessing.FREE):
        assert (await sign_in(http, name, "wrong password")).status_code == 400
    slowed = await sign_in(http, name)
    assert slowed.status_code == 429
    assert slowed.json()["title"] == "Too many failed sign-ins with this name; wait a little."
    assert 0 < int(slowed.headers["retry-after"]) <= guessing.LONGEST_WAIT
    assert (await sign_in(http, "else", "wrong password")).status_code == 400
    await rows(pool, "UPDATE failed_sign_ins SET last_at = last_at - interval '61 s' RETURNING key")
    assert (await sign_in(http, name)).status_code == (200 if name == "somebody" else 400)
    left = await rows(pool, "SELECT failures FROM failed_sign_ins WHERE key = 'somebody'")
    assert left == []


async def test_the_wait_grows_to_its_limit(http: httpx.AsyncClient, pool: Database) -> None:
    waits = []
    for failures in (guessing.FREE, guessing.FREE + 3, guessing.FREE + 10_000):
        await rows(
            pool,
            f"""INSERT INTO failed_sign_ins VALUES ('somebody', {failures}, now() + interval '0.2 s')
            ON CONFLICT (key) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at RETURNING key""",
        )
        waits.append(int((await sign_in(http, "somebody")).headers["retry-after"]))
    assert 1 <= waits[0] <= 2
    assert 8 <= waits[1] <= 9
    assert 60 <= waits[2] <= 61


async def test_old_failures_are_forgotten(pool: Database) -> None:
    await rows(
        pool,
        "INSERT INTO failed_sign_ins VALUES ('old', 9, now() - interval '2 hours'), ('new', 9, now()) RETURNING key",
    )
    await guessing.FailedSignIns(pool).forget_old()
    assert await rows(pool, "SELECT key FROM failed_sign_ins") == [{"key": "new"}]


# ---- tokens ---------------------------------------------------------------------------------------


def test_claims_of_a_token(signing_key: Path) -> None:
    signer = TokenSigner(signing_key.read_text(), clock=lambda: 1_000_000_000.9)
    user = User(new_id(), "さくら", ["user", "moderator"], "")
    claims = jwt.decode(signer.token(user), options={"verify_signature": False})
    assert claims.pop("jti")
    assert claims == {
        "iss": ISSUER, "aud": AUDIENCE, "sub": str(user.id), "name": "さくら", "roles": ["user", "moderator"],
        "iat": 1_000_000_000, "exp": 1_000_028_800,
    }  # fmt: skip
    header = jwt.get_unverified_header(signer.token(user))
    assert (header["alg"], header["kid"]) == ("ES256", signer.jwks()["keys"][0]["kid"])


def test_only_the_public_half_is_published(signing_key: Path) -> None:
    (key,) = TokenSigner(signing_key.read_text()).jwks()["keys"]
    assert set(key) == {"kty", "crv", "x", "y", "kid", "alg", "use"}


# ---- who is who -----------------------------------------------------------------------------------


async def test_me(http: httpx.AsyncClient, sign_up: SignUp, signed_in: SignedIn) -> None:
    user = await sign_up("somebody")
    answer = await http.get("/api/identity/me", headers=signed_in(UUID(user)))
    assert answer.json() == {"id": user, "name": "somebody", "roles": ["user"], "simulated": False}


@pytest.mark.parametrize("simulated", [True, False])
async def test_a_program_that_plays_a_user_is_marked_in_its_tokens(http: httpx.AsyncClient, simulated: bool) -> None:
    account = {"name": "somebody", "password": PASSWORD, "simulated": simulated}
    assert (await http.post("/api/identity/users", json=account)).json()["simulated"] is simulated
    form = {"username": "somebody", "password": PASSWORD}
    token = (await http.post("/api/identity/token", data=form)).json()["access_token"]
    jwks = (await http.get("/api/identity/jwks")).content
    assert TokenVerifier(jwks).caller(token).simulated is simulated


async def test_me_without_a_token_or_an_account(http: httpx.AsyncClient, signed_in: SignedIn) -> None:
    assert (await http.get("/api/identity/me")).status_code == 401
    assert (await http.get("/api/identity/me", headers=signed_in())).status_code == 401


async def test_a_public_name_says_no_more(http: httpx.AsyncClient, sign_up: SignUp) -> None:
    user = await sign_up("somebody")
    assert (await http.get(f"/api/identity/users/{user}")).json() == {"id": user, "name": "somebody"}
    assert (await http.get(f"/api/identity/users/{new_id()}")).status_code == 404
    assert (await http.get("/api/identity/users/1%20OR%201=1")).status_code == 422


# ---- roles ----------------------------------------------------------------------------------------


async def test_an_operator_changes_roles(http: httpx.AsyncClient, sign_up: SignUp, signed_in: SignedIn) -> None:
    user, operator = await sign_up("somebody"), signed_in(roles=("operator",))
    path = f"/api/identity/users/{user}/roles"
    answer = await http.put(path, json={"roles": ["moderator"]}, headers=operator)
    assert answer.json()["roles"] == ["moderator", "user"]
    token = (await sign_in(http, "somebody")).json()["access_token"]
    assert jwt.decode(token, options={"verify_signature": False})["roles"] == ["moderator", "user"]
    assert (await http.put(path, json={"roles": []}, headers=operator)).json()["roles"] == ["user"]


@pytest.mark.parametrize("roles", [(), ("user",), ("user", "moderator")])
async def test_nobody_else_does(
    http: httpx.AsyncClient, sign_up: SignUp, signed_in: SignedIn, roles: tuple[str, ...]
) -> None:
    user = await sign_up("somebody")
    path = f"/api/identity/users/{user}/roles"
    answer = await http.put(path, json={"roles": ["operator"]}, headers=signed_in(UUID(user), roles=roles))
    assert answer.status_code == 403


async def test_what_roles_are_refused(http: httpx.AsyncClient, sign_up: SignUp, signed_in: SignedIn) -> None:
    user = await sign_up("somebody")
    own, operator = signed_in(UUID(user), roles=("operator",)), signed_in(roles=("operator",))
    path = f"/api/identity/users/{user}/roles"
    assert (await http.put(path, json={"roles": ["king"]}, headers=operator)).status_code == 422
    assert (await http.put(path, json={"roles": []}, headers=own)).status_code == 409
    unknown = await http.put(f"/api/identity/users/{new_id()}/roles", json={"roles": []}, headers=operator)
    assert unknown.status_code == 404
