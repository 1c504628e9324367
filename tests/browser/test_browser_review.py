"""A moderator at work in the browser: sees why, decides by key, takes it back; in both languages, on a phone too."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, MakeContext, sign_in
from tests.journeys.test_moderation import _waiting_for_review, word
from tests.platform import Platform

SECONDS = 15_000
WORDS = {
    "en": {"publish": "Publish", "undo": "Take back", "why": "Why it is here", "waiting": r"Waiting: \d+"},
    "ja": {"publish": "公開する", "undo": "取り消す", "why": "ここにある理由", "waiting": r"審査待ち \d+ 件"},
}


@pytest.mark.parametrize(("language", "screen"), [("en", DESKTOP), ("ja", DESKTOP), ("ja", PHONE)])
def test_a_moderator_decides_and_takes_it_back(
    context: MakeContext, platform: Platform, language: str, screen: dict[str, Any]
) -> None:
    unique, words = word(), WORDS[language]
    _waiting_for_review(platform, unique)
    page = context(locale=language, **screen).new_page()
    sign_in(page, platform.account("moderator"))
    page.goto("/review")
    expect(page.locator(".waiting")).to_contain_text(re.compile(words["waiting"]))
    case = to_the_case(page, unique)
    expect(case).to_contain_text(words["why"])
    expect(case.locator(".because")).to_contain_text("%")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out"
    case.focus()
    page.keyboard.press("r")
    expect(case.locator("select")).to_be_focused()
    case.focus()
    page.keyboard.press("p")
    expect(page.locator(".last")).to_contain_text(unique, timeout=SECONDS)
    page.locator(".last").get_by_role("button").click()
    expect(page.locator(".made li").first).to_have_class(re.compile("undone"), timeout=SECONDS)
    to_the_case(page, unique).get_by_role("button", name=words["publish"]).click()
    expect(page.locator(".made li").first).to_contain_text(unique)
    expect(page.locator(".made li").nth(1)).to_have_class(re.compile("undone"))


def to_the_case(page: Page, unique: str) -> Any:
    """The item's place in the queue, which may be some pages further back."""
    expect(page.locator("[data-case]").first).to_be_visible()
    case = page.locator("[data-case]", has_text=unique)
    while case.count() == 0:
        page.locator("a[rel=next]").click()
    return case
