"""The app in this process, over made-up services."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

from services.chassis.service import Service
from services.web.main import build
from tests.conftest import MakeBackends, MakeClient
from tests.services.web.fakes import PASSWORD, FakeServices

SignIn = Callable[..., Awaitable[httpx.AsyncClient]]
CSRF = re.compile(r'name="csrf" value="([^"]+)"')


@pytest.fixture
def fakes() -> FakeServices:
    """The other services."""
    return FakeServices()


@pytest.fixture
def web(backends: MakeBackends, fakes: FakeServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    """The app."""
    (tmp_path / "csrf").write_text("a secret")
    (tmp_path / "htmx.js").write_text("// htmx")
    monkeypatch.setenv("CSRF_KEY_FILE", str(tmp_path / "csrf"))
    monkeypatch.setenv("WEB_HTMX_FILE", str(tmp_path / "htmx.js"))
    monkeypatch.setenv("APP_NAME", "Calico / 三毛")
    monkeypatch.setenv("INFERENCE_SYNC_URL", "http://inference-sync:8200,http://second:8201")
    return build(backends(transport=fakes.transport()))


@pytest.fixture
def browser(client: MakeClient, web: Service) -> httpx.AsyncClient:
    """A browser without a session that keeps cookies and follows no redirect."""
    return client(web)


@pytest.fixture
def signed_in_as(client: MakeClient, web: Service) -> SignIn:
    """`await signed_in_as("mike")`: a browser with a session."""

    async def signing_in(name: str = "mike") -> httpx.AsyncClient:
        browser = client(web)
        answer = await send(browser, "/sign-in", {"name": name, "password": PASSWORD})
        assert answer.status_code == 303
        return browser

    return signing_in


async def csrf(browser: httpx.AsyncClient, page: str = "/sign-in") -> str:
    """The token that forms of this browser carry."""
    found = CSRF.search((await browser.get(page)).text)
    assert found
    return found[1]


async def send(
    browser: httpx.AsyncClient, path: str, form: dict[str, str], files: dict[str, tuple[str, bytes, str]] | None = None
) -> httpx.Response:
    """Send a form as a browser does."""
    return await browser.post(path, data=form | {"csrf": await csrf(browser)}, files=files)
