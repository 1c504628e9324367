"""Identity on a real database, and who signs in to it."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from services.chassis.database import Database
from services.chassis.service import Service
from services.identity.main import build
from tests import tokens
from tests.conftest import MakeBackends, MakeClient, MakeDatabase

PASSWORD = "correct horse"
ACCOUNTS = [
    {"name": "tama", "password": "tama's password", "roles": ["user", "moderator"]},
    {"name": "さくら", "password": "さくらのパスワード", "roles": ["user"]},
]
SignUp = Callable[[str], Awaitable[str]]


@pytest.fixture
async def pool(database: MakeDatabase) -> Database:
    return await database("identity")


@pytest.fixture
def accounts_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "accounts.json"
    file.write_text(json.dumps(ACCOUNTS))
    monkeypatch.setenv("ACCOUNTS_FILE", str(file))
    return file


@pytest.fixture
def signing_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tests' key, so that the tests' verifier takes what is signed with it."""
    file = tmp_path / "signing.pem"
    file.write_bytes(tokens.KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    monkeypatch.setenv("SIGNING_KEY_FILE", str(file))
    return file


@pytest.fixture
def service(pool: Database, backends: MakeBackends, signing_key: Path) -> Service:
    return build(backends(database=pool))


@pytest.fixture
def http(service: Service, client: MakeClient) -> httpx.AsyncClient:
    return client(service)


@pytest.fixture
def sign_up(http: httpx.AsyncClient) -> SignUp:
    async def signed_up(name: str) -> str:
        answer = await http.post("/api/identity/users", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    return signed_up
