"""Themes, languages, phones, keyboards, readers: the pages are for everybody."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, MakeContext, sign_in
from tests.platform import Platform

PAGES = ["/", "/search?q=ねこ", "/search/similar", "/register", "/mine", "/review", "/status", "/docs", "/nothing"]
CONTRAST = (Path(__file__).parent / "contrast.js").read_text()
NAMELESS = """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea, img")]
  .filter(e => e.checkVisibility() && !(e.tagName === "IMG" ? e.hasAttribute("alt") : (e.innerText || "").trim()
    || e.getAttribute("aria-label") || e.labels?.length || e.querySelector("img[alt]:not([alt=''])")
    || e.getAttribute("aria-hidden") === "true"))
  .map(e => e.outerHTML.slice(0, 120))"""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"

NAME_TO_BUTTONS = """() => document.querySelector(".tools").getBoundingClientRect().left
  - document.querySelector(".brand span").getBoundingClientRect().right"""


def visit(page: Page, path: str) -> None:
    """Open a page and let its pictures come; one that does not exist is a page, too."""
    page.goto(path, wait_until="domcontentloaded" if path == "/status" else "load")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_words_can_be_read_in_both_themes(context: MakeContext, platform: Platform, theme: str) -> None:
    visitor = context(**DESKTOP, locale="en-US", color_scheme=theme, reduced_motion="reduce")
    page = visitor.new_page()
    sign_in(page, platform.account("moderator"))
    for path in PAGES[:-1]:
        visit(page, path)
        assert page.evaluate(CONTRAST) == [], path


@pytest.mark.parametrize("device", ["phone", "desktop"])
def test_pages_fit_and_everything_has_a_name(context: MakeContext, platform: Platform, device: str) -> None:
    page = context(**(PHONE if device == "phone" else DESKTOP), locale="ja-JP").new_page()
    sign_in(page, platform.account("moderator"))
    for path in PAGES[:-1]:
        visit(page, path)
        assert page.evaluate(SIDEWAYS) <= 0, path
        assert page.evaluate(NAMELESS) == [], path
        assert page.locator("h1").count() == 1, path


def test_the_operators_page_fits_a_phone(context: MakeContext, platform: Platform) -> None:
    page = context(**PHONE, locale="ja-JP").new_page()
    sign_in(page, platform.account("operator"))
    visit(page, "/status")
    expect(page.get_by_role("heading", name="リリースと学習")).to_be_visible()
    expect(page.get_by_text("リリース", exact=True).first).to_be_visible()
    assert page.evaluate(SIDEWAYS) <= 0
    assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize(("locale", "width"), [("en-US", 360), ("ja-JP", 360), ("en-US", 320), ("ja-JP", 320)])
def test_on_a_small_phone_the_name_keeps_away_from_the_buttons(
    context: MakeContext, platform: Platform, locale: str, width: int
) -> None:
    page = context(**PHONE | {"viewport": {"width": width, "height": 640}}, locale=locale).new_page()
    sign_in(page, platform.account("operator"))
    visit(page, "/status")
    assert page.evaluate(SIDEWAYS) <= 0
    assert page.evaluate(NAME_TO_BUTTONS) >= 0


def test_dark_is_chosen_and_stays(page: Page) -> None:
    page.goto("/")
    ground = "() => getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    dark = page.evaluate(ground)
    assert dark != light
    page.goto("/status")
    assert page.evaluate(ground) == dark
    page.get_by_role("button", name="Light").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    assert page.evaluate(ground) == light


def test_the_language_is_the_browsers_until_another_is_chosen(context: MakeContext) -> None:
    page = context(**DESKTOP, locale="ja-JP").new_page()
    page.goto("/sign-in")
    expect(page.get_by_role("heading", name="ログイン")).to_be_visible()
    page.get_by_role("button", name="English").click()
    page.wait_for_url("**/sign-in")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.goto("/status")
    expect(page.get_by_role("heading", name="Services")).to_be_visible()


def test_signing_in_with_the_keyboard_alone(page: Page, platform: Platform) -> None:
    account = platform.account()
    page.goto("/sign-in")
    page.keyboard.press("Tab")
    expect(page.locator("a.skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator("#name")).to_be_focused()
    page.keyboard.type(account.name)
    page.keyboard.press("Tab")
    page.keyboard.type(account.password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/")
    expect(page.locator("footer")).to_contain_text(account.name)


def test_focus_can_be_seen(page: Page) -> None:
    page.goto("/sign-in")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineWidth")
    assert outline == "3px"


def test_a_wrong_password_is_said_and_gets_the_focus(page: Page, platform: Platform) -> None:
    page.goto("/sign-in")
    page.get_by_label("Name").fill(platform.account().name)
    page.get_by_label("Password").fill("not the password")
    page.locator("main form button.strong").click()
    expect(page.get_by_role("alert")).to_have_text("Name and password do not match.")
    expect(page.get_by_role("alert")).to_be_focused()


def test_titles_count_characters_as_people_do(page: Page, platform: Platform) -> None:
    sign_in(page, platform.account())
    page.goto("/register")
    page.locator("#title").fill("𠮷野家🐈")
    expect(page.locator("#title-hint")).to_have_text("4 of 120 characters")


def test_the_tabs_are_where_the_thumb_is(context: MakeContext) -> None:
    page = context(**PHONE, locale="en-US").new_page()
    page.goto("/")
    box = page.locator("nav.tabs").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] == 844
    small = [b for b in (a.bounding_box() for a in page.locator("nav.tabs a").all()) if b and b["height"] < 44]
    assert small == []
