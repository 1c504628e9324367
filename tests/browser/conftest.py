"""A real browser that notes everything a page should not do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, sync_playwright

from tests.platform import Account, Platform

CHROMIUM = Path("/usr/bin/chromium")
MakeContext = Callable[..., BrowserContext]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
DESKTOP = {"viewport": {"width": 1280, "height": 900}}


@dataclass
class Misdeeds:
    """What the pages did: errors on the console, requests to another host, answers that failed."""

    host: str
    found: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        """Note what this page does."""
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.found.append(f"error: {error}"))
        page.on("request", self._asked)
        page.on("response", self._answered)

    def _said(self, message: ConsoleMessage) -> None:
        expected = message.text.startswith("Failed to load resource") and "422" in message.text
        if message.type in ("error", "warning") and not expected:
            self.found.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(("blob:", "data:")) and urlsplit(request.url).netloc != self.host:
            self.found.append(f"another host: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self.found.append(f"{response.status}: {response.url}")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's chromium."""
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM}: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def context(chromium: Browser, platform: Platform) -> Iterator[MakeContext]:
    """`context(**DESKTOP, locale=..., ...)`: a visitor of their own; misdeeds fail the test at its end."""
    misdeeds = Misdeeds(urlsplit(platform.url).netloc)
    opened: list[BrowserContext] = []

    def made(**options: object) -> BrowserContext:
        new = chromium.new_context(base_url=platform.url, **options)  # type: ignore[arg-type]
        new.set_default_timeout(15_000)
        new.on("page", misdeeds.watch)
        opened.append(new)
        return new

    yield made
    for one in opened:
        one.close()
    assert misdeeds.found == []


@pytest.fixture
def page(context: MakeContext) -> Page:
    """A page at a desk, in English, in light colours."""
    return context(**DESKTOP, locale="en-US", color_scheme="light").new_page()


def sign_in(page: Page, account: Account) -> None:
    """Sign in as people do."""
    page.goto("/sign-in")
    page.get_by_label("Name" if _english(page) else "名前", exact=True).fill(account.name)
    page.get_by_label("Password" if _english(page) else "パスワード", exact=True).fill(account.password)
    page.locator("main form button.strong").click()
    page.wait_for_url("**/")


def _english(page: Page) -> bool:
    return page.locator("html").get_attribute("lang") == "en"
